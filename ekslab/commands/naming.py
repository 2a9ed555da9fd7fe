"""Labs by the names people know them by: a command takes the name of one's own lab as well as any lab's id."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from ekslab.client import Answer, Client
from ekslab.commands.answers import pages

_ID = re.compile(r"lab-[0-9a-f]{12}")
_OVER = frozenset({"deleted", "failed"})


class SeveralLabs(Exception):
    """Labs of one name are alive in several places, or are others' alone; the message has their ids."""


def path_of(client: Client, lab: str, part: str = "") -> str | Answer:
    """The path of your lab of this name: the one alive, else the newest that is over; else of the lab with this id.

    The service's refusal if it would not list. Raises SeveralLabs, also where others alone have one of this name: an
    administrator's `delete` must not end a learner's lab for a name that both would use.
    """
    if _ID.fullmatch(lab):
        return _path(lab, part)
    own = _named(client, lab, None)
    if isinstance(own, Answer):
        return own
    alive = [found["id"] for found in own if found["phase"] not in _OVER]
    if len(alive) > 1:
        raise SeveralLabs(f"{lab} is the name of {len(alive)} labs; say which: {', '.join(alive)}")
    if not own:
        _refuse_others(client, lab)
    return _path([*alive, *(found["id"] for found in own), lab][0], part)


def _named(client: Client, lab: str, owner: str | None) -> list[Any] | Answer:
    labs: list[Any] = []
    for answer in pages(client, "/labs", {"owner": owner, "limit": "100"}):
        if not answer.ok:
            return answer
        labs += [found for found in answer.body["labs"] if found["name"] == lab]
    return labs


def _refuse_others(client: Client, lab: str) -> None:
    """Everyone's labs are for administrators and viewers to list; others are refused, and there is nothing to say."""
    others = _named(client, lab, "*")
    if isinstance(others, Answer) or not others:
        return
    alive = [found for found in others if found["phase"] not in _OVER] or others
    message = ", ".join(f"{found['id']} ({found['owner']})" for found in alive)
    raise SeveralLabs(f"No lab of yours has the name {lab}; say by its id whose you mean: {message}")


def _path(lab_id: str, part: str) -> str:
    return f"/labs/{quote(lab_id, safe='')}" + (f"/{part}" if part else "")
