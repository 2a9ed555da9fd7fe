"""Reads `managedNodeGroups` and `nodeGroups` of an eksctl ClusterConfig; the unmanaged ones become managed, with a warning.

Where eksctl has a rule for what is left out of a size (minimum and maximum follow the desired capacity), it is kept;
instance type and volume size, left out, are a lab's own defaults (t3.medium, 30 GiB), not eksctl's m5.large and 80 GiB.
"""

from __future__ import annotations

from chalicelib.domain.labs.spec import CapacityType, Placement
from chalicelib.domain.requests.draft import NodegroupDraft, SshDraft
from chalicelib.domain.requests.eksctl.eksctl_nodegroups_unhonoured import (
    ADDON_POLICIES,
    MANAGED,
    NODE_IAM,
    SECURITY_GROUPS,
    SPOT,
    UNMANAGED,
)
from chalicelib.domain.requests.eksctl.eksctl_ssh import LabSsh
from chalicelib.domain.requests.eksctl.eksctl_taints import read_taints
from chalicelib.domain.requests.eksctl.reader import Reader

_NODE_POLICIES = frozenset(
    {
        "AmazonEKSWorkerNodePolicy",
        "AmazonEKS_CNI_Policy",
        "AmazonEC2ContainerRegistryPullOnly",
        "AmazonEC2ContainerRegistryReadOnly",
        "AmazonSSMManagedInstanceCore",
    }
)


def read_nodegroups(top: Reader) -> tuple[tuple[NodegroupDraft, ...], SshDraft | None]:
    """All node groups, managed ones first, and the ssh access that they ask for together."""
    ssh, groups = LabSsh(), list[NodegroupDraft]()
    managed = top.sections("managedNodeGroups", "nodegroups") or ()
    unmanaged = top.sections("nodeGroups") or ()
    if unmanaged and not managed:
        top.notes.paths["nodegroups"] = "nodeGroups"
    if unmanaged:
        top.warn("nodeGroups", "made-managed", "Unmanaged node groups are made as managed ones: EKS joins their nodes.")
    for item, is_managed in [*((each, True) for each in managed), *((each, False) for each in unmanaged)]:
        groups.append(_read_nodegroup(item, f"nodegroups[{len(groups)}]", is_managed, ssh))
    return tuple(groups), ssh.draft


def _read_nodegroup(item: Reader, ours: str, managed: bool, ssh: LabSsh) -> NodegroupDraft:
    item.notes.paths[ours] = item.path
    types, capacity = _read_instances(item, ours, managed)
    desired, smallest, largest = _read_sizes(item, ours)
    private = item.flag("privateNetworking", f"{ours}.placement")
    _read_image(item)
    ssh.read(item)
    _read_rights(item)
    _read_security_groups(item)
    group = NodegroupDraft(
        name=_read_name(item, ours),
        instance_types=types,
        desired=desired,
        min=smallest,
        max=largest,
        volume_gib=item.whole("volumeSize", f"{ours}.volumeGib"),
        capacity_type=capacity,
        placement=None if private is None else Placement.PRIVATE if private else Placement.PUBLIC,
        labels=item.text_map("labels", f"{ours}.labels"),
        taints=read_taints(item, ours, managed),
        tags=item.text_map("tags", f"{ours}.tags"),
    )
    item.close(MANAGED if managed else UNMANAGED)
    return group


def _read_name(item: Reader, ours: str) -> str | None:
    name = item.text("name", f"{ours}.name")
    if name is None and not item.has("name") and item.path not in item.notes.broken:
        item.error("name", "missing", "A node group needs a name.")
    return name


def _read_sizes(item: Reader, ours: str) -> tuple[int | None, int | None, int | None]:
    desired = item.whole("desiredCapacity", f"{ours}.desired")
    smallest, largest = item.whole("minSize", f"{ours}.min"), item.whole("maxSize", f"{ours}.max")
    if desired is None and smallest is None and largest is None:
        return 2, 2, 2
    wanted = next(size for size in (desired, smallest, largest) if size is not None)
    return wanted, wanted if smallest is None else smallest, wanted if largest is None else largest


def _read_instances(item: Reader, ours: str, managed: bool) -> tuple[tuple[str, ...], CapacityType | None]:
    single = item.text("instanceType", f"{ours}.instanceTypes[0]" if item.has("instanceType") else "")
    if managed:
        several = item.texts("instanceTypes", f"{ours}.instanceTypes") if item.has("instanceTypes") else None
        item.raw("instanceTypes")
        if single and several:
            item.error("instanceTypes", "wrong-value", "Give instanceType or instanceTypes, not both.")
        spot = item.flag("spot", f"{ours}.capacityType")
        types, capacity = several or ((single,) if single else ()), CapacityType.SPOT if spot else None
    else:
        types, capacity = _read_distribution(item, ours, single)
    if not types and not item.has("instanceSelector"):
        item.warn("instanceType", "other-default", "Left out, it is a lab's t3.medium, not eksctl's m5.large.")
    return types, capacity


def _read_distribution(item: Reader, ours: str, single: str | None) -> tuple[tuple[str, ...], CapacityType | None]:
    """Spot for any share of spot: a managed node group can't be a mixture."""
    distribution = item.section("instancesDistribution", f"{ours}.capacityType")
    if distribution is None:
        return ((single,) if single else ()), None
    types = distribution.texts("instanceTypes", f"{ours}.instanceTypes") or ()
    share = distribution.whole("onDemandPercentageAboveBaseCapacity")
    on_demand = share is None or share >= 100
    if share and not on_demand:
        message = f"A managed node group is all spot or all on-demand: this one is all spot, not {share} % on-demand."
        distribution.warn("onDemandPercentageAboveBaseCapacity", "not-honoured", message)
    if on_demand:
        distribution.warn("", "not-honoured", "With 100 % on-demand, as by default, the group is all on-demand.")
    distribution.close(SPOT)
    if single and single != "mixed":
        item.warn("instanceType", "not-honoured", "The types of instancesDistribution are taken instead.")
    return types, CapacityType.ON_DEMAND if on_demand else CapacityType.SPOT


def _read_image(item: Reader) -> None:
    family = item.text("amiFamily")
    if family not in (None, "AmazonLinux2023"):
        item.error("amiFamily", "not-supported", "Only AmazonLinux2023 is supported: leave it out, or write that.")


def _read_security_groups(item: Reader) -> None:
    groups = item.section("securityGroups")
    if groups:
        groups.close(SECURITY_GROUPS)


def _read_rights(item: Reader) -> None:
    iam = item.section("iam")
    if iam is None:
        return
    for index, arn in enumerate(iam.texts("attachPolicyARNs") or ()):
        if arn.startswith("arn:aws") and arn.rsplit("/", 1)[-1] in _NODE_POLICIES:
            iam.warn("attachPolicyARNs", "not-needed", "The node role has what it gives.", index)
        else:
            message = "The node role gets no rights that you name: every pod on the node would have them. Leave it out."
            iam.error("attachPolicyARNs", "not-supported", message, index)
    policies = iam.section("withAddonPolicies")
    if policies:
        policies.close(ADDON_POLICIES)
    iam.close(NODE_IAM)
