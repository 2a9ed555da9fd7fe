"""The Kubernetes REST API: public paths, authorization, and the verbs on the objects of a kind."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulator.eks.access.authorization import may
from emulator.eks.kubernetes.answers import (
    Refused,
    Reply,
    Request,
    exists,
    forbidden,
    forbidden_path,
    no_such_path,
    not_found,
)
from emulator.eks.kubernetes.discovery import discover
from emulator.eks.kubernetes.kinds import KINDS, Kind
from emulator.eks.kubernetes.objects import Object, Objects, Stored
from emulator.eks.kubernetes.patches import patched
from emulator.eks.kubernetes.reviews import review, username
from emulator.eks.kubernetes.selectors import selected
from emulator.eks.kubernetes.tables import table
from emulator.eks.kubernetes.watches import watch
from emulator.eks.kubernetes.wire.tokens import Login
from emulator.eks.kubernetes.workloads import settle
from emulator.eks.state.state import Cluster

ANONYMOUS = "system:anonymous"
Cleanup = Callable[[str, str, str], None]
_PUBLIC = ("/healthz", "/livez", "/readyz")
_IN_A_CONTAINER = ("exec", "attach", "portforward")
_OF_PODS = "|".join(("log", *_IN_A_CONTAINER))
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True, slots=True)
class Place:
    """The subject of a path: a kind, in a namespace or everywhere, one object or all, the whole of it or a part."""

    kind: Kind
    namespace: str | None
    name: str | None
    part: str


@dataclass(frozen=True, slots=True)
class Server:
    """One cluster's API server during one request."""

    cluster: Cluster
    objects: Objects
    git_version: str
    now: datetime
    login: Callable[[str], Login | None]
    cleanup: Cleanup

    def answer(self, request: Request) -> Reply:
        """Answer a request."""
        try:
            return self._public(request) or self._answer(request)
        except Refused as refused:
            return refused.reply()

    def _public(self, request: Request) -> Reply | None:
        if request.bare == "/version":
            _, minor = self.cluster.described["version"].split(".")
            system = {"gitCommit": "", "gitTreeState": "clean", "buildDate": "", "goVersion": "", "compiler": "gc"}
            version = {"major": "1", "minor": minor, "gitVersion": self.git_version, "platform": "linux/amd64"}
            return 200, version | system
        return (200, "ok") if request.bare in _PUBLIC else None

    def _answer(self, request: Request) -> Reply:
        login = self.login(request.token) if request.token else None
        if request.token and login is None:
            raise Refused(401, "Unauthorized")
        place = _place(request.bare)
        if login is None:
            raise _forbidden(request, ANONYMOUS, place)
        if request.method == "POST" and (found := review(self.cluster, login, request.bare, request.document())):
            return 201, found
        if request.method == "GET" and (found := discover(request.bare)):
            return 200, found
        verb = _verb(request, place)
        name = username(self.cluster, login)
        kind, namespace = (place.kind.plural, place.namespace) if place else (None, None)
        if not may(self.cluster, login.principal, verb, kind, namespace):
            raise _forbidden(request, name, place)
        if place is None:
            raise no_such_path()
        settle(self.cluster, self.objects, self.git_version, self.now)
        reply = self._perform(request, verb, place)
        settle(self.cluster, self.objects, self.git_version, self.now)
        return reply

    def _perform(self, request: Request, verb: str, place: Place) -> Reply:
        match verb:
            case "list":
                return 200, self._list(request, place)
            case "watch":
                return 200, watch(self.objects, request, place.kind, place.namespace, self._fresh)
            case "create" if place.name is None:
                return 201, self._create(request, place)
            case "deletecollection":
                return 200, self._delete_all(request, place)
        stored = self.objects.find(place.kind.plural, place.namespace or "", place.name or "")
        if stored is None and request.content_type.startswith("application/apply-patch"):
            return 201, self._create(request, place)
        if stored is None:
            raise not_found(place.kind, place.name or "")
        return 200, self._perform_on(request, verb, place, stored)

    def _perform_on(self, request: Request, verb: str, place: Place, stored: Stored) -> Object | str:
        match verb:
            case "get" if place.part == "log":
                return _log_of(stored.object, request.query("container"))
            case "create" if place.part in _IN_A_CONTAINER:
                raise _no_kubelet(stored.object)
            case "get":
                return self._shown(request, place, stored)
            case "update" | "patch":
                return self._change(request, place, stored)
            case "delete":
                return self._delete(request, place, stored)
        raise Refused(405, "the server does not allow this method on the requested resource")

    def _fresh(self) -> None:
        settle(self.cluster, self.objects, self.git_version, self.now)

    def _list(self, request: Request, place: Place) -> Object:
        wanted = selected(request.query("labelSelector"), request.query("fieldSelector"))
        found = [each for each in self.objects.list(place.kind.plural, place.namespace) if wanted(each)]
        version = str(self.objects.version)
        if request.wants_table:
            return table(place.kind, found, self.now, version)
        listed = {"apiVersion": place.kind.api_version, "kind": f"{place.kind.kind}List"}
        return {**listed, "metadata": {"resourceVersion": version}, "items": found}

    def _shown(self, request: Request, place: Place, stored: Stored) -> Object:
        if place.part == "scale":
            return _scale_of(stored.object)
        return table(place.kind, [stored.object], self.now) if request.wants_table else stored.object

    def _create(self, request: Request, place: Place) -> Object:
        given = request.document()
        metadata = {**(given.get("metadata") or {})}
        if "name" not in metadata and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + secrets.token_hex(3)[:5]
        if not metadata.get("name"):
            raise Refused(422, f'{place.kind.kind} "" is invalid: metadata.name: Required value: name is required')
        if place.kind.namespaced:
            metadata["namespace"] = place.namespace or "default"
            if self.objects.find("namespaces", "", metadata["namespace"]) is None:
                raise not_found(KINDS["namespaces"], metadata["namespace"])
        if self.objects.find(place.kind.plural, metadata.get("namespace", ""), metadata["name"]):
            raise exists(place.kind, metadata["name"])
        made = self._defaulted(place.kind, {**given, "metadata": metadata})
        if request.query("dryRun"):
            return made
        stored = self.objects.put(place.kind.plural, made, [], self.now)
        found = self.objects.find(place.kind.plural, metadata.get("namespace", ""), metadata["name"])
        if found:
            found.by_api = True
        return stored

    def _defaulted(self, kind: Kind, given: Object) -> Object:
        """The defaults of the API server that clients rely on."""
        spec = dict(given.get("spec") or {})
        match kind.plural:
            case "services":
                number = len(self.objects.list("services", None)) + 20
                spec = {"type": "ClusterIP", "clusterIP": f"10.100.{number // 250}.{number % 250 + 1}", **spec}
                return {**given, "spec": spec, "status": {"loadBalancer": {}}}
            case "deployments" | "replicasets" | "statefulsets":
                return {**given, "spec": {"replicas": 1, **spec}}
            case "pods":
                return {**given, "status": {"phase": "Pending"}}
            case "persistentvolumeclaims":
                return {**given, "status": {"phase": "Pending"}}
            case "jobs":
                return {**given, "status": {"active": 1}}
            case "namespaces":
                labels = {"kubernetes.io/metadata.name": given["metadata"]["name"]}
                metadata = {**given["metadata"], "labels": {**given["metadata"].get("labels", {}), **labels}}
                return {
                    **given,
                    "metadata": metadata,
                    "spec": {"finalizers": ["kubernetes"]},
                    "status": {"phase": "Active"},
                }
        return given

    def _change(self, request: Request, place: Place, stored: Stored) -> Object:
        before = _scale_of(stored.object) if place.part == "scale" else stored.object
        given = request.document() if request.method == "PUT" else None
        after = given if given is not None else patched(request.content_type, before, request.body)
        version = (after.get("metadata") or {}).get("resourceVersion")
        if request.method == "PUT" and version and version != stored.object["metadata"]["resourceVersion"]:
            message = (
                f'Operation cannot be fulfilled on {place.kind.plural} "{place.name}": the object has been modified; '
            )
            raise Refused(409, message + "please apply your changes to the latest version and try again")
        if place.part == "scale":
            replicas = int((after.get("spec") or {}).get("replicas", 0))
            after = {**stored.object, "spec": {**stored.object["spec"], "replicas": replicas}}
        elif place.part == "status":
            after = {**stored.object, "status": after.get("status", {})}
        if request.query("dryRun"):
            return after
        changed = self.objects.replace(place.kind, stored, {**after, "status": after.get("status", {})})
        return _scale_of(changed) if place.part == "scale" else changed

    def _delete(self, request: Request, place: Place, stored: Stored) -> Object:
        if request.query("dryRun"):
            return stored.object
        kind, metadata = place.kind, stored.object["metadata"]
        if stored.owns or kind.plural == "namespaces":
            metadata.setdefault("deletionTimestamp", f"{self.now:%Y-%m-%dT%H:%M:%SZ}")
            if kind.plural == "namespaces":
                stored.object["status"] = {"phase": "Terminating"}
            self.objects.touch(stored.object)
            self.cleanup(kind.plural, place.namespace or "", metadata["name"])
            return stored.object
        self.objects.remove(kind.plural, place.namespace or "", metadata["name"])
        details = {"name": metadata["name"], "kind": kind.plural, "uid": metadata.get("uid", "")}
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}

    def _delete_all(self, request: Request, place: Place) -> Object:
        listed = self._list(Request("GET", request.path, "", ""), place)
        for each in listed["items"]:
            metadata = each["metadata"]
            stored = self.objects.find(place.kind.plural, metadata.get("namespace", ""), metadata["name"])
            if stored:
                self._delete(request, Place(place.kind, metadata.get("namespace"), metadata["name"], ""), stored)
        return listed


def _verb(request: Request, place: Place | None) -> str:
    if place is not None and place.part in _IN_A_CONTAINER:
        return "create"
    is_list = place is not None and place.name is None
    if request.method == "GET":
        return ("watch" if request.query("watch") in ("1", "true") else "list") if is_list else "get"
    if request.method == "DELETE" and is_list:
        return "deletecollection"
    return _VERBS.get(request.method, request.method.lower())


def _place(path: str) -> Place | None:
    for kind in KINDS.values():
        inside = r"(?:/namespaces/(?P<namespace>[^/]+))?" if kind.namespaced else "(?P<namespace>)"
        parts = f"status|scale|{_OF_PODS}" if kind.plural == "pods" else "status|scale"
        rest = rf"(?:/(?P<name>[^/]+)(?:/(?P<part>{parts}))?)?"
        if found := re.fullmatch(f"{kind.root}{inside}/{kind.plural}{rest}", path):
            return Place(kind, found["namespace"] or None, found["name"], found["part"] or "")
    return None


def _forbidden(request: Request, user: str, place: Place | None) -> Refused:
    if place is None:
        return forbidden_path(user, request.method, request.bare)
    return forbidden(user, _verb(request, place), place.kind, place.namespace, place.name, place.part)


def _log_of(pod: Object, container: str) -> str:
    """The log of a container: empty, as nothing runs in it; a pending pod has no log yet."""
    names = [each["name"] for each in pod["spec"].get("containers", [])]
    name, pod_name = container or names[0], pod["metadata"]["name"]
    if not container and len(names) > 1:
        message = f"a container name must be specified for pod {pod_name}, choose one of: [{' '.join(names)}]"
        raise Refused(400, message)
    if name not in names:
        raise Refused(400, f"container {name} is not valid for pod {pod_name}")
    return ""


def _no_kubelet(pod: Object) -> Refused:
    """The refusal of `exec` and `port-forward`: no kubelet runs on the node."""
    host = (pod.get("status") or {}).get("hostIP")
    if not host:
        return Refused(400, f"pod {pod['metadata']['name']} does not have a host assigned")
    message = f"error dialing backend: dial tcp {host}:10250: connect: connection refused"
    return Refused(500, message, "InternalError")


def _scale_of(found: Object) -> Object:
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    metadata = {key: found["metadata"][key] for key in kept if key in found["metadata"]}
    labels: Mapping[str, Any] = (found["spec"].get("selector") or {}).get("matchLabels") or {}
    status = {"replicas": (found.get("status") or {}).get("replicas", 0)}
    status |= {"selector": ",".join(f"{key}={value}" for key, value in labels.items())}
    spec = {"replicas": found["spec"].get("replicas", 1)}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}
