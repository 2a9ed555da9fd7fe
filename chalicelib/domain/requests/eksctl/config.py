"""Translates an eksctl ClusterConfig v1alpha5 into a Draft: the top level, metadata and the short sections.

Every field of the document is honoured, warned about or refused by its own path; none is dropped silently, because
each mapping is read through a Reader that reports its unread fields when it closes. Called by api/inputs/lab_request.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding
from chalicelib.domain.labs.spec import SupportPolicy
from chalicelib.domain.requests.draft import Draft
from chalicelib.domain.requests.eksctl import unsupported_fields
from chalicelib.domain.requests.eksctl.access import read_access, read_iam
from chalicelib.domain.requests.eksctl.addons import read_addons
from chalicelib.domain.requests.eksctl.network import read_endpoint, read_network
from chalicelib.domain.requests.eksctl.nodegroups import read_nodegroups
from chalicelib.domain.requests.eksctl.reader import Notes, Reader

API_VERSION = "eksctl.io/v1alpha5"
#: The logs that EKS writes.
LOG_TYPES = ("api", "audit", "authenticator", "controllerManager", "scheduler")


def is_cluster_config(document: Mapping[str, object]) -> bool:
    """Whether a body is an eksctl ClusterConfig: our own bodies have none of these fields."""
    return not document.keys().isdisjoint({"apiVersion", "kind", "metadata"})


def read_cluster_config(document: Mapping[str, object]) -> tuple[Draft, tuple[Finding, ...]]:
    """Translate a whole ClusterConfig; findings carry its own paths."""
    notes = Notes()
    top = Reader(document, "", notes)
    _read_kind(top)
    name, region, version, tags = _read_metadata(top)
    vpc = top.section("vpc")
    network = read_network(top, vpc)
    access, allowed = read_endpoint(vpc, notes)
    nodegroups, ssh = read_nodegroups(top)
    addons = read_addons(top)
    entries, requester_too = read_access(top)
    draft = Draft(
        name=name,
        region=region,
        version=version,
        network=network,
        endpoint_access=access,
        allowed_cidrs=allowed,
        nodegroups=nodegroups,
        ssh=ssh,
        addons=addons,
        default_addons=_read_default_addons(top),
        access=entries,
        requester_too=requester_too,
        pod_identities=read_iam(top),
        log_types=_read_logging(top),
        tags=tags,
        support_policy=_read_upgrade_policy(top),
    )
    _read_kubernetes_network(top)
    top.close(unsupported_fields.CLUSTER)
    return replace(draft, paths=dict(notes.paths), broken=frozenset(notes.broken)), tuple(notes.findings)


def _read_kind(top: Reader) -> None:
    if top.text("apiVersion") != API_VERSION:
        top.error("apiVersion", "wrong-value", "Only {name} is understood.", name=API_VERSION)
    if top.text("kind") != "ClusterConfig":
        top.error("kind", "wrong-value", "Only ClusterConfig is understood.")


def _read_metadata(top: Reader) -> tuple[str | None, str | None, str | None, dict[str, str]]:
    top.notes.paths.update({field: f"metadata.{field}" for field in ("name", "region", "version", "tags")})
    metadata = top.section("metadata")
    if metadata is None:
        return None, None, None, {}
    fields = metadata.text("name"), metadata.text("region"), read_version(metadata), metadata.text_map("tags")
    metadata.close(unsupported_fields.METADATA)
    return fields


def read_version(metadata: Reader) -> str | None:
    """The Kubernetes version, as text: an unquoted 1.30 is the number 1.3, so numbers are refused."""
    value = metadata.raw("version")
    if isinstance(value, float | int) and not isinstance(value, bool):
        metadata.error("version", "wrong-type", unquoted_version(value))
        metadata.notes.broken.add(metadata.at("version"))
        return None
    return metadata.text("version")


def unquoted_version(value: float) -> str:
    """The sentence for a version that was written as a number."""
    return Sentence(
        'Expected a text, got the number {value}. Put the version in quotes: unquoted, "1.30" reads as 1.3.',
        value=value,
    )


def _read_logging(top: Reader) -> tuple[str, ...]:
    cloudwatch = top.section("cloudWatch")
    logging = cloudwatch.section("clusterLogging") if cloudwatch else None
    types = (logging.texts("enableTypes", "logTypes") if logging else None) or ()
    for section, rules in ((logging, unsupported_fields.LOGGING), (cloudwatch, {})):
        if section:
            section.close(rules)
    return LOG_TYPES if {"*", "all"} & set(types) else types


def _read_upgrade_policy(top: Reader) -> SupportPolicy | None:
    policy = top.section("upgradePolicy")
    if policy is None:
        return None
    kind = policy.text("supportType", "supportPolicy")
    if kind is not None and kind not in tuple(SupportPolicy):
        policy.error("supportType", "wrong-value", "Expected STANDARD or EXTENDED, got {value}.", value=repr(kind))
        kind = None
    policy.close()
    return SupportPolicy(kind) if kind else None


def _read_default_addons(top: Reader) -> bool:
    config = top.section("addonsConfig")
    if config is None:
        return True
    disabled = config.flag("disableDefaultAddons")
    config.close(unsupported_fields.ADDONS_CONFIG)
    return not disabled


def _read_kubernetes_network(top: Reader) -> None:
    network = top.section("kubernetesNetworkConfig")
    if network:
        network.close(unsupported_fields.KUBERNETES_NETWORK)
