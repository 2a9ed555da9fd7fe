"""From an HTTP method and path to the operation of the EKS model and the values in its path.

Paths arrive decoded, so an ARN in a path has slashes again; a label that holds an ARN may therefore span segments,
and of several routes that match the one with more literal text wins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from urllib.parse import unquote

from emulator.eks.http import model

_LABEL = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One operation's address."""

    operation: str
    method: str
    path: re.Pattern[str]
    literal_length: int


def find_route(method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """Return the operation's name and the labels of its path, or None where EKS has nothing."""
    for route in _routes():
        found = route.path.fullmatch(path.rstrip("/"))
        if found and route.method == method:
            return route.operation, {label: unquote(value) for label, value in found.groupdict().items()}
    return None


@cache
def _routes() -> tuple[Route, ...]:
    routes = [_route(name) for name in model.service().operation_names]
    return tuple(sorted(routes, key=lambda route: -route.literal_length))


def _route(name: str) -> Route:
    http = model.operation(name).http
    uri: str = http["requestUri"]
    literal = _LABEL.sub("", uri)
    return Route(name, http["method"], re.compile(_pattern(uri)), len(literal))


def _pattern(uri: str) -> str:
    parts = _LABEL.split(uri)
    literals, labels = parts[::2], parts[1::2]
    pattern = re.escape(literals[0])
    for label, literal in zip(labels, literals[1:], strict=True):
        value = ".+" if label.endswith("Arn") else "[^/]+"
        pattern += f"(?P<{label}>{value}){re.escape(literal)}"
    return pattern
