"""Rules for tags: AWS's own, and those by which things are known as a lab's, which nobody may forge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from chalicelib.domain.core.names import TAG_TEXT
from chalicelib.domain.errors.findings import Finding, error
from chalicelib.domain.requests.eksctl.reader import child
from chalicelib.domain.requests.validation.context import Case

#: EKS takes 50 (model: TagMap). Ten are kept for the lab's own, EKS's and the controllers'.
_MOST = 40
#: What begins so decides whose a thing is, or is AWS's.
_RESERVED = (
    "aws:",
    "ekslab:",
    "eks:",
    "kubernetes.io/cluster/",
    "elbv2.k8s.aws/",
    "ebs.csi.aws.com/",
    "cluster.k8s.amazonaws.com/",
)


def judge_tags(case: Case) -> Iterator[Finding]:
    """The lab's tags, its node groups' (which come on top) and its add-ons'."""
    yield from _judge("tags", case.spec.tags)
    yield from _judge_on_stack(case.spec.tags)
    for index, group in enumerate(case.spec.nodegroups):
        yield from _judge(f"nodegroups[{index}].tags", group.tags)
        if len({**case.spec.tags, **group.tags}) > _MOST >= len(group.tags):
            yield error(
                f"nodegroups[{index}].tags", "too-many", f"With the lab's own tags these are more than {_MOST}."
            )
    for index, addon in enumerate(case.draft.addons):
        yield from _judge(f"addons[{index}].tags", addon.tags)


def _judge(path: str, tags: Mapping[str, str]) -> Iterator[Finding]:
    if len(tags) > _MOST:
        yield error(path, "too-many", f"At most {_MOST} tags, not {len(tags)}.")
    for key, value in tags.items():
        here = child(path, key)
        if key.lower().startswith(_RESERVED):
            prefix = next(prefix for prefix in _RESERVED if key.lower().startswith(prefix))
            yield error(
                here, "reserved", f"Tags that begin with {prefix} say whose a thing is: leave them to AWS and the lab."
            )
        if not 1 <= len(key) <= 128 or not TAG_TEXT.fullmatch(key):
            yield error(here, "invalid-tag", "A tag's key has 1 to 128 letters, digits, spaces and + - = . _ : / @")
        if len(value) > 256 or not TAG_TEXT.fullmatch(value):
            yield error(here, "invalid-tag", "A tag's value has up to 256 letters, digits, spaces and + - = . _ : / @")


def _judge_on_stack(tags: Mapping[str, str]) -> Iterator[Finding]:
    """What EKS and EC2 would take, but CloudFormation or IAM refuse in the middle of the work."""
    seen: set[str] = set()
    for key, value in tags.items():
        if not value:
            message = "CloudFormation, which tags the network and the roles, takes no empty value."
            yield error(child("tags", key), "invalid-tag", message)
        if key.lower() in seen:
            yield error(child("tags", key), "duplicate-tag", "IAM takes tags that differ only in case for the same.")
        seen.add(key.lower())
