"""Formats answers about curfew for a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ekslab.printing.problems import findings
from ekslab.printing.states import state
from ekslab.printing.tables import sentence, table
from ekslab.printing.times import at_local, zone_of
from ekslab.words import t

Json = Any
_MARKS = {"quiet": "quiet", "busy": "BUSY", "missing": "MISSING", "not-applicable": "-"}


def extension(view: Json) -> Iterator[str]:
    """The lease's new end, and its cost."""
    yield t(
        "{id}  {name}: the lease ends at {at}, {local}.",
        id=view["labId"],
        name=view["name"],
        at=view["leaseEndsAt"],
        local=view["leaseEndsLocal"],
    )
    if view["clamped"]:
        yield t("That is as far as the allowance reaches for now.")
    yield t("It costs {message}.", message=view["cost"]["message"])


def schedule(view: Json, fit: int | None = None) -> Iterator[str]:
    """The curfew schedule and the lease; times in the lab's zone, with UTC where there is room (`fit` None)."""
    for line in _schedule(view, utc=fit is None):
        yield from sentence(line, fit, indent=12)


def _schedule(view: Json, utc: bool) -> Iterator[str]:
    own = view["schedule"]
    zone = zone_of(own["timeZone"])

    def local(instant: str | None) -> str:
        said = at_local(instant, zone)
        return "-" if said is None else f"{said} ({instant})" if utc else said

    quiet = [*([t("holidays of {country}", country=own["holidays"])] if own["holidays"] else []), *own["quietDates"]]
    yield f"{view['id']}  {view['name']}  {state(view['phase'])}"
    yield t(
        "curfew      {at} {zone}, {days}: {act}",
        at=own["curfew"],
        zone=own["timeZone"],
        days=", ".join(own["weekdays"]),
        act=own["atCurfew"],
    )
    yield t("quiet       {names}", names=", ".join(quiet) or t("no other days"))
    if own["atCurfew"] == "hibernate":
        yield t("wakes       {wake}", wake=own["wake"] or t("when somebody asks"))
    yield t("next        {at}", at=view["nextCurfew"]["local"] if view["nextCurfew"] else t("none"))
    yield t("lease ends  {at}, at the latest {latest}", at=local(view["leaseEndsAt"]), latest=local(view["endsBy"]))
    if view["keptUntil"]:
        yield t("kept        until {until}", until=local(view["keptUntil"]))
    if protection := view["protection"]:
        yield t(
            "protected   until {until} by {by}: {why}",
            until=local(protection["until"]),
            by=protection["by"],
            why=protection["why"],
        )
    if view["planned"]:
        exempt = view["planned"].get("exemption")
        lives = t(", but it lives on: {why}", why=exempt) if exempt else ""
        yield t(
            "planned     on the plan of {night}, at {at}{lives}",
            night=view["planned"]["night"],
            at=local(view["planned"]["at"]),
            lives=lives,
        )
    yield from findings(view.get("warnings", ()))


def verdict(view: Json, fit: int | None = None) -> Iterator[str]:
    """The sentence, then every signal."""
    yield from sentence(view["message"], fit)
    if view["live"]:
        signals = [_signal(signal) for signal in view["live"]["signals"]]
        yield from table(("SIGNAL", "SAYS", "BECAUSE"), signals, fit, keep=("SIGNAL", "SAYS"), wrap=True)
        for source in view["evidence"]["unread"]:
            yield from sentence(t("could not be read: {source}", source=source), fit, indent=2)
    if view["kept"]:
        at = at_local(view["kept"]["at"], zone_of(view["timeZone"]))
        yield from sentence(
            t(
                "the last curfew run, {at} ({zone}): {sentence}",
                at=at,
                zone=view["timeZone"],
                sentence=view["kept"]["sentence"],
            ),
            fit,
            indent=2,
        )


def plan(view: Json, fit: int | None = None) -> Iterator[str]:
    """The planned act and its reason, then the outcome."""
    yield from sentence(view["message"], fit)
    if view["mode"] != "on":
        yield (
            t("Curfew is on {mode}: nothing is touched.", mode=view["mode"])
            if view["mode"] != "off"
            else t("Curfew is off.")
        )
    if view["entries"]:
        yield from _entries(view["entries"], fit)
    if view["others"]:
        yield t("and {number} of others", number=view["others"])
    if view["published"]:
        brake = view["brake"]
        yield t(
            "{counted} of {alive} labs alive; at most {allowed} may go in one night",
            counted=brake["counted"],
            alive=brake["alive"],
            allowed=brake["allowed"],
        )
        yield t("revision {revision}, with the hash", revision=view["revision"])
        yield str(view["hash"])


def _entries(entries: Sequence[Json], fit: int | None) -> Iterator[str]:
    """A table, times in each lab's zone; the reason, a sentence, is below its line, or in a column if there is room."""
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
        yield t("changed {at} by {who}", at=view["changedAt"], who=view["changedBy"])


def offers(view: Json) -> Iterator[str]:
    """One line a part of the list, in the form of --set."""
    parts = {name: value for name, value in view.items() if not name.startswith("changed") and name != "findings"}
    yield from (f"{name:<14}  {json.dumps(value)}" for name, value in parts.items())
    if view["changedAt"]:
        yield (
            t("changed {at} by {who}", at=view["changedAt"], who=view["changedBy"])
            if view.get("changedBy")
            else t("changed {at}", at=view["changedAt"])
        )
    yield from (f"{finding['path']}: {finding['message']}" for finding in view.get("findings", ()))


def _signal(signal: Json) -> list[object]:
    return [signal["name"], _MARKS.get(signal["sign"], signal["sign"]), signal["message"]]


def _line(line: Json) -> list[object]:
    status = line["status"]
    why = f"{line['reason']} {status['reason']}".strip() if status["outcome"] == "skipped" else line["reason"]
    zone = zone_of(line["timeZone"])
    at, warned = at_local(line["at"], zone), at_local(status["warnedAt"], zone)
    return [line["name"], at, line["act"], warned, status["outcome"], why]
