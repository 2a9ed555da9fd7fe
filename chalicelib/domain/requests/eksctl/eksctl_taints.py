"""Reads an eksctl node group's taints: a list of mappings, or, in unmanaged groups, also `key: "value:Effect"`."""

from __future__ import annotations

from chalicelib.domain.labs.spec import Taint
from chalicelib.domain.requests.eksctl.reader import Reader, as_mapping, in_words

#: Kubernetes' spelling -> EKS's.
EFFECTS = {"NoSchedule": "NO_SCHEDULE", "NoExecute": "NO_EXECUTE", "PreferNoSchedule": "PREFER_NO_SCHEDULE"}


def read_taints(item: Reader, ours: str, managed: bool) -> tuple[Taint, ...]:
    """The taints, effects in EKS's spelling."""
    if not managed and as_mapping(item.raw("taints")) is not None:
        return _from_mapping(item, ours)
    taints: list[Taint] = []
    for entry in item.sections("taints", f"{ours}.taints") or ():
        taint = _read_taint(entry, f"{ours}.taints[{len(taints)}]")
        taints += [taint] if taint else []
    return tuple(taints)


def _read_taint(entry: Reader, ours: str) -> Taint | None:
    entry.notes.paths[ours] = entry.path
    key, value = entry.text("key", f"{ours}.key"), entry.text("value", f"{ours}.value")
    effect = entry.text("effect", f"{ours}.effect")
    entry.close()
    if entry.path in entry.notes.broken:
        return None
    if key is None and not entry.has("key"):
        entry.error("key", "missing", "A taint needs a key.")
    if effect not in EFFECTS and entry.at("effect") not in entry.notes.broken:
        entry.error("effect", "wrong-value", f"Expected one of {', '.join(EFFECTS)}, got {in_words(effect)}.")
    return Taint(key, value or "", EFFECTS[effect]) if key and effect in EFFECTS else None


def _from_mapping(item: Reader, ours: str) -> tuple[Taint, ...]:
    mapping = item.section("taints", f"{ours}.taints")
    taints: list[Taint] = []
    for key in mapping.names() if mapping else ():
        text = mapping.text(key, f"{ours}.taints[{len(taints)}]") if mapping else None
        value, _, effect = (text or "").rpartition(":")
        if effect in EFFECTS:
            taints.append(Taint(key, value, EFFECTS[effect]))
        elif mapping and text is not None:
            mapping.error(key, "wrong-value", f'Expected "value:Effect", Effect one of {", ".join(EFFECTS)}.')
    return tuple(taints)
