"""`kubectl auth whoami` and `kubectl auth can-i`: the token's user, and whether its policies allow an action.

The user's fields are those that EKS' authenticator gives (aws-iam-authenticator: groups, uid, and `extra` with the ARN, the
canonical ARN, the session's name, the principal's id and the access key).
"""

from __future__ import annotations

from typing import Any

from emulator.eks.access.authorization import may
from emulator.eks.kubernetes.kinds import KINDS
from emulator.eks.kubernetes.wire.tokens import Login
from emulator.eks.state.state import Cluster


def user_info(cluster: Cluster, login: Login) -> dict[str, Any]:
    """The user as the API server describes it."""
    entry = cluster.access_entries.get(login.principal)
    groups = list(entry.described.get("kubernetesGroups", [])) if entry else []
    extra = {
        "accessKeyId": [login.access_key],
        "arn": [login.arn],
        "canonicalArn": [login.principal],
        "principalId": [login.user_id.partition(":")[0]],
        "sessionName": [login.session],
    }
    return {
        "username": username(cluster, login),
        "uid": f"aws-iam-authenticator:{cluster.account}:{login.user_id.partition(':')[0]}",
        "groups": [*groups, "system:authenticated"],
        "extra": extra,
    }


def username(cluster: Cluster, login: Login) -> str:
    """The user's name: what the access entry says, with the session's name in it."""
    entry = cluster.access_entries.get(login.principal)
    template = str(entry.described.get("username", login.principal)) if entry else login.arn
    return template.replace("{{SessionName}}", login.session)


def review(cluster: Cluster, login: Login, path: str, given: dict[str, Any]) -> dict[str, Any] | None:
    """The answer to a posted review; None if the path is not a review."""
    match path:
        case "/apis/authentication.k8s.io/v1/selfsubjectreviews":
            named = {"kind": "SelfSubjectReview", "apiVersion": "authentication.k8s.io/v1", "metadata": {}}
            return {**named, "status": {"userInfo": user_info(cluster, login)}}
        case "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
            asked = given.get("spec", {}).get("resourceAttributes", {})
            kind = KINDS.get(asked.get("resource", ""))
            allowed = may(
                cluster, login.principal, asked.get("verb", ""), kind.plural if kind else None, asked.get("namespace")
            )
            named = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}}
            return {**named, "spec": given.get("spec", {}), "status": {"allowed": allowed}}
    return None
