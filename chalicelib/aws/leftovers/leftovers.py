"""Finds and deletes a lab's possible leftovers in one region: the adapter of the port `Leftovers`, one finder a kind."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.aws.clients.calls import RegionClients
from chalicelib.aws.leftovers.auto_scaling_groups import AutoScalingGroups
from chalicelib.aws.leftovers.dns_records import DnsRecords
from chalicelib.aws.leftovers.elastic_ips import ElasticIps
from chalicelib.aws.leftovers.finder import Finder
from chalicelib.aws.leftovers.identity import InstanceProfiles, OidcProviders
from chalicelib.aws.leftovers.instances import Instances
from chalicelib.aws.leftovers.launch_templates import KeyPairs, LaunchTemplates
from chalicelib.aws.leftovers.load_balancers import ClassicLoadBalancers, LoadBalancers, TargetGroups
from chalicelib.aws.leftovers.log_groups import LogGroups
from chalicelib.aws.leftovers.network_interfaces import NetworkInterfaces
from chalicelib.aws.leftovers.security_groups import SecurityGroups
from chalicelib.aws.leftovers.volumes import Snapshots, Volumes
from chalicelib.aws.leftovers.vpc_attachments import MountTargets, VpcEndpoints
from chalicelib.domain.core.resources import Kind, Resource, Target


class AwsLeftovers:
    """The finders of one region over boto3 clients. Kinds that are deleted with the cluster or the stack have none."""

    def __init__(self, clients: RegionClients) -> None:
        ec2, elbv2, iam = clients.ec2, clients.elbv2, clients.iam
        self._snapshots = Snapshots(ec2)
        self._finders: Mapping[Kind, Finder] = {
            Kind.INSTANCE: Instances(ec2),
            Kind.AUTO_SCALING_GROUP: AutoScalingGroups(clients.autoscaling),
            Kind.ELASTIC_IP: ElasticIps(ec2),
            Kind.KEY_PAIR: KeyPairs(ec2),
            Kind.LAUNCH_TEMPLATE: LaunchTemplates(ec2),
            Kind.LOAD_BALANCER: LoadBalancers(elbv2),
            Kind.CLASSIC_LOAD_BALANCER: ClassicLoadBalancers(clients.elb),
            Kind.TARGET_GROUP: TargetGroups(elbv2),
            Kind.SECURITY_GROUP: SecurityGroups(ec2),
            Kind.NETWORK_INTERFACE: NetworkInterfaces(ec2),
            Kind.VOLUME: Volumes(ec2),
            Kind.SNAPSHOT: self._snapshots,
            Kind.MOUNT_TARGET: MountTargets(clients.efs),
            Kind.DNS_RECORD: DnsRecords(clients.route53),
            Kind.LOG_GROUP: LogGroups(clients.logs),
            Kind.OIDC_PROVIDER: OidcProviders(iam),
            Kind.INSTANCE_PROFILE: InstanceProfiles(iam),
            Kind.VPC_ENDPOINT: VpcEndpoints(ec2),
        }

    def find(self, kind: Kind, target: Target) -> tuple[Resource, ...]:
        """Every resource of this kind that relates to the target, each once. A kind without a finder is never swept."""
        finder = self._finders.get(kind)
        return tuple({found.arn: found for found in finder.find(target)}.values()) if finder is not None else ()

    def delete(self, resource: Resource) -> None:
        self._finders[resource.kind].delete(resource)

    def snapshot(self, volume: Resource, tags: Mapping[str, str], token: str) -> Resource:
        """Request a snapshot of a volume, or return the one requested with this token."""
        return self._snapshots.make(volume, tags, token)

    def snapshot_state(self, snapshot_id: str) -> str | None:
        return self._snapshots.state(snapshot_id)
