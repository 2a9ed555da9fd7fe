"""What a lab's owner is told about its beginning and its future: the first line of history, and what happens next and when.

Pure: facts and `now` in, sentences out. Instants are told in UTC, to the minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.domain.history import Event, Step, StepStatus
from chalicelib.domain.lab import Lab, Phase
from chalicelib.domain.spec import VolumePolicy

_VOLUMES = {
    VolumePolicy.DELETE: "the volumes of PersistentVolumeClaims are deleted with it",
    VolumePolicy.SNAPSHOT: "the volumes of PersistentVolumeClaims are snapshotted first, then deleted; the snapshots stay",
    VolumePolicy.KEEP: "the volumes of PersistentVolumeClaims are kept and go on costing",
}


def first_event(lab: Lab) -> Event:
    """The line that every history begins with."""
    message = f"Lab {lab.name} was requested: Kubernetes {lab.spec.version} in {lab.region}."
    return Event(lab.created_at, "requested", message, {"owner": lab.owner})


def volumes_told(policy: VolumePolicy) -> str:
    """What becomes of PVC volumes at the end, as half a sentence."""
    return _VOLUMES[policy]


def instant_told(instant: datetime) -> str:
    """An instant for people: `2026-11-23T18:00Z`."""
    return f"{instant:%Y-%m-%dT%H:%M}Z"


def what_happens_next(lab: Lab, steps: Sequence[Step], now: datetime) -> tuple[str, ...]:
    """Sentences about the lab's future, nearest first; none when nothing more will happen."""
    match lab.phase:
        case Phase.REQUESTED:
            return ("Provisioning starts within minutes.", _lease(lab, now))
        case Phase.PROVISIONING | Phase.UPDATING | Phase.READY | Phase.HIBERNATING | Phase.HIBERNATED | Phase.WAKING:
            return (*_waiting(lab, steps), _lease(lab, now))
        case Phase.RELEASING | Phase.ROLLING_BACK:
            ending = "Everything of the lab is being deleted; a receipt proves it afterwards."
            return (*_waiting(lab, steps), ending, _volumes(lab))
        case Phase.BLOCKED:
            return (
                "Nothing, until what blocks it is resolved: the receipt names it. DELETE the lab again to try again.",
            )
        case Phase.DELETED | Phase.FAILED:
            return _looks(lab)


def _waiting(lab: Lab, steps: Sequence[Step]) -> tuple[str, ...]:
    running = [step for step in steps if step.status is StepStatus.RUNNING and step.run == lab.run]
    return tuple(f"{step.title}: {step.detail or 'under way'}" for step in running)


def _lease(lab: Lab, now: datetime) -> str:
    if now >= lab.lease_ends_at:
        return f"The lease ended at {instant_told(lab.lease_ends_at)}; deleting starts within minutes."
    told = volumes_told(lab.spec.volumes)
    return f"The lease ends at {instant_told(lab.lease_ends_at)}; then everything is deleted, and {told}."


def _volumes(lab: Lab) -> str:
    told = volumes_told(lab.spec.volumes)
    return f"{told[0].upper()}{told[1:]}."


def _looks(lab: Lab) -> tuple[str, ...]:
    if lab.due_at is None:
        return ()
    return (f"The account is looked at again at {instant_told(lab.due_at)}, to see that nothing came back.",)
