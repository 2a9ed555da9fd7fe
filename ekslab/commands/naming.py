"""Finds labs by name: the caller's lab of a name or of a unique prefix, or any lab by its id."""

from __future__ import annotations

import re
from typing import Any

from ekslab.client import Answer, Client
from ekslab.client.client import lab_path
from ekslab.parsing.arguments import UsageError
from ekslab.words import t

_ID = re.compile(r"lab-[0-9a-f]{12}")
#: Phases of ended labs.
OVER = frozenset({"deleted", "failed", "refused"})


class SeveralLabs(UsageError):
    """Several labs of one name are alive, or only others' labs have it; the message has their ids."""


def path_of(client: Client, lab: str, part: str = "", region: str | None = None) -> str | Answer:
    """The path of the caller's lab of this name.

    The one alive comes first, then the newest that has ended, then the only one alive whose name has this prefix, then the lab
    with this id. `region`: only labs there.

    Returns the service's refusal if it refused to list. Raises SeveralLabs, also if only others have one of this name: an
    administrator's `delete` must not end a learner's lab of the same name.
    """
    if _ID.fullmatch(lab):
        return lab_path(lab, part)
    own = _labs(client, None)
    if isinstance(own, Answer):
        return own
    own = [found for found in own if region in (None, found["region"])]
    named = [found for found in own if found["name"] == lab]
    alive = _alive(named)
    if len(alive) > 1:
        raise SeveralLabs(
            t("{lab} is the name of {count} labs; say which: {labs}", lab=lab, count=len(alive), labs=_listed(alive))
        )
    if not named:
        begun = [found for found in _alive(own) if found["name"].startswith(lab) or found["id"].startswith(lab)]
        if len(begun) > 1:
            raise SeveralLabs(
                t("{count} labs begin with {lab}; say which: {labs}", count=len(begun), lab=lab, labs=_listed(begun))
            )
        if begun:
            return lab_path(begun[0]["id"], part)
        _refuse_others(client, lab)
    return lab_path([*(found["id"] for found in (*alive, *named)), lab][0], part)


def _alive(labs: list[Any]) -> list[Any]:
    return [found for found in labs if found["phase"] not in OVER]


def _listed(labs: list[Any]) -> str:
    return ", ".join(f"{found['id']} ({found['name']}, {found['region']})" for found in labs)


def _labs(client: Client, owner: str | None) -> list[Any] | Answer:
    labs: list[Any] = []
    for answer in client.pages("/labs", {"owner": owner, "limit": "100"}):
        if not answer.ok:
            return answer
        labs += answer.body["labs"]
    return labs


def _refuse_others(client: Client, lab: str) -> None:
    """Only administrators and viewers may list everyone's labs; the refusal of others is ignored."""
    everyone = _labs(client, "*")
    if isinstance(everyone, Answer):
        return
    others = [found for found in everyone if found["name"] == lab]
    if not others:
        return
    listed = ", ".join(f"{found['id']} ({found['owner']})" for found in _alive(others) or others)
    raise SeveralLabs(
        t("No lab of yours has the name {lab}; say by its id whose you mean: {labs}", lab=lab, labs=listed)
    )
