"""The kinds that each sweep covers, in order. Everything else goes with the cluster or the stack."""

from __future__ import annotations

from chalicelib.domain.core.resources import Kind

#: Sweep of `terminate_instances`: nodes outside node groups; an Auto Scaling group first, or it starts them again.
INSTANCES = (Kind.AUTO_SCALING_GROUP, Kind.INSTANCE)
#: Sweep of `sweep_leftovers`, in this order, while the cluster still exists.
LEFTOVERS = (
    Kind.LOAD_BALANCER,
    Kind.CLASSIC_LOAD_BALANCER,
    Kind.TARGET_GROUP,
    Kind.NETWORK_INTERFACE,
    Kind.VOLUME,
    Kind.SNAPSHOT,
    Kind.DNS_RECORD,
)
#: Sweep of `sweep_remains` once the cluster is gone. The log group is last: late lines recreate it.
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
#: Sweep of `remove_leftovers` if a later look finds resources again.
STRAGGLERS = tuple(dict.fromkeys((*INSTANCES, *LEFTOVERS, *REMAINS)))
#: Kinds whose deletion takes a while: gone when a later look no longer finds them.
SLOW = frozenset({Kind.AUTO_SCALING_GROUP, Kind.INSTANCE, Kind.VPC_ENDPOINT, Kind.MOUNT_TARGET})
