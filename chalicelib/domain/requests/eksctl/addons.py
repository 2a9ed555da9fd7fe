"""Reads `addons` of an eksctl ClusterConfig. Add-ons get permissions from the lab's own stack only, never from the file."""

from __future__ import annotations

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.labs.spec import AddonSpec
from chalicelib.domain.requests.eksctl.reader import Reader
from chalicelib.domain.requests.eksctl.unsupported_fields import ADDON

#: Policies that the lab grants these add-ons anyway, and where.
_GIVEN_ANYWAY = {
    ("vpc-cni", "AmazonEKS_CNI_Policy"): Sentence("The add-on gets a role of its own by Pod Identity."),
    ("aws-ebs-csi-driver", "AmazonEBSCSIDriverPolicy"): Sentence("The add-on gets a role with it by Pod Identity."),
    ("aws-ebs-csi-driver", "AmazonEBSCSIDriverPolicyV2"): Sentence(
        "The add-on gets a role of its own by Pod Identity."
    ),
}
#: wellKnownPolicies that an add-on's own role replaces.
_WELL_KNOWN = {"aws-ebs-csi-driver": "ebsCSIController", "external-dns": "externalDNS"}
_ALL_WELL_KNOWN = (
    "autoScaler",
    "awsLoadBalancerController",
    "certManager",
    "ebsCSIController",
    "efsCSIController",
    "externalDNS",
    "imageBuilder",
)


def read_addons(top: Reader) -> tuple[AddonSpec, ...]:
    """The listed add-ons, in their order."""
    addons: list[AddonSpec] = []
    for item in top.sections("addons", "addons") or ():
        addon = _read_addon(item, f"addons[{len(addons)}]")
        addons += [addon] if addon else []
    return tuple(addons)


def _read_addon(item: Reader, ours: str) -> AddonSpec | None:
    item.notes.paths[ours] = item.path
    name = item.required("name", f"{ours}.name", Sentence("An add-on needs a name."))
    version = _read_version(item)
    configuration = item.text("configurationValues", f"{ours}.configuration")
    tags = item.text_map("tags", f"{ours}.tags")
    _read_policies(item, name or "")
    item.close(ADDON)
    return None if name is None else AddonSpec(name, version, configuration or None, tags)


def _read_version(item: Reader) -> str | None:
    version = item.text("version")
    return None if version in (None, "", "default") else version


def _read_policies(item: Reader, name: str) -> None:
    for index, arn in enumerate(item.texts("attachPolicyARNs") or ()):
        given = _GIVEN_ANYWAY.get((name, arn.rsplit("/", 1)[-1])) if arn.startswith("arn:aws") else None
        if given:
            item.warn("attachPolicyARNs", "not-needed", given, index)
        else:
            message = Sentence("A lab gives add-ons no rights that you name. Leave it out.")
            item.error("attachPolicyARNs", "not-supported", message, index)
    well_known = item.section("wellKnownPolicies")
    if well_known is None:
        return
    for policy in _ALL_WELL_KNOWN:
        if well_known.flag(policy) and _WELL_KNOWN.get(name) != policy:
            well_known.error(
                policy,
                "not-supported",
                "The add-on {name} gets no such rights in a lab. Leave it out.",
                name=name or "?",
            )
    well_known.close()
