"""The Kubernetes API servers of the sandbox's clusters, all behind one TLS listener on this machine."""

from __future__ import annotations

from sandbox.eks.state import Cluster


class KubernetesServers:
    """One listener, one API server for each cluster under a path of its own."""

    @property
    def authority_data(self) -> str:
        """The base64 of the PEM certificate of the authority that signs the listener's certificate."""
        raise NotImplementedError

    def add(self, cluster: Cluster) -> str:
        """Start answering for this cluster and return its endpoint URL."""
        raise NotImplementedError

    def remove(self, cluster: Cluster) -> None:
        """Stop answering for this cluster."""
        raise NotImplementedError

    def reset(self) -> None:
        """Stop answering for every cluster."""
        raise NotImplementedError
