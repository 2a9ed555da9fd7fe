"""What administrators may ask about a person who is to be forgotten: the records of their labs that are over keep no name.

Labs that are alive keep theirs, for it says whose they are: nothing of a person's is lost because they left.
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

#: Labs whose records one request changes: each takes a second, and an answer must come within half a minute.
MOST = 10


@dataclass(frozen=True)
class Erasure:
    """How many labs were made anonymous by this request, how many are left for the next, and which are alive."""

    name: str
    labs: int
    left: int
    alive: tuple[str, ...] = ()


def erase_person(deps: Deps, caller: Caller, name: str) -> Erasure:
    """Take a person's name out of all that is kept of their labs. Again until none is left.

    `name`: of their user or session, as messages reach them by it. Raises NotYours, InvalidRequest.
    """
    if not caller.is_admin:
        raise NotYours(Sentence("Who is forgotten here is for administrators to say."))
    if len(name) < 2 or name == ERASED:
        raise InvalidRequest([error("name", "invalid-name", Sentence("Give the name of a user or of a session."))])
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
