"""Labs by the names people know them by: a command takes a lab's name as well as its id."""

from __future__ import annotations

import re
from urllib.parse import quote

from ekslab.answering import pages
from ekslab.client import Answer, Client

_ID = re.compile(r"lab-[0-9a-f]{12}")
_OVER = frozenset({"deleted", "failed"})


class SeveralLabs(Exception):
    """Labs of one name are alive in several places; the message has their ids."""


def path_of(client: Client, lab: str, part: str = "") -> str | Answer:
    """The path of your lab of this name: the one alive, else the newest that is over; else of the lab with this id.

    The service's refusal if it would not list. Raises SeveralLabs.
    """
    alive: list[str] = []
    over: list[str] = []
    for answer in () if _ID.fullmatch(lab) else pages(client, "/labs", {"limit": "100"}):
        if not answer.ok:
            return answer
        for found in answer.body["labs"]:
            if found["name"] == lab:
                (over if found["phase"] in _OVER else alive).append(found["id"])
    if len(alive) > 1:
        raise SeveralLabs(f"{lab} is the name of {len(alive)} labs; say which: {', '.join(alive)}")
    return _path([*alive, *over, lab][0], part)


def _path(lab_id: str, part: str) -> str:
    return f"/labs/{quote(lab_id, safe='')}" + (f"/{part}" if part else "")
