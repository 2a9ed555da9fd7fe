"""The Kubernetes API servers of EKS clusters: one TLS listener, a path for each cluster.

On AWS a cluster's endpoint is a host name of its own; names under localhost do not resolve everywhere, so here it is
https://127.0.0.1:<port>/<id>. It knows the few kinds that matter when a lab ends, and keeps them in memory.
"""

from emulator.eks.kubernetes.servers import KubernetesServers

__all__ = ["KubernetesServers"]
