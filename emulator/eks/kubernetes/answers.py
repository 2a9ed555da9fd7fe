"""Answers of the API server: a status code with a body or a stream; and its refusals, in Kubernetes' words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from emulator.eks.kubernetes.kinds import Kind

Body = dict[str, Any] | str | Iterator[dict[str, Any]]
Reply = tuple[int, Body]
_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    415: "UnsupportedMediaType",
    422: "Invalid",
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request: method, path with query, bearer token ("" without), the caller's address, headers and body."""

    method: str
    path: str
    token: str
    address: str
    accept: str = ""
    content_type: str = ""
    body: dict[str, Any] | list[Any] | None = field(default_factory=dict)
    """None if it is not JSON."""

    @property
    def bare(self) -> str:
        """The path without its query."""
        return urlsplit(self.path).path

    def query(self, name: str) -> str:
        """One parameter of the query, "" if it is absent."""
        return parse_qs(urlsplit(self.path).query).get(name, [""])[0]

    @property
    def wants_table(self) -> bool:
        """Whether the caller prefers a table."""
        return "as=Table" in self.accept

    def document(self) -> dict[str, Any]:
        """The body as an object; Refused for a list, or for another format than JSON, such as protobuf."""
        if self.body is None:
            accepted = "accepted media types include: application/json"
            message = f"the body of the request was in an unknown format - {accepted}"
            raise Refused(415, message)
        if not isinstance(self.body, dict):
            raise Refused(400, "the body of the request was in an unknown format")
        return self.body


class Refused(Exception):
    """A refusal of the API server."""

    def __init__(self, code: int, message: str, reason: str = "", details: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.reason, self.details = code, message, reason or _REASONS[code], details

    def reply(self) -> Reply:
        """The refusal as a Status."""
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": self.message}
        more = {"details": self.details} if self.details else {}
        return self.code, {**status, "reason": self.reason, **more, "code": self.code}


def not_found(kind: Kind, name: str) -> Refused:
    """The refusal for a missing object."""
    return Refused(404, f'{_named(kind)} "{name}" not found', details=_details(kind, name))


def exists(kind: Kind, name: str) -> Refused:
    """The refusal for an existing object."""
    return Refused(409, f'{_named(kind)} "{name}" already exists', "AlreadyExists", _details(kind, name))


def forbidden(user: str, verb: str, kind: Kind, namespace: str | None, name: str | None, part: str = "") -> Refused:
    """The refusal where the user may not do this to such an object, or to a part of it."""
    subject = f'{_named(kind)} "{name}"' if name else _named(kind)
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    what = f'cannot {verb} resource "{"/".join(filter(None, (kind.plural, part)))}" in API group "{kind.group}" {where}'
    return Refused(403, f'{subject} is forbidden: User "{user}" {what}', details=_details(kind, name or ""))


def forbidden_path(user: str, method: str, path: str) -> Refused:
    """The refusal where the user may not read this path, which is not that of an object."""
    return Refused(403, f'forbidden: User "{user}" cannot {method.lower()} path "{path}"', details={})


def no_such_path() -> Refused:
    """The refusal for an unknown path."""
    return Refused(404, "the server could not find the requested resource", details={})


def _named(kind: Kind) -> str:
    return f"{kind.plural}.{kind.group}" if kind.group else kind.plural


def _details(kind: Kind, name: str) -> dict[str, Any]:
    return {**({"name": name} if name else {}), **({"group": kind.group} if kind.group else {}), "kind": kind.plural}
