"""Builds the adapters of one place. Part of `wiring/deps.py`, imported by the first step that needs a place."""

from __future__ import annotations

from functools import cache, partial

from chalicelib.aws.clients.calls import RegionClients
from chalicelib.aws.cloudtrail.event_history import CloudTrailHistory, iam_region
from chalicelib.aws.eks.clusters import EksClusters
from chalicelib.aws.infrastructure.dns import Route53Dns
from chalicelib.aws.infrastructure.network import AutoScaling, Ec2Network
from chalicelib.aws.infrastructure.quotas import FREE_TIER_REGION, AwsQuotas
from chalicelib.aws.infrastructure.roles import IamRoles
from chalicelib.aws.infrastructure.stacks import CloudFormationStacks
from chalicelib.aws.inventory.inventory import AwsInventory
from chalicelib.aws.kubernetes.cluster import KubernetesApi
from chalicelib.aws.kubernetes.token import OwnAccess
from chalicelib.aws.leftovers.leftovers import AwsLeftovers
from chalicelib.aws.system.clock import SystemClock
from chalicelib.domain.core.place import Place
from chalicelib.ports.deps import Cloud
from chalicelib.wiring.clients import client, stack_role, tokens, view_role


@cache
def cloud(place: Place) -> Cloud:
    """The adapters of one place, kept for the life of this process."""
    account, region = place.account, place.region
    of = partial(client, account, region)
    names = ("ec2", "iam", "route53", "elbv2", "elb", "efs", "eks", "logs", "autoscaling", "cloudformation")
    clients = RegionClients(tagging=of("resourcegroupstaggingapi"), **{name: of(name) for name in names})
    ec2, iam, eks = clients.ec2, clients.iam, clients.eks
    clusters = EksClusters(eks, SystemClock().now)
    return Cloud(
        stacks=CloudFormationStacks(clients.cloudformation, ec2, partial(stack_role, account)),
        clusters=clusters,
        network=Ec2Network(ec2),
        dns=Route53Dns(clients.route53),
        roles=IamRoles(iam),
        leftovers=AwsLeftovers(clients),
        inventory=AwsInventory(clients),
        kubernetes=KubernetesApi(
            tokens(account, region), OwnAccess(of("sts"), iam, clusters), partial(view_role, account)
        ),
        groups=AutoScaling(clients.autoscaling),
        history=CloudTrailHistory(of("cloudtrail"), client(account, iam_region(region), "cloudtrail")),
        quotas=AwsQuotas(
            of("service-quotas"), ec2, eks, client(account, FREE_TIER_REGION, "freetier"), SystemClock().now
        ),
    )
