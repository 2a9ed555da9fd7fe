"""How answers about curfew read on a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ekslab.printing.problems import findings
from ekslab.printing.tables import table

Json = Any
_MARKS = {"quiet": "quiet", "busy": "BUSY", "missing": "MISSING", "not-applicable": "-"}


def extension(view: Json) -> Iterator[str]:
    """The lease's new end, and what it costs."""
    yield f"{view['labId']}  {view['name']}: the lease ends at {view['leaseEndsAt']}, {view['leaseEndsLocal']}."
    if view["clamped"]:
        yield "That is as far as the allowance reaches for now."
    yield f"It costs {view['cost']['message']}."


def schedule(view: Json) -> Iterator[str]:
    """When curfew comes, and all that says how long the lab lives."""
    own = view["schedule"]
    quiet = [*([f"holidays of {own['holidays']}"] if own["holidays"] else []), *own["quietDates"]]
    yield f"{view['id']}  {view['name']}  {view['phase']}"
    yield f"curfew      {own['curfew']} {own['timeZone']}, {', '.join(own['weekdays'])}: {own['atCurfew']}"
    yield f"quiet       {', '.join(quiet) or 'no other days'}"
    if own["atCurfew"] == "hibernate":
        yield f"wakes       {own['wake'] or 'when somebody asks'}"
    yield f"next        {view['nextCurfew']['local'] if view['nextCurfew'] else 'none'}"
    yield f"lease ends  {view['leaseEndsAt']}, at the latest {view['endsBy'] or '-'}"
    if view["keptUntil"]:
        yield f"kept        until {view['keptUntil']}"
    if view["protection"]:
        yield f"protected   until {view['protection']['until']} by {view['protection']['by']}: {view['protection']['why']}"
    if view["planned"]:
        exempt = view["planned"].get("exemption")
        lives = f", but it lives on: {exempt}" if exempt else ""
        yield f"planned     on the plan of {view['planned']['night']}, at {view['planned']['at']}{lives}"
    yield from findings(view.get("warnings", ()))


def verdict(view: Json) -> Iterator[str]:
    """The sentence, then every signal."""
    yield view["message"]
    if view["live"]:
        yield from table(("SIGNAL", "SAYS", "BECAUSE"), [_signal(signal) for signal in view["live"]["signals"]])
        yield from (f"could not be read: {source}" for source in view["evidence"]["unread"])
    if view["kept"]:
        yield f"the sweep, {view['kept']['at']}: {view['kept']['sentence']}"


def plan(view: Json, fit: int | None = None) -> Iterator[str]:
    """What will be done and why, then what became of it."""
    yield view["message"]
    if view["mode"] != "on":
        yield f"Curfew is on {view['mode']}: nothing is touched." if view["mode"] != "off" else "Curfew is off."
    if view["entries"]:
        yield from _entries([_line(line) for line in view["entries"]], fit)
    if view["others"]:
        yield f"and {view['others']} of others"
    if view["published"]:
        brake = view["brake"]
        yield f"{brake['counted']} of {brake['alive']} labs alive; at most {brake['allowed']} may go in one night"
        yield f"revision {view['revision']}, hash {view['hash']}"


def _entries(rows: list[list[object]], fit: int | None) -> Iterator[str]:
    """A table; the reason, a sentence, in a column of its own or, where columns are few, below its line."""
    head = ("LAB", "AT", "ACT", "WARNED", "OUTCOME", "WHY")
    if fit is None:
        yield from table(head, rows)
        return
    first, *lines = table(head[:-1], [row[:-1] for row in rows], fit, keep=("LAB", "ACT"))
    yield first
    for line, row in zip(lines, rows, strict=True):
        yield line
        yield f"  {row[-1]}"


def rules(view: Json) -> Iterator[str]:
    """One line a rule."""
    yield from (f"{name:<14}  {value}" for name, value in view.items() if not name.startswith("changed"))
    if view["changedAt"]:
        yield f"changed {view['changedAt']} by {view['changedBy']}"


def _signal(signal: Json) -> list[object]:
    return [signal["name"], _MARKS.get(signal["sign"], signal["sign"]), signal["message"]]


def _line(line: Json) -> list[object]:
    status = line["status"]
    why = f"{line['reason']} {status['reason']}".strip() if status["outcome"] == "skipped" else line["reason"]
    return [line["name"], line["at"], line["act"], status["warnedAt"], status["outcome"], why]
