"""Collects ownership proofs of living labs: once an hour each, by the scheduled run that recovers labs. No state machine.

CloudTrail is minutes late, keeps 90 days and answers slowly, so the teardown should find its proofs on the ledger already.
A lab whose cluster somebody deleted is found here, too.
"""

from __future__ import annotations

import zlib
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import EkslabError
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.steps import Event
from chalicelib.logs import logger
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.cluster import own_cluster
from chalicelib.workflows.shared.leftovers import Book
from chalicelib.workflows.shared.records import move

_LIVING = (Phase.READY, Phase.HIBERNATED)
#: The run comes every five minutes: each lab has one of the hour's turns, by its id.
_TURNS = 12
_MINUTES = 60 // _TURNS


def collect_proofs(deps: Deps, now: datetime) -> list[dict[str, str]]:
    """Collect the proofs of the labs whose turn it is; return the failures. A failing lab does not stop the others."""
    failed: list[dict[str, str]] = []
    living = deps.store.all_labs(None, _LIVING)
    for lab in (lab for lab in living if turn_of(lab.id) == now.minute // _MINUTES):
        try:
            collect_of(deps, lab, now)
        except Exception as error:  # noqa: BLE001  # Proofs of other labs are lost for good if one lab's slip ends the run.
            what = {"lab_id": lab.id, "error": type(error).__name__}
            failed.append({**what, "message": str(error)})
            told = {**what, "reason": str(error), "failed": len(failed)}
            logger.warning("Proofs could not be collected.", extra=told, exc_info=not isinstance(error, EkslabError))
    return failed


def collect_of(deps: Deps, lab: Lab, now: datetime) -> None:
    """Write the lab's resources on the ledger with their proofs, and the creators of resources that only bear its tags."""
    if own_cluster(deps, lab) is None:
        _lose(deps, lab, now)
        return
    Book(deps, lab, now).take_stock()


def _lose(deps: Deps, lab: Lab, now: datetime) -> None:
    """Move a lab whose cluster is gone, or replaced by another of the same name, to LOST: its end is warned of first."""
    told = Sentence("Its cluster is not there any more: somebody deleted it. What it left behind goes after a warning.")

    def lost(stored: Lab) -> Lab:
        return replace(stored.moved_to(Phase.LOST, now, told), due_at=now, planned=None, hibernation=None)

    move(deps, lab, (lab.phase,), lost, now, told)
    deps.store.add_event(lab.id, Event(now, "cluster-lost", told))


def turn_of(lab_id: str) -> int:
    """The number of the hour's run that looks at this lab."""
    return zlib.crc32(lab_id.encode()) % _TURNS
