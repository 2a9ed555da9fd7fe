"""Use cases of administrators about a person to forget: the records of their ended labs lose the name.

Living labs keep it, because it names their owner.
"""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.recipients import same_recipient
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import error
from chalicelib.domain.errors.tree import InvalidRequest, NotYours
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.identity.erasure import ERASED, without
from chalicelib.domain.labs.lab import OVER, Lab
from chalicelib.ports.deps import Deps

#: Labs whose records one request changes: each takes a second, and API Gateway waits half a minute.
MOST = 10


@dataclass(frozen=True)
class Erasure:
    """The number of labs that this request made anonymous, the number left, and the living ones."""

    name: str
    labs: int
    left: int
    alive: tuple[str, ...] = ()


def erase_person(deps: Deps, caller: Caller, name: str) -> Erasure:
    """Remove a person's name from all records of their labs. Repeat it until none is left.

    `name`: of their user or session, as in messages. Raises NotYours, InvalidRequest.
    """
    if not caller.is_admin:
        raise NotYours(Sentence("Who is forgotten here is for administrators to say."))
    if len(name) < 2 or name == ERASED:
        raise InvalidRequest([error("name", "invalid-name", "Give the name of a user or of a session.")])
    theirs = list(_labs_of(deps, name))
    over = [lab for lab in theirs if lab.phase in OVER]
    for lab in over[:MOST]:
        deps.store.rewrite(lab.id, without(name))
    done = len(over[:MOST])
    return Erasure(name, done, len(over) - done, tuple(lab.name for lab in theirs if lab.phase not in OVER))


def _labs_of(deps: Deps, name: str) -> Iterator[Lab]:
    """The labs of all their roles and permission sets; oldest last."""
    every = deps.store.all_labs(None, ())
    return (lab for lab in every if any(same_recipient(who, name) for who in (lab.owner, lab.counted_as)))
