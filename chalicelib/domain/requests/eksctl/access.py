"""Reads `accessConfig` and `iam` of an eksctl ClusterConfig: access entries, and roles for pods."""

from __future__ import annotations

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.labs.spec import AccessPolicySpec, AccessSpec, PodIdentitySpec
from chalicelib.domain.requests.eksctl.reader import Reader
from chalicelib.domain.requests.eksctl.unsupported_fields import ACCESS_ENTRY, IAM, POD_IDENTITY

_MODES = ("API", "API_AND_CONFIG_MAP", "CONFIG_MAP")


def read_access(top: Reader) -> tuple[tuple[AccessSpec, ...] | None, bool]:
    """The access entries (None: not given), and whether the requester is an administrator beside them."""
    config = top.section("accessConfig")
    if config is None:
        return None, True
    mode = config.text("authenticationMode")
    if mode is not None and mode not in _MODES:
        config.error(
            "authenticationMode",
            "wrong-value",
            "Expected one of {names}, got {value}.",
            names=", ".join(_MODES),
            value=repr(mode),
        )
    elif mode is not None and mode != "API":
        config.warn(
            "authenticationMode", "not-honoured", "A lab always uses API: access entries, no aws-auth ConfigMap."
        )
    creator = config.flag("bootstrapClusterCreatorAdminPermissions")
    items = config.sections("accessEntries", "access")
    config.close()
    entries: list[AccessSpec] = []
    for item in items or ():
        entry = _read_entry(item, f"access[{len(entries)}]")
        entries += [entry] if entry else []
    nothing_said = items is None and creator is not False
    return (None if nothing_said else tuple(entries)), creator is not False


def _read_entry(item: Reader, ours: str) -> AccessSpec | None:
    item.notes.paths[ours] = item.path
    arn = item.required("principalARN", f"{ours}.principalArn")
    groups = item.texts("kubernetesGroups", f"{ours}.groups") or ()
    kind = item.text("type", f"{ours}.type") or "STANDARD"
    policies = item.sections("accessPolicies", f"{ours}.policies") or ()
    item.close(ACCESS_ENTRY)
    read: list[AccessPolicySpec] = []
    for each in policies:
        policy = _read_policy(each, f"{ours}.policies[{len(read)}]")
        read += [policy] if policy else []
    return AccessSpec(arn, tuple(read), groups, kind) if arn else None


def _read_policy(item: Reader, ours: str) -> AccessPolicySpec | None:
    arn = item.required("policyARN", f"{ours}.policyArn")
    scope = item.section("accessScope")
    namespaces: tuple[str, ...] = ()
    if scope is None:
        if not item.has("accessScope"):
            item.error("accessScope", "missing", "Say `type: cluster`, or `type: namespace` with namespaces.")
    else:
        namespaces = _read_scope(scope, ours)
    item.close()
    return AccessPolicySpec(arn, namespaces) if arn else None


def _read_scope(scope: Reader, ours: str) -> tuple[str, ...]:
    kind = scope.text("type")
    namespaces = scope.texts("namespaces", f"{ours}.namespaces") or ()
    scope.close()
    if kind not in ("cluster", "namespace"):
        scope.error("type", "wrong-value", "Expected `cluster` or `namespace`, got {value}.", value=repr(kind))
    elif kind == "namespace" and not namespaces:
        scope.error("namespaces", "missing", "With `type: namespace`, name at least one namespace.")
    elif kind == "cluster" and namespaces:
        scope.error("namespaces", "wrong-value", "With `type: cluster`, leave the namespaces out.")
    return namespaces


def read_iam(top: Reader) -> tuple[PodIdentitySpec, ...]:
    """The requested Pod Identity associations."""
    iam = top.section("iam")
    if iam is None:
        return ()
    items = iam.sections("podIdentityAssociations", "podIdentities") or ()
    iam.close(IAM)
    read: list[PodIdentitySpec] = []
    for item in items:
        association = _read_association(item, f"podIdentities[{len(read)}]")
        read += [association] if association else []
    return tuple(read)


def _read_association(item: Reader, ours: str) -> PodIdentitySpec | None:
    item.notes.paths[ours] = item.path
    namespace = item.required("namespace", f"{ours}.namespace")
    account = item.required("serviceAccountName", f"{ours}.serviceAccount")
    needed = Sentence("Name a role that exists, under the path /ekslab/: a lab makes none for your pods.")
    role = item.required("roleARN", f"{ours}.roleArn", needed)
    item.close(POD_IDENTITY)
    return PodIdentitySpec(namespace, account, role) if namespace and account and role else None
