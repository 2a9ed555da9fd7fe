"""Which kinds of things each sweep goes through, in which order. Everything else goes with the cluster or the stack."""

from __future__ import annotations

from chalicelib.domain.core.resources import Kind

#: What `terminate_instances` sweeps: the nodes that no node group takes along; a group first, or it starts them anew.
INSTANCES = (Kind.AUTO_SCALING_GROUP, Kind.INSTANCE)
#: What `sweep_leftovers` sweeps, in this order, while the cluster is still there.
LEFTOVERS = (
    Kind.LOAD_BALANCER,
    Kind.CLASSIC_LOAD_BALANCER,
    Kind.TARGET_GROUP,
    Kind.NETWORK_INTERFACE,
    Kind.VOLUME,
    Kind.SNAPSHOT,
    Kind.DNS_RECORD,
)
#: What `sweep_remains` sweeps once the cluster is gone. The log group is last: late lines make it again.
REMAINS = (
    Kind.NETWORK_INTERFACE,
    Kind.MOUNT_TARGET,
    Kind.VPC_ENDPOINT,
    Kind.ELASTIC_IP,
    Kind.SECURITY_GROUP,
    Kind.LAUNCH_TEMPLATE,
    Kind.INSTANCE_PROFILE,
    Kind.OIDC_PROVIDER,
    Kind.KEY_PAIR,
    Kind.LOG_GROUP,
)
#: What `remove_leftovers` sweeps when a later look finds something again.
STRAGGLERS = tuple(dict.fromkeys((*INSTANCES, *LEFTOVERS, *REMAINS)))
#: Kinds whose deletion takes a while: gone when a later look no longer finds them.
SLOW = frozenset({Kind.AUTO_SCALING_GROUP, Kind.INSTANCE, Kind.VPC_ENDPOINT, Kind.MOUNT_TARGET})
