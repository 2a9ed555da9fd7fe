"""The context of one step of the curfew run, and its counts and failures: small enough for a state's payload."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence, reason_of, to_kept
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.errors.tree import EkslabError, Superseded
from chalicelib.ports.curfew import CurfewStore
from chalicelib.ports.deps import Deps
from chalicelib.workflows.costs.limit import limits_that_sleep

if TYPE_CHECKING:
    from chalicelib.domain.curfew.messages.limit import Limit
    from chalicelib.domain.curfew.plan import EntryStatus
    from chalicelib.domain.labs.lab import Lab

#: A run looks at labs and acts at most this long after `now`: an event may be late, an execution redriven, a region slow.
LAST_LOOK = timedelta(minutes=25)
#: Failures in one step's answer, failures in a run's summary, characters of each.
_A_STEP, _A_RUN, _LONGEST = 5, 50, 200


@dataclass
class NightRun:
    """One step of a run. `now`: the schedule event's time, the same for all its steps.

    `counts`: how many acts of each kind the step did; `troubles`: failures of single labs, as text. `passed_on`: entries whose
    next audience must be warned, because SES refused the mail to the previous one. `refused`: case-folded recipient -> why SES
    refused this run's mail.
    """

    deps: Deps
    now: datetime
    counts: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    passed_on: list[EntryStatus] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)

    @property
    def store(self) -> CurfewStore:
        """Plans, statuses, rules and verdicts."""
        return self.deps.curfew.store

    @cached_property
    def rules(self) -> CurfewRules:
        """The rules of curfew, read once a step."""
        return self.store.rules(self.deps.curfew.usual)

    @property
    def is_old(self) -> bool:
        """Whether this run began too long ago to look at labs: the next run looks at them, and this one only sends its messages."""
        return self.deps.clock.now() - self.now > LAST_LOOK

    @property
    def notice(self) -> timedelta:
        """The time between a warning and its act."""
        return timedelta(minutes=self.rules.notice_minutes)

    @cached_property
    def limits(self) -> Mapping[str, tuple[Limit, ...]]:
        """Monthly ceilings that hibernate labs in use, keyed by the person who reached them; read once a step."""
        return limits_that_sleep(self.deps, self.now)

    def limit_of(self, lab: Lab) -> Limit | None:
        """The narrowest of these ceilings that the lab counts toward."""
        return next((limit for limit in self.limits.get(lab.counted_as, ()) if limit.covers(lab)), None)

    @contextmanager
    def around(self, what: str) -> Iterator[list[EkslabError]]:
        """Record an error inside instead of raising it; yields a list that holds the error afterwards.

        A lab that somebody changed meanwhile is no failure: it is due again.
        """
        failed: list[EkslabError] = []
        try:
            yield failed
        except Superseded:
            self.counts["changed_meanwhile"] += 1
        except EkslabError as error:
            failed.append(error)
            reason = reason_of(error) or type(error).__name__
            self.note_trouble(what, reason)

    def note_trouble(self, what: str, reason: str) -> None:
        """Keep a failure for the run's report: only its first 200 characters, since one payload carries all failures."""
        short = reason if len(reason) <= _LONGEST else reason[:_LONGEST]
        self.troubles.append(Sentence("{what}: {reason}", what=what, reason=short))

    def answer(self) -> dict[str, Any]:
        """The result of a state."""
        more = len(self.troubles) - _A_STEP
        told = [*self.troubles[:_A_STEP], *([Sentence("and {number} more", number=more)] if more > 0 else [])]
        return {"outcome": "done", "counts": dict(self.counts), "troubles": [to_kept(text) for text in told]}


def added(so_far: Mapping[str, Any], answers: Iterable[Mapping[str, Any]], lost: Iterable[str] = ()) -> dict[str, Any]:
    """A run's counts and failures so far, plus those of `answers`; `lost`: parts of the run without an answer."""
    counts, troubles = Counter(so_far.get("counts", {})), list(so_far.get("troubles", []))
    for answer in answers:
        counts.update(answer.get("counts", {}))
        troubles += answer.get("troubles", [])
    gone = [*so_far.get("lost", []), *lost]
    return {"counts": dict(counts), "troubles": troubles[:_A_RUN], "lost": gone[:_A_RUN]}
