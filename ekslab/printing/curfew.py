"""How answers about curfew read on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ekslab.printing.problems import findings
from ekslab.printing.tables import sentence, table
from ekslab.printing.times import at_local, zone_of

Json = Any
_MARKS = {"quiet": "quiet", "busy": "BUSY", "missing": "MISSING", "not-applicable": "-"}


def extension(view: Json) -> Iterator[str]:
    """The lease's new end, and what it costs."""
    yield f"{view['labId']}  {view['name']}: the lease ends at {view['leaseEndsAt']}, {view['leaseEndsLocal']}."
    if view["clamped"]:
        yield "That is as far as the allowance reaches for now."
    yield f"It costs {view['cost']['message']}."


def schedule(view: Json, fit: int | None = None) -> Iterator[str]:
    """When curfew comes, and all that says how long the lab lives; times in its zone, with UTC where there is room (`fit` None)."""
    for line in _schedule(view, utc=fit is None):
        yield from sentence(line, fit, indent=12)


def _schedule(view: Json, utc: bool) -> Iterator[str]:
    own = view["schedule"]
    zone = zone_of(own["timeZone"])

    def local(instant: str | None) -> str:
        said = at_local(instant, zone)
        return "-" if said is None else f"{said} ({instant})" if utc else said

    quiet = [*([f"holidays of {own['holidays']}"] if own["holidays"] else []), *own["quietDates"]]
    yield f"{view['id']}  {view['name']}  {view['phase']}"
    yield f"curfew      {own['curfew']} {own['timeZone']}, {', '.join(own['weekdays'])}: {own['atCurfew']}"
    yield f"quiet       {', '.join(quiet) or 'no other days'}"
    if own["atCurfew"] == "hibernate":
        yield f"wakes       {own['wake'] or 'when somebody asks'}"
    yield f"next        {view['nextCurfew']['local'] if view['nextCurfew'] else 'none'}"
    yield f"lease ends  {local(view['leaseEndsAt'])}, at the latest {local(view['endsBy'])}"
    if view["keptUntil"]:
        yield f"kept        until {local(view['keptUntil'])}"
    if protection := view["protection"]:
        yield f"protected   until {local(protection['until'])} by {protection['by']}: {protection['why']}"
    if view["planned"]:
        exempt = view["planned"].get("exemption")
        lives = f", but it lives on: {exempt}" if exempt else ""
        yield f"planned     on the plan of {view['planned']['night']}, at {local(view['planned']['at'])}{lives}"
    yield from findings(view.get("warnings", ()))


def verdict(view: Json, fit: int | None = None) -> Iterator[str]:
    """The sentence, then every signal."""
    yield from sentence(view["message"], fit)
    if view["live"]:
        signals = [_signal(signal) for signal in view["live"]["signals"]]
        yield from table(("SIGNAL", "SAYS", "BECAUSE"), signals, fit, keep=("SIGNAL", "SAYS"), wrap=True)
        for source in view["evidence"]["unread"]:
            yield from sentence(f"could not be read: {source}", fit, indent=2)
    if view["kept"]:
        at = at_local(view["kept"]["at"], zone_of(view["timeZone"]))
        yield from sentence(f"the sweep, {at} ({view['timeZone']}): {view['kept']['sentence']}", fit, indent=2)


def plan(view: Json, fit: int | None = None) -> Iterator[str]:
    """What will be done and why, then what became of it."""
    yield from sentence(view["message"], fit)
    if view["mode"] != "on":
        yield f"Curfew is on {view['mode']}: nothing is touched." if view["mode"] != "off" else "Curfew is off."
    if view["entries"]:
        yield from _entries(view["entries"], fit)
    if view["others"]:
        yield f"and {view['others']} of others"
    if view["published"]:
        brake = view["brake"]
        yield f"{brake['counted']} of {brake['alive']} labs alive; at most {brake['allowed']} may go in one night"
        yield f"revision {view['revision']}, with the hash"
        yield str(view["hash"])


def _entries(entries: Sequence[Json], fit: int | None) -> Iterator[str]:
    """A table, times in each lab's zone; the reason, a sentence, is below its line, or in a column where there is room for all."""
    rows = [_line(line) for line in entries]
    head = ("LAB", "AT", "ACT", "WARNED", "OUTCOME", "WHY")
    if fit is None:
        utc = [(line["at"], line["timeZone"]) for line in entries]
        yield from table((*head, "AT (UTC)", "ZONE"), [[*row, *more] for row, more in zip(rows, utc, strict=True)])
        return
    first, *lines = table(head[:-1], [row[:-1] for row in rows], fit, keep=("LAB", "ACT"))
    yield first
    for line, row in zip(lines, rows, strict=True):
        yield line
        yield from sentence(f"  {row[-1]}", fit, indent=2)


def rules(view: Json) -> Iterator[str]:
    """One line a rule."""
    yield from (f"{name:<14}  {value}" for name, value in view.items() if not name.startswith("changed"))
    if view["changedAt"]:
        yield f"changed {view['changedAt']} by {view['changedBy']}"


def offers(view: Json) -> Iterator[str]:
    """One line a part of the list, as it would be given to --set."""
    parts = {name: value for name, value in view.items() if not name.startswith("changed") and name != "findings"}
    yield from (f"{name:<14}  {json.dumps(value)}" for name, value in parts.items())
    if view["changedAt"]:
        yield f"changed {view['changedAt']}" + (f" by {view['changedBy']}" if view.get("changedBy") else "")
    yield from (f"{finding['path']}: {finding['message']}" for finding in view.get("findings", ()))


def _signal(signal: Json) -> list[object]:
    return [signal["name"], _MARKS.get(signal["sign"], signal["sign"]), signal["message"]]


def _line(line: Json) -> list[object]:
    status = line["status"]
    why = f"{line['reason']} {status['reason']}".strip() if status["outcome"] == "skipped" else line["reason"]
    zone = zone_of(line["timeZone"])
    at, warned = at_local(line["at"], zone), at_local(status["warnedAt"], zone)
    return [line["name"], at, line["act"], warned, status["outcome"], why]
