"""Reads `managedNodeGroups` and `nodeGroups` of an eksctl ClusterConfig; the unmanaged ones become managed, with a warning.

eksctl's rule for omitted sizes is kept (minimum and maximum follow the desired capacity). An omitted
instance type or volume size is a lab's own default (t3.medium, 30 GiB), not eksctl's m5.large and 80 GiB.
"""

from __future__ import annotations

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.labs.spec import CapacityType, Placement, Taint
from chalicelib.domain.requests.draft import NodegroupDraft, SshDraft
from chalicelib.domain.requests.eksctl import unsupported_fields
from chalicelib.domain.requests.eksctl.reader import Reader, as_mapping, in_words

_NODE_POLICIES = frozenset(
    {
        "AmazonEKSWorkerNodePolicy",
        "AmazonEC2ContainerRegistryPullOnly",
        "AmazonEC2ContainerRegistryReadOnly",
        "AmazonSSMManagedInstanceCore",
    }
)
_CNI_POLICY = "AmazonEKS_CNI_Policy"
_NO_KEY = Sentence(
    "eksctl would read ~/.ssh/id_rsa.pub on your machine: put the key's text in ssh.publicKey, or an "
    "EC2 key name in ssh.publicKeyName."
)
_WHERE = Sentence("Port 22 is opened to your address only, not to the world, and on every node of the lab.")
#: Kubernetes' spelling -> EKS's.
EFFECTS = {"NoSchedule": "NO_SCHEDULE", "NoExecute": "NO_EXECUTE", "PreferNoSchedule": "PREFER_NO_SCHEDULE"}


def read_nodegroups(top: Reader) -> tuple[tuple[NodegroupDraft, ...], SshDraft | None]:
    """All node groups, managed ones first, and the SSH access that they request together."""
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
        name=item.required("name", f"{ours}.name", Sentence("A node group needs a name.")),
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
        disable_pod_imds=item.flag("disablePodIMDS", f"{ours}.disablePodIMDS"),
    )
    item.close(unsupported_fields.MANAGED if managed else unsupported_fields.UNMANAGED)
    return group


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
    """Spot for any share of Spot: a managed node group can't be a mixture."""
    distribution = item.section("instancesDistribution", f"{ours}.capacityType")
    if distribution is None:
        return ((single,) if single else ()), None
    types = distribution.texts("instanceTypes", f"{ours}.instanceTypes") or ()
    share = distribution.whole("onDemandPercentageAboveBaseCapacity")
    on_demand = share is None or share >= 100
    if share and not on_demand:
        message = Sentence(
            "A managed node group is all spot or all on-demand: this one is all spot, not {share} % on-demand.",
            share=share,
        )
        distribution.warn("onDemandPercentageAboveBaseCapacity", "not-honoured", message)
    if on_demand:
        distribution.warn("", "not-honoured", "With 100 % on-demand, as by default, the group is all on-demand.")
    distribution.close(unsupported_fields.SPOT)
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
        groups.close(unsupported_fields.SECURITY_GROUPS)


def _read_rights(item: Reader) -> None:
    iam = item.section("iam")
    if iam is None:
        return
    for index, arn in enumerate(iam.texts("attachPolicyARNs") or ()):
        name = arn.rsplit("/", 1)[-1] if arn.startswith("arn:aws") else ""
        if name in _NODE_POLICIES:
            iam.warn("attachPolicyARNs", "not-needed", "The node role has what it gives.", index)
        elif name == _CNI_POLICY:
            message = Sentence("Not put on the node role: the add-on vpc-cni gets a role of its own by Pod Identity.")
            iam.warn("attachPolicyARNs", "not-needed", message, index)
        else:
            message = Sentence(
                "The node role gets no rights that you name: every pod on the node would have them. Leave it out."
            )
            iam.error("attachPolicyARNs", "not-supported", message, index)
    policies = iam.section("withAddonPolicies")
    if policies:
        policies.close(unsupported_fields.ADDON_POLICIES)
    iam.close(unsupported_fields.NODE_IAM)


@dataclass
class LabSsh:
    """The SSH access gathered so far, and the path of the section that requested it."""

    draft: SshDraft | None = None
    asked_at: str = ""

    def read(self, item: Reader) -> None:
        """Read one node group's ssh section."""
        ssh = item.section("ssh")
        if ssh is None:
            return
        allow, key_name, public_key = ssh.flag("allow"), ssh.text("publicKeyName"), ssh.text("publicKey")
        has_path = ssh.has("publicKeyPath")
        ssh.flag("enableSsm")  # Always on: every node role has AmazonSSMManagedInstanceCore.
        ssh.close(unsupported_fields.SSH)
        if allow is False:
            self._ignored(ssh, key_name, public_key)
        elif key_name or public_key:
            self._ask(ssh, SshDraft(key_name, public_key))
        elif allow and not has_path:
            ssh.error("allow", "missing-key", _NO_KEY)

    def _ignored(self, ssh: Reader, key_name: str | None, public_key: str | None) -> None:
        for key, value in (("publicKeyName", key_name), ("publicKey", public_key)):
            if value:
                ssh.warn(key, "not-honoured", "With `allow: false` the key is not put on the nodes, as with eksctl.")

    def _ask(self, ssh: Reader, asked: SshDraft) -> None:
        used = "publicKeyName" if asked.key_name else "publicKey"
        if self.draft is not None and self.draft != asked:
            ssh.error(
                used,
                "one-key",
                "A lab has one ssh key for all its nodes: {field} asks for another.",
                field=self.asked_at,
            )
            return
        if self.draft is None:
            self.draft, self.asked_at = asked, ssh.at(used)
            paths = {"ssh": "", "ssh.keyName": "publicKeyName", "ssh.publicKey": "publicKey", "ssh.cidrs": "allow"}
            ssh.notes.paths.update({ours: ssh.at(theirs) for ours, theirs in paths.items()})
        ssh.warn("allow", "narrowed", _WHERE)


def read_taints(item: Reader, ours: str, managed: bool) -> tuple[Taint, ...]:
    """The taints, effects in EKS's spelling."""
    if not managed and as_mapping(item.raw("taints")) is not None:
        return _from_mapping(item, ours)
    taints: list[Taint] = []
    for entry in item.sections("taints", f"{ours}.taints") or ():
        taint = _read_taint(entry, f"{ours}.taints[{len(taints)}]")
        taints += [taint] if taint else []
    return tuple(taints)


def _read_taint(entry: Reader, ours: str) -> Taint | None:
    entry.notes.paths[ours] = entry.path
    key, value = entry.text("key", f"{ours}.key"), entry.text("value", f"{ours}.value")
    effect = entry.text("effect", f"{ours}.effect")
    entry.close()
    if entry.path in entry.notes.broken:
        return None
    if key is None and not entry.has("key"):
        entry.error("key", "missing", "A taint needs a key.")
    if effect not in EFFECTS and entry.at("effect") not in entry.notes.broken:
        entry.error(
            "effect",
            "wrong-value",
            "Expected one of {names}, got {value}.",
            names=", ".join(EFFECTS),
            value=in_words(effect),
        )
    return Taint(key, value or "", EFFECTS[effect]) if key and effect in EFFECTS else None


def _from_mapping(item: Reader, ours: str) -> tuple[Taint, ...]:
    mapping = item.section("taints", f"{ours}.taints")
    taints: list[Taint] = []
    for key in mapping.names() if mapping else ():
        text = mapping.text(key, f"{ours}.taints[{len(taints)}]") if mapping else None
        value, _, effect = (text or "").rpartition(":")
        if effect in EFFECTS:
            taints.append(Taint(key, value, EFFECTS[effect]))
        elif mapping and text is not None:
            mapping.error(
                key, "wrong-value", 'Expected "value:Effect", Effect one of {names}.', names=", ".join(EFFECTS)
            )
    return tuple(taints)
