"""What goes with a lab, in a sentence: only what was counted and is there, and the name of what could not be counted."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.core.wording import counted
from chalicelib.domain.curfew.plan import Entry, Ground
from chalicelib.domain.labs.schedule import AtCurfew
from chalicelib.domain.labs.spec import VolumePolicy

_NOUNS = {"nodes": "node", "pods": "pod", "volumes": "volume", "balancers": "load balancer"}


def stakes_told(entry: Entry) -> str:
    """What the act does to nodes, pods, volumes and load balancers. Empty where nothing is left to lose."""
    if sleeps(entry):
        return _asleep(entry)
    there, uncounted = _counts(entry, tuple(_NOUNS))
    if entry.ground is Ground.GONE:
        return f"Still there: {listed(there)}." if there else ""
    if not there and not uncounted:
        return "Nothing was seen on it: no nodes, pods, volumes or load balancers."
    if not there:
        return "What is on it could not be counted."
    goes = "goes" if len(there) == 1 and there[0].startswith("1 ") else "go"
    unsure = f" Not counted: {listed(uncounted, 'or')}." if uncounted else ""
    return f"With it {goes} {listed(there)}.{unsure}"


def volumes_told(entry: Entry, policy: VolumePolicy | None) -> str:
    """What becomes of the volumes of PersistentVolumeClaims. Empty where there are none, or where they stay with the lab."""
    if sleeps(entry) or entry.stakes.volumes == 0 or (entry.ground is Ground.GONE and entry.stakes.volumes is None):
        return ""
    match policy:
        case VolumePolicy.DELETE:
            return "Volumes of PersistentVolumeClaims are deleted for good."
        case VolumePolicy.SNAPSHOT:
            return "Volumes of PersistentVolumeClaims are deleted after a snapshot of each; snapshots stay, and cost."
        case VolumePolicy.KEEP:
            return "Volumes of PersistentVolumeClaims stay, and cost until you delete them."
        case None:
            return f"What becomes of its volumes was said in its request: GET /labs/{entry.lab_id} shows it."


def sleeps(entry: Entry) -> bool:
    """Whether the lab goes on after the act: what is gone or was nobody's only ends."""
    return entry.act is AtCurfew.HIBERNATE and entry.ground in (Ground.IDLE, Ground.LEASE)


def listed(things: Sequence[str], conjunction: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return things[0] if len(things) == 1 else f"{', '.join(things[:-1])} {conjunction} {things[-1]}"


def _asleep(entry: Entry) -> str:
    stops, _ = _counts(entry, ("nodes", "pods"))
    stays, _ = _counts(entry, ("volumes", "balancers"))
    if not stops:
        first = "Its nodes are shut down, and pods stop."
    else:
        one = len(stops) == 1 and stops[0].startswith("1 ")
        first = f"{listed(stops)} {'stops' if one else 'stop'} until it wakes."
    return (
        f"{first} {listed([*stays, 'the control plane']).capitalize()} {'stay' if stays else 'stays'}, at a cost. "
        "What is only on a node's own disk is lost."
    )


def _counts(entry: Entry, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """What is there, counted; and the names of what nobody could count."""
    numbers: dict[str, int | None] = {name: getattr(entry.stakes, name) for name in names}
    there = [counted(number, _NOUNS[name]) for name, number in numbers.items() if number]
    return there, [f"{_NOUNS[name]}s" for name, number in numbers.items() if number is None]
