"""Labs by the names people know them by: a command takes a lab's name as well as its id."""

from __future__ import annotations

from urllib.parse import quote

from ekslab.answering import pages
from ekslab.client import Answer, Client

_OVER = frozenset({"deleted", "failed"})


def path_of(client: Client, lab: str, part: str = "") -> str | Answer:
    """The path of your alive lab of this name, else of the lab with this id; the service's refusal if it would not list."""
    for answer in pages(client, "/labs", {"limit": "100"}):
        if not answer.ok:
            return answer
        for found in answer.body["labs"]:
            if found["name"] == lab and found["phase"] not in _OVER:
                return _path(found["id"], part)
    return _path(lab, part)


def _path(lab_id: str, part: str) -> str:
    return f"/labs/{quote(lab_id, safe='')}" + (f"/{part}" if part else "")
