"""The eventual mode: a new resource is unknown, denied or without tags for a while, as AWS's reads lag its writes.

Off until a seed is set (`POST lag`). The seed decides for each thing how long and in which way: the same seed and names lag in
the same way. A role can't be assumed for a while after it is first passed to EKS. Resources that root creates are visible at
once, and root's calls see everything, so that tests need not wait.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from emulator.core.clock import EmulatorClock
from emulator.eks.http.call import Call
from emulator.eks.http.errors import EksError, invalid_parameter, not_found

#: Members of requests that name resources, and their kinds; the first one present is the call's subject.
_NAMES = {
    "updateId": "update",
    "nodegroupName": "node group",
    "addonName": "addon",
    "principalArn": "access entry",
    "fargateProfileName": "fargate profile",
}
_ROLES = ("roleArn", "nodeRole")
_UNKNOWN, _DENIED, _UNTAGGED = range(3)


class Lag:
    """The new resources, and their seeded lags."""

    def __init__(self, clock: EmulatorClock) -> None:
        self._clock = clock
        self._seed: int | None = None
        self._seconds = 0.0
        self._until: dict[tuple[str, ...], float] = {}
        #: How many calls were refused so far.
        self.refused = 0

    def set(self, seed: int | None, seconds: float = 300.0) -> None:
        """Delay new resources by up to this many of AWS's seconds; None: show everything at once again."""
        self._seed, self._seconds = seed, seconds
        self._until.clear()

    def note(self, kind: str, *name: str) -> None:
        """Record a new resource of another service."""
        if self._seed is not None:
            self._note((kind, *name))

    def hides(self, kind: str, *name: str) -> bool:
        """Whether this resource is not visible yet; counted as refused."""
        young = self.is_young(kind, *name)
        self.refused += young
        return young

    def is_young(self, kind: str, *name: str) -> bool:
        """Whether this resource is not visible yet."""
        return self._seed is not None and self._is_young((kind, *name))

    def refuse(self, call: Call) -> None:
        """Raise AWS's error while the call's subject, or a role that it passes, is not visible yet."""
        if self._seed is None or _is_root(call):
            return
        for role in (call.given[name] for name in _ROLES if call.given.get(name)):
            self._refuse_role(call, str(role))
        for key in self._about(call):
            if self._is_young(key):
                self._refuse_thing(call, key)

    def seen(self, call: Call, output: dict[str, Any]) -> dict[str, Any]:
        """Record the call's new resource, and return the answer as AWS gives it so early."""
        if self._seed is None or _is_root(call):
            return output
        if call.operation.startswith("Create"):
            self._note(*self._about(call, made=True))
        if call.operation.startswith("Delete"):
            # A resource recreated under this name is new again.
            for key in [*self._about(call)][-1:]:
                self._until.pop(key, None)
        if "Update" in call.operation and isinstance(output.get("update"), Mapping):
            self._note(_key(call, "update", call.cluster_name, str(output["update"].get("id"))))
        if call.operation.startswith("Describe"):
            return self._without_tags(call, output)
        return output

    def _refuse_role(self, call: Call, role: str) -> None:
        key = _key(call, "role", role)
        if key not in self._until:
            self._note(key)
        if self._is_young(key):
            self.refused += 1
            raise invalid_parameter(f"Role with arn: {role}, could not be assumed because it does not exist")

    def _refuse_thing(self, call: Call, key: tuple[str, ...]) -> None:
        kind, name = key[2], key[-1]
        # An update bears no tags by which IAM could deny it.
        way = _UNKNOWN if kind == "update" else self._draw(key) % 3
        if way == _DENIED and call.operation.startswith(("Describe", "List")):
            # Permissions to read have no conditions on tags, so IAM's lag does not affect them.
            return
        if way == _UNTAGGED:
            return
        self.refused += 1
        if way == _DENIED:
            message = f"User: {call.caller.arn} is not authorized to perform: eks:{call.operation} on resource: {name}"
            raise EksError("AccessDeniedException", message, 403)
        if way == _UNKNOWN:
            if kind == "access entry":
                raise not_found(
                    "The specified principalArn could not be found. You must specify a valid principal ARN."
                )
            raise not_found(f"No {kind} found for name: {name}.")

    def _without_tags(self, call: Call, output: dict[str, Any]) -> dict[str, Any]:
        young = [key for key in self._about(call) if self._is_young(key) and self._draw(key) % 3 == _UNTAGGED]
        if not young:
            return output
        return {
            name: {**thing, "tags": {}} if isinstance(thing, dict) and "tags" in thing else thing
            for name, thing in output.items()
        }

    def _note(self, *keys: tuple[str, ...]) -> None:
        for key in keys[-1:]:
            seconds = self._clock.scaled(self._seconds * (self._draw(key) % 1000) / 1000)
            self._until.setdefault(key, time.monotonic() + seconds)

    def _is_young(self, key: tuple[str, ...]) -> bool:
        return key in self._until and time.monotonic() < self._until[key]

    def _draw(self, key: tuple[str, ...]) -> int:
        """A number from the seed and the resource, always the same."""
        return zlib.crc32(f"{self._seed}/{'/'.join(key)}".encode())

    def _about(self, call: Call, made: bool = False) -> Iterator[tuple[str, ...]]:
        """The existing cluster that a call names, and the existing resource in it."""
        if call.cluster_name and (made or call.operation != "CreateCluster"):
            yield _key(call, "cluster", call.cluster_name)
        if made or not call.operation.startswith("Create"):
            for member, kind in _NAMES.items():
                if call.given.get(member):
                    yield _key(call, kind, call.cluster_name, str(call.given[member]))
                    return


def _is_root(call: Call) -> bool:
    return call.caller.arn.endswith(":root")


def _key(call: Call, kind: str, *name: str) -> tuple[str, ...]:
    return (call.caller.account, call.caller.region, kind, *name)
