"""Counts what one step of the curfew run did, and lists failures of single labs: small enough for a state's payload."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import field
from typing import Any

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.errors.tree import EkslabError, Superseded

#: Failures in one step's answer, failures in a run's summary, characters of each.
_A_STEP, _A_RUN, _LONGEST = 5, 50, 200


@dataclass
class RunSummary:
    """Counts by kind of act, and failures as text."""

    counts: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)

    def trouble(self, what: str, error: Exception) -> None:
        """Note a failure."""
        self.troubles.append(f"{what}: {type(error).__name__}: {error}"[:_LONGEST])

    @contextmanager
    def around(self, what: str) -> Iterator[list[EkslabError]]:
        """Note an error inside instead of raising it; yields a list that holds the error afterwards.

        A lab that somebody changed meanwhile is no failure: it is due again.
        """
        failed: list[EkslabError] = []
        try:
            yield failed
        except Superseded:
            self.counts["changed_meanwhile"] += 1
        except EkslabError as error:
            failed.append(error)
            self.trouble(what, error)

    def answer(self) -> dict[str, Any]:
        """The result of a state."""
        more = len(self.troubles) - _A_STEP
        message = [*self.troubles[:_A_STEP], *([f"and {more} more"] if more > 0 else [])]
        return {"outcome": "done", "counts": dict(self.counts), "troubles": message}


def added(so_far: Mapping[str, Any], answers: Iterable[Mapping[str, Any]], lost: Iterable[str] = ()) -> dict[str, Any]:
    """A run's counts and failures so far and of more answers; `lost`: parts of the run without an answer."""
    counts, troubles = Counter(so_far.get("counts", {})), list(so_far.get("troubles", []))
    for answer in answers:
        counts.update(answer.get("counts", {}))
        troubles += answer.get("troubles", [])
    gone = [*so_far.get("lost", []), *lost]
    return {"counts": dict(counts), "troubles": troubles[:_A_RUN], "lost": gone[:_A_RUN]}
