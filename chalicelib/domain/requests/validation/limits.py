"""Limits for the length of lists without another limit, and for tags: each item is a call of EKS, a lookup, or work for a check.

The limits are our own, well above any lab's need; nodes, groups, taints, tags and CIDRs have theirs elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from chalicelib.domain.core.names import TAG_TEXT
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, error
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.requests.defaults import ValidationContext
from chalicelib.domain.requests.draft import Draft
from chalicelib.domain.requests.eksctl.reader import child
from chalicelib.domain.stack.template import lab_template
from chalicelib.domain.teardown import evidence
from chalicelib.domain.teardown.volumes import DRIVER_PREFIX, NODE_KEYS

_MOST = 50
#: Namespaces of one access policy: a class has one for each learner.
_MOST_NAMESPACES = 200
#: CloudFormation's quota for a template that is sent inline, in bytes.
TEMPLATE_BYTES = 51_200
#: EKS takes 50 (model: TagMap). Ten are kept for the lab's own, EKS's and the controllers'.
_MOST_TAGS = 40
#: Karpenter's tag on its IAM resources, which are global.
_REGION_KEY = "topology.kubernetes.io/region"
#: Keys that decide ownership, of the rules that read them.
_READ = (
    *(evidence.LAB_TAG, *evidence.OWNING_KEYS, *evidence.OTHERS_KEYS, *evidence.TOOLS_KEYS, *evidence.CNI_KEYS),
    *(*NODE_KEYS, evidence.CSI_TAG, evidence.PVC_TAG, _REGION_KEY),
)
_PREFIXES = ("aws:", "ekslab:", "eks:", evidence.CLUSTER_PREFIX, DRIVER_PREFIX, *evidence.OTHERS_PREFIXES)
#: AWS's own, this service's, EKS's; every prefix and key that the rules read: no request may set one. Lower case: IAM ignores case.
RESERVED = tuple(dict.fromkeys(key.lower() for key in (*_PREFIXES, *_READ, "elbv2.k8s.aws/")))


def judge_lists(case: ValidationContext) -> Iterator[Finding]:
    """No list exceeds its limit."""
    for path, items in _lists(case.draft):
        most = _MOST_NAMESPACES if path.endswith(".namespaces") else _MOST
        if len(items) > most:
            yield error(
                path, "too-many", "At most {most} are taken here; these are {count}.", most=most, count=len(items)
            )


def _lists(draft: Draft) -> Iterator[tuple[str, Sequence[object]]]:
    yield "addons", draft.addons
    yield "podIdentities", draft.pod_identities
    yield "logTypes", draft.log_types
    yield "network.publicSubnetIds", draft.network.public_subnet_ids
    yield "network.privateSubnetIds", draft.network.private_subnet_ids
    for index, group in enumerate(draft.nodegroups or ()):
        yield f"nodegroups[{index}].instanceTypes", group.instance_types or ()
    yield "access", draft.access or ()
    for index, entry in enumerate(draft.access or ()):
        yield f"access[{index}].groups", entry.groups
        yield f"access[{index}].policies", entry.policies
        for place, policy in enumerate(entry.policies):
            yield f"access[{index}].policies[{place}].namespaces", policy.namespaces


def judge_size(lab: Lab) -> tuple[Finding, ...]:
    """The lab's template is within CloudFormation's limit."""
    size = len(lab_template(lab).encode())
    if size <= TEMPLATE_BYTES:
        return ()
    message = Sentence(
        "With {count} node groups and these tags the lab's stack has {size} bytes; "
        "CloudFormation takes {template_bytes}. Ask for fewer node groups, or fewer or shorter "
        "tags.",
        count=len(lab.spec.nodegroups),
        size=size,
        template_bytes=TEMPLATE_BYTES,
    )
    return (error("tags" if lab.spec.tags else "nodegroups", "too-large", message),)


def judge_tags(case: ValidationContext) -> Iterator[Finding]:
    """The lab's tags, its node groups' (added to the lab's) and its add-ons'."""
    yield from _judge("tags", case.spec.tags)
    yield from _judge_on_stack(case.spec.tags)
    for index, group in enumerate(case.spec.nodegroups):
        yield from _judge(f"nodegroups[{index}].tags", group.tags)
        if len({**case.spec.tags, **group.tags}) > _MOST_TAGS >= len(group.tags):
            yield error(
                f"nodegroups[{index}].tags",
                "too-many",
                "With the lab's own tags these are more than {most_tags}.",
                most_tags=_MOST_TAGS,
            )
    for index, addon in enumerate(case.draft.addons):
        yield from _judge(f"addons[{index}].tags", addon.tags)


def _judge(path: str, tags: Mapping[str, str]) -> Iterator[Finding]:
    if len(tags) > _MOST_TAGS:
        yield error(path, "too-many", "At most {most_tags} tags, not {count}.", most_tags=_MOST_TAGS, count=len(tags))
    for key, value in tags.items():
        here = child(path, key)
        if (prefix := reserved_by(key)) is not None:
            yield error(
                here,
                "reserved",
                "Tags that begin with {prefix} say whose a thing is: leave them to AWS and the lab.",
                prefix=prefix,
            )
        if not 1 <= len(key) <= 128 or not TAG_TEXT.fullmatch(key):
            yield error(here, "invalid-tag", "A tag's key has 1 to 128 letters, digits, spaces and + - = . _ : / @")
        if len(value) > 256 or not TAG_TEXT.fullmatch(value):
            yield error(here, "invalid-tag", "A tag's value has up to 256 letters, digits, spaces and + - = . _ : / @")


def _judge_on_stack(tags: Mapping[str, str]) -> Iterator[Finding]:
    """Tags that EKS and EC2 would accept, but CloudFormation or IAM refuse during the creation."""
    seen: set[str] = set()
    for key, value in tags.items():
        if not value:
            message = Sentence("CloudFormation, which tags the network and the roles, takes no empty value.")
            yield error(child("tags", key), "invalid-tag", message)
        if key.lower() in seen:
            yield error(child("tags", key), "duplicate-tag", "IAM takes tags that differ only in case for the same.")
        seen.add(key.lower())


def reserved_by(key: str) -> str | None:
    """The reserved prefix of a key; None if anybody may write it."""
    return next((beginning for beginning in RESERVED if key.lower().startswith(beginning)), None)
