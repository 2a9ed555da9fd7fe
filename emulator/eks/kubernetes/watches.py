"""Watching a list: its changes since a version, one event after another, until the client or the time is out.

Source: Kubernetes documentation, "Efficient detection of changes" and "Streaming lists".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from emulator.eks.kubernetes.answers import Request
from emulator.eks.kubernetes.kinds import Kind
from emulator.eks.kubernetes.objects import Object, Objects
from emulator.eks.kubernetes.selectors import selected
from emulator.eks.kubernetes.tables import table

_LOOKS_EVERY = 0.2
_LONGEST = 300.0


def watch(
    objects: Objects, request: Request, kind: Kind, namespace: str | None, fresh: Callable[[], None]
) -> Iterator[dict[str, Any]]:
    """Yield the events; `fresh` lets the controllers work before each look."""
    wanted = selected(request.query("labelSelector"), request.query("fieldSelector"))
    since = 0 if request.query("sendInitialEvents") == "true" else int(request.query("resourceVersion") or 0)
    ends = time.monotonic() + min(_LONGEST, float(request.query("timeoutSeconds") or _LONGEST))
    known: set[str] = {_uid(each) for each in objects.list(kind.plural, namespace) if _version(each) <= since}

    def event(what: str, found: Object) -> dict[str, Any]:
        shown = table(kind, [found], datetime.now(UTC)) if request.wants_table else found
        return {"type": what, "object": shown}

    initial = request.query("sendInitialEvents") == "true"
    while True:
        fresh()
        newest = objects.version
        for _, gone in objects.deleted_since(kind.plural, since):
            if namespace in (None, gone["metadata"].get("namespace")) and wanted(gone):
                yield event("DELETED", gone)
        for each in objects.list(kind.plural, namespace):
            if _version(each) > since and wanted(each):
                yield event("MODIFIED" if _uid(each) in known else "ADDED", each)
                known.add(_uid(each))
        since = newest
        if initial:
            ended = {"resourceVersion": str(newest), "annotations": {"k8s.io/initial-events-end": "true"}}
            yield {"type": "BOOKMARK", "object": {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": ended}}
            initial = False
        if time.monotonic() >= ends:
            return
        time.sleep(_LOOKS_EVERY)
        yield {}


def _version(found: Object) -> int:
    return int(found["metadata"].get("resourceVersion", 0))


def _uid(found: Object) -> str:
    return str(found["metadata"].get("uid", ""))
