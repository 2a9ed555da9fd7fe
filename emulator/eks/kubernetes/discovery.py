"""Discovery: groups, versions and resources, and their support of patches and validation.

Source: Kubernetes documentation, "The Kubernetes API" (discovery, OpenAPI v3). kubectl takes the unaggregated form of discovery
and, of the OpenAPI documents, reads whether the server validates fields (`fieldValidation`), and what `kubectl explain` shows: each
kind's fields, without those inside `spec`, whose texts are Kubernetes' own.
"""

from __future__ import annotations

import hashlib
from typing import Any

from emulator.eks.kubernetes.answers import no_such_path
from emulator.eks.kubernetes.kinds import KINDS, Kind

_OF_A_POD = {"singularName": "", "namespaced": True}
_PARTS = (
    ("log", "Pod", ["get"]),
    ("exec", "PodExecOptions", ["create", "get"]),
    ("attach", "PodAttachOptions", ["create", "get"]),
    ("portforward", "PodPortForwardOptions", ["create", "get"]),
)
_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_REVIEWS = {
    "authentication.k8s.io/v1": [("selfsubjectreviews", "SelfSubjectReview")],
    "authorization.k8s.io/v1": [("selfsubjectaccessreviews", "SelfSubjectAccessReview")],
}
_REFERENCE = "https://kubernetes.io/docs/reference/kubernetes-api/"
_VALIDATED = ("fieldManager", "fieldValidation", "dryRun", "force")


def discover(path: str) -> dict[str, Any] | None:
    """The answer to a discovery path, None for another path."""
    parts = path.strip("/").split("/")
    match parts:
        case ["api"]:
            addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1:443"}]
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}
        case ["apis"]:
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in _groups()]}
        case ["api", "v1"]:
            return _resources("v1")
        case ["apis", group]:
            return {"kind": "APIGroup", "apiVersion": "v1", **_known_group(group)}
        case ["apis", group, version] if f"{group}/{version}" in _versions():
            return _resources(f"{group}/{version}")
        case ["openapi", "v3"]:
            return {"paths": {_place(each): {"serverRelativeURL": _address(each)} for each in _versions()}}
        case ["openapi", "v3", *rest] if "/".join(rest) in {_place(each) for each in _versions()}:
            return _openapi("/".join(rest))
    return None


def _versions() -> list[str]:
    return [*dict.fromkeys(kind.api_version for kind in KINDS.values()), *_REVIEWS]


def _groups() -> list[str]:
    return [*dict.fromkeys(each.rpartition("/")[0] for each in _versions() if "/" in each)]


def _group(name: str) -> dict[str, Any]:
    versions = [
        {"groupVersion": each, "version": each.rpartition("/")[2]}
        for each in _versions()
        if each.rpartition("/")[0] == name
    ]
    return {"name": name, "versions": versions, "preferredVersion": versions[0]}


def _known_group(name: str) -> dict[str, Any]:
    if name not in _groups():
        raise no_such_path()
    return _group(name)


def _resources(api_version: str) -> dict[str, Any]:
    found = []
    for kind in (each for each in KINDS.values() if each.api_version == api_version):
        found.append(_resource(kind))
        parts: list[tuple[str, str, dict[str, str]]] = [("status", kind.kind, {})]
        if kind.scalable:
            parts.append(("scale", "Scale", {"group": "autoscaling", "version": "v1"}))
        if kind.plural == "pods":
            found += [
                {**_OF_A_POD, "name": f"pods/{part}", "kind": shown, "verbs": verbs} for part, shown, verbs in _PARTS
            ]
        found += [
            {"name": f"{kind.plural}/{part}", "singularName": "", "namespaced": kind.namespaced, **where}
            | {"kind": shown, "verbs": ["get", "patch", "update"]}
            for part, shown, where in parts
        ]
    for plural, shown in _REVIEWS.get(api_version, []):
        found.append({"name": plural, "singularName": shown.lower(), "namespaced": False, "kind": shown})
        found[-1]["verbs"] = ["create"]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": api_version, "resources": found}


def _resource(kind: Kind) -> dict[str, Any]:
    more: dict[str, Any] = {"shortNames": list(kind.short)} if kind.short else {}
    if kind.in_all:
        more["categories"] = ["all"]
    described = {"name": kind.plural, "singularName": kind.kind.lower(), "namespaced": kind.namespaced}
    return {**described, "kind": kind.kind, "verbs": _VERBS, **more}


def _place(api_version: str) -> str:
    return f"apis/{api_version}" if "/" in api_version else f"api/{api_version}"


def _address(api_version: str) -> str:
    digest = hashlib.sha256(api_version.encode()).hexdigest()[:32].upper()
    return f"/openapi/v3/{_place(api_version)}?hash={digest}"


def _openapi(place: str) -> dict[str, Any]:
    paths = {}
    for kind in KINDS.values():
        if _place(kind.api_version) == place:
            inside = "/namespaces/{namespace}" if kind.namespaced else ""
            names = {"group": kind.group, "version": kind.version, "kind": kind.kind}
            parameters = [{"name": name, "in": "query", "schema": {"type": "string"}} for name in _VALIDATED]
            operation = {"parameters": parameters, "x-kubernetes-action": "patch", "responses": {}}
            operation |= {"x-kubernetes-group-version-kind": names, "requestBody": {"content": {}}}
            paths[f"/{place}{inside}/{kind.plural}/{{name}}"] = {"patch": operation}
    schemas = {_schema_name(kind): _schema(kind) for kind in KINDS.values() if _place(kind.api_version) == place}
    document = {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1"}, "paths": paths}
    return {**document, "components": {"schemas": schemas}}


def _schema_name(kind: Kind) -> str:
    return f"io.k8s.api.{kind.group.partition('.')[0] or 'core'}.{kind.version}.{kind.kind}"


def _schema(kind: Kind) -> dict[str, Any]:
    names = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    properties = {
        "apiVersion": _field("string", f"The group and version of this object: {kind.api_version}."),
        "kind": _field("string", f"The kind of this object: {kind.kind}."),
        "metadata": _field("object", "Its name, namespace, labels and annotations."),
        **_body_of(kind),
    }
    described = f"This sandbox has no more of {kind.kind}; its fields are explained at {_REFERENCE}"
    return {**_field("object", described), "properties": properties, "x-kubernetes-group-version-kind": [names]}


def _body_of(kind: Kind) -> dict[str, Any]:
    match kind.plural:
        case "configmaps" | "secrets":
            return {"data": _field("object", "Keys and values.")}
        case "events":
            return {name: _field("string", f"The event's {name}.") for name in ("reason", "message", "type")}
    return {
        "spec": _field("object", "What is wanted of it."),
        "status": _field("object", "How it is; controllers write it."),
    }


def _field(kind: str, description: str) -> dict[str, Any]:
    return {"type": kind, "description": description}
