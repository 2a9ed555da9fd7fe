"""The tagging API's GetResources for services that the emulator's lacks: EC2, load balancers, EKS and log groups.

A second way to find a lab's things, independent of how they are deleted, needs it to be complete. As on AWS it does
not list IAM roles, DNS records, or anything without tags.
"""

from collections.abc import Iterator

from ministack.services import alb, cloudwatch_logs, tagging

from emulator.core.scope import scope
from emulator.ec2.actions import tags
from emulator.ec2.taggable import KINDS, exists, forget_the_gone
from emulator.eks import Eks
from emulator.eks.tags import tagged_resources
from emulator.elb.classic import tagged_arns
from emulator.iam.context import NEAR

Tagged = Iterator[tuple[str, list[dict[str, str]]]]


def install(eks: Eks) -> None:
    """Let GetResources see these services too."""

    def clusters(name: str = "") -> Tagged:
        account, region = scope()
        for arn, found in tagged_resources(eks.world, account, region, name).items():
            yield arn, _as_list(found)

    def of_cluster(arn: str) -> Tagged:
        return clusters((*arn.split("/"), "", "")[1])

    NEAR.update(ec2=_ec2_resource, eks=of_cluster)

    tagging._COLLECTORS.update(ec2=_ec2, elasticloadbalancing=balancer_tags, eks=clusters, logs=_log_groups)


def _ec2() -> Tagged:
    account, region = scope()
    forget_the_gone()
    for resource_id, found in list(tags().items()):
        if resource_id.partition("-")[0] in KINDS and found:
            yield _ec2_arn(account, region, resource_id), found


def _ec2_resource(arn: str) -> Tagged:
    account, region = scope()
    resource_id = arn.rpartition("/")[2]
    found = tags().get(resource_id)
    if found and exists(resource_id):
        yield _ec2_arn(account, region, resource_id), found


def _ec2_arn(account: str, region: str, resource_id: str) -> str:
    kind, _ = KINDS[resource_id.partition("-")[0]]
    return f"arn:aws:ec2:{region}:{'' if kind == 'snapshot' else account}:{kind}/{resource_id}"


def balancer_tags() -> Tagged:
    """Yield the ARN and the tags of each load balancer, of either generation, in the calling account and region."""
    yield from ((arn, found) for arn, found in list(alb._tags.items()) if found and f":{scope()[1]}:" in arn)
    yield from ((arn, _as_list(found)) for arn, found in tagged_arns() if found)


def _log_groups() -> Tagged:
    account, region = scope()
    for name, group in list(cloudwatch_logs._log_groups.items()):
        if group.get("tags"):
            yield f"arn:aws:logs:{region}:{account}:log-group:{name}", _as_list(group["tags"])


def _as_list(found: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in found.items()]
