"""Rules for node groups: names, ordered sizes, volumes, instance types of one architecture, and Kubernetes labels."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.domain.core.instance_types import ami_type
from chalicelib.domain.core.names import INSTANCE_TYPE, LABEL_PART, LABEL_PREFIX, NODEGROUP
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, error, warning
from chalicelib.domain.labs.spec import NodegroupSpec
from chalicelib.domain.requests.defaults import ValidationContext
from chalicelib.domain.requests.eksctl.reader import child

#: The image of Amazon Linux 2023 needs 20 GiB; gp3 ends at 16 TiB.
_SMALLEST_VOLUME, _LARGEST_VOLUME = 20, 16384
#: EKS limits labels and taints to 63 characters (model: labelKey, taintKey), prefix included, and groups to these counts.
_KEY_LENGTH = 63
_MOST_TAINTS = 50
_MOST_GROUPS = 30
_OPEN_PREFIXES = ("node.kubernetes.io", "kubelet.kubernetes.io")
_RESERVED = ("kubernetes.io", "k8s.io", "eks.amazonaws.com")


def judge_nodegroups(case: ValidationContext) -> Iterator[Finding]:
    """All groups, each by itself and together."""
    groups, most = case.spec.nodegroups, case.limits.max_nodes
    if not groups:
        yield warning("nodegroups", "no-nodes", "A lab without node groups runs no pods, not even its add-ons.")
    if len(groups) > _MOST_GROUPS:
        yield error(
            "nodegroups", "too-many", "A cluster has at most {most_groups} node groups.", most_groups=_MOST_GROUPS
        )
    together = sum(max(group.max, group.desired) for group in groups)
    if together > most:
        message = Sentence(
            "A lab has at most {most} nodes; at their maximum these groups have {together}.",
            most=most,
            together=together,
        )
        yield error("nodegroups", "too-many-nodes", message)
    names: dict[str, int] = {}
    for index, group in enumerate(groups):
        path = f"nodegroups[{index}]"
        if group.name in names:
            yield error(
                f"{path}.name", "duplicate", "nodegroups[{name}] has this name already.", name=names[group.name]
            )
        names.setdefault(group.name, index)
        if case.draft.nodegroups and case.draft.nodegroups[index].name is not None:
            yield from _judge_name(path, group)
        for rule in (_judge_sizes, _judge_instances, _judge_labels, _judge_taints, _judge_imds):
            yield from rule(path, group)


def _judge_name(path: str, group: NodegroupSpec) -> Iterator[Finding]:
    if not NODEGROUP.fullmatch(group.name):
        rule = Sentence("1 to 63 letters, digits, dashes and underscores, beginning with a letter or digit")
        yield error(f"{path}.name", "invalid-name", "EKS refuses this name: it takes {rule}.", rule=rule)


def _judge_sizes(path: str, group: NodegroupSpec) -> Iterator[Finding]:
    sizes = (("min", group.min, 0), ("desired", group.desired, 0), ("max", group.max, 1))
    too_few = [(field, size, least) for field, size, least in sizes if size < least]
    for field, size, least in too_few:
        yield error(f"{path}.{field}", "too-few-nodes", "{size} is less than {least}.", size=size, least=least)
    if not too_few:
        yield from _judge_order(path, group.min, group.desired, group.max)
    if not _SMALLEST_VOLUME <= group.volume_gib <= _LARGEST_VOLUME:
        message = Sentence(
            "Volumes are {smallest_volume} (the image's size) to {largest_volume} GiB, not {volume_gib}.",
            smallest_volume=_SMALLEST_VOLUME,
            largest_volume=_LARGEST_VOLUME,
            volume_gib=group.volume_gib,
        )
        yield error(f"{path}.volumeGib", "volume-out-of-range", message)


def _judge_imds(path: str, group: NodegroupSpec) -> Iterator[Finding]:
    if not group.disable_pod_imds:
        message = Sentence(
            "Every pod of these nodes reaches the instance's metadata, and with it the rights of the node's role."
        )
        yield warning(f"{path}.disablePodIMDS", "pods-reach-imds", message)


def _judge_order(path: str, low: int, desired: int, high: int) -> Iterator[Finding]:
    if low > high:
        yield error(
            f"{path}.min",
            "sizes-out-of-order",
            "The minimum, {low}, is greater than the maximum, {high}.",
            low=low,
            high=high,
        )
    elif desired < low:
        yield error(
            f"{path}.desired",
            "sizes-out-of-order",
            "{desired} is less than the minimum, {low}.",
            desired=desired,
            low=low,
        )
    elif desired > high:
        yield error(
            f"{path}.desired",
            "sizes-out-of-order",
            "{desired} is greater than the maximum, {high}.",
            desired=desired,
            high=high,
        )


def _judge_instances(path: str, group: NodegroupSpec) -> Iterator[Finding]:
    for index, name in enumerate(group.instance_types):
        here = f"{path}.instanceTypes[{index}]"
        if not INSTANCE_TYPE.fullmatch(name):
            yield error(
                here, "invalid-instance-type", "{name} is no instance type: they look like t3.medium.", name=f"{name!r}"
            )
        elif ami_type(name) != group.ami_type:
            message = Sentence(
                "{name} needs another image than {name2}: one group, one processor architecture.",
                name=name,
                name2=group.instance_types[0],
            )
            yield error(here, "mixed-architectures", message)
    if len(set(group.instance_types)) < len(group.instance_types):
        yield error(f"{path}.instanceTypes", "duplicate", "An instance type is listed twice.")


def _judge_labels(path: str, group: NodegroupSpec) -> Iterator[Finding]:
    for key, value in group.labels.items():
        here = child(f"{path}.labels", key)
        yield from _judge_key(here, key)
        if not LABEL_PART.fullmatch(value):
            message = Sentence(
                "A label's value has 1 to 63 letters, digits, dashes, underscores and dots, letters or "
                "digits at its ends."
            )
            yield error(here, "invalid-label", message)
        prefix = key.partition("/")[0] if "/" in key else ""
        reserved = any(prefix == domain or prefix.endswith(f".{domain}") for domain in _RESERVED)
        if reserved and not any(prefix == free or prefix.endswith(f".{free}") for free in _OPEN_PREFIXES):
            yield error(
                here, "reserved", "Labels with the prefix {prefix}/ belong to Kubernetes and EKS.", prefix=prefix
            )


def _judge_taints(path: str, group: NodegroupSpec) -> Iterator[Finding]:
    if len(group.taints) > _MOST_TAINTS:
        yield error(
            f"{path}.taints", "too-many", "A node group has at most {most_taints} taints.", most_taints=_MOST_TAINTS
        )
    seen: set[tuple[str, str]] = set()
    for index, taint in enumerate(group.taints):
        here = f"{path}.taints[{index}]"
        yield from _judge_key(f"{here}.key", taint.key)
        if taint.value and not LABEL_PART.fullmatch(taint.value):
            yield error(f"{here}.value", "invalid-taint", "A taint's value follows the rules of a label's value.")
        if (taint.key, taint.effect) in seen:
            yield error(here, "duplicate", "There is a taint with this key and effect already.")
        seen.add((taint.key, taint.effect))


def _judge_key(path: str, key: str) -> Iterator[Finding]:
    prefix, slash, name = key.rpartition("/")
    fits = LABEL_PART.fullmatch(name) and (not slash or LABEL_PREFIX.fullmatch(prefix))
    if not fits or len(key) > _KEY_LENGTH:
        message = Sentence(
            "Not a Kubernetes key of at most {key_length} characters, such as `team` or `example.com/team`.",
            key_length=_KEY_LENGTH,
        )
        yield error(path, "invalid-key", message)
