"""The hourly curfew run. One function per Task state of statemachine/curfew.asl.json (docs/adr/0007-curfew.md).

1. `begin` lists the labs that are due, in groups of one place.
2. `examine` looks at a group: it plans labs hours ahead of their curfew or lease end, and lists the entries whose time has come.
3. `brake` holds a night on which too many labs would go, or whose data seems damaged.
4. `act` checks one entry again, and ends or hibernates its lab, or records why the lab lives on; `put_off_one` follows a failure.
5. `find_orphans` lists clusters with this installation's tags and no lab.
6. `warn` sends each person one mail with all of the run's messages: a warning of each new entry, with a link that keeps the lab,
   called-off and held acts, and the night's report. `finish` returns the run's summary.

`now` is the schedule event's time, the same for the whole run. The next run makes up for a missed one. A failure of one lab,
group or region does not affect the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.domain.core.place import Place
from chalicelib.domain.core.sentence import Sentence, from_kept, to_kept
from chalicelib.domain.core.service_health import Run
from chalicelib.domain.curfew.rules import Mode
from chalicelib.domain.curfew.signed_links import KEY_AGE
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.act import act_on
from chalicelib.workflows.night.brake import due_items
from chalicelib.workflows.night.call_off import OLD, call_off_unseen, leave_as_old
from chalicelib.workflows.night.examine import Examination
from chalicelib.workflows.night.orphans import find_orphans_in
from chalicelib.workflows.night.outbox import WarningPage, page_of, tell_all, waiting
from chalicelib.workflows.night.outcomes import leave_to_next_run
from chalicelib.workflows.night.region import Region
from chalicelib.workflows.night.report import report, unreported_nights
from chalicelib.workflows.night.run import NightRun, added
from chalicelib.workflows.shared.metrics import measure_sweep, measure_warnings

Answer = dict[str, Any]

#: Labs looked at in one round, rounds in one run, labs whose evidence is read together.
_AT_ONCE, _ROUNDS, _GROUP = 200, 20, 25
#: No round but the first begins later than this after `now`: the run must send its messages before its execution times out.
LAST_ROUND = timedelta(minutes=15)
#: Warnings sent by one run, the rest by the next; and by one call of its last step.
_WARNINGS, _A_PAGE = 5000, 1000
#: Orphans of one place in the report.
_TOLD = 20


def begin(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """The next labs that are due, in groups of one place; `skipped` when curfew is off."""
    before = event["before"]
    so_far = added(before["so_far"], *_results(event))
    answer = {"round": before["round"] + 1, "groups": [], "places": [], "so_far": so_far}
    if NightRun(deps, now).rules.mode is Mode.OFF:
        return {"outcome": "skipped", **answer}
    late = before["round"] > 0 and deps.clock.now() - now >= LAST_ROUND
    due = () if late else deps.curfew.store.labs_awaiting(now, _AT_ONCE)
    more = len(due) == _AT_ONCE and before["round"] + 1 < _ROUNDS
    return {
        **answer,
        "outcome": "again" if more else "done",
        "groups": _groups(due),
        "places": [_named(place) for place in deps.lab_accounts().places()] if unreported_nights(deps, now) else [],
    }


def examine(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """Look at one group: plan labs whose next event is near, list the entries that are due, and set the next look of the rest."""
    run = NightRun(deps, now)
    # Rules that can't be read fail the step, which is retried; read later, they would be the failure of single labs.
    _ = run.rules
    if run.is_old:
        for lab_id in event["group"]["ids"]:
            with run.around(Sentence("{lab}, not even put off", lab=lab_id)):
                leave_as_old(run, lab_id)
        return {**run.answer(), "due": []}
    examination = Examination(Region(run, _place(event["group"])))
    examination.look(event["group"]["ids"])
    for lab_id, why in examination.lost.items():
        with run.around(Sentence("{lab}, not even put off", lab=lab_id)):
            leave_to_next_run(run, lab_id, why)
            call_off_unseen(run, lab_id, why)
    return {**run.answer(), "due": examination.due}


def brake(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """The entries that are due, each with the reason why its night is held, if it is."""
    run = NightRun(deps, now)
    due = [one for examined in event["examined"] for one in examined["answer"].get("due", [])]
    items = due_items(run, due)
    return {**run.answer(), "items": items}


def act(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """Carry out one entry, or record why its lab lives on."""
    run = NightRun(deps, now)
    act_on(run, event["item"])
    return run.answer()


def put_off_one(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """Leave a lab whose act failed to the next run, and tell the person who was warned that nothing happens now."""
    lab_id, why = event["item"]["lab_id"], event["failure"]["Error"]
    run = NightRun(deps, now, troubles=[f"{lab_id}: {why}"])
    leave_to_next_run(run, lab_id, why)
    call_off_unseen(run, lab_id, why)
    return run.answer()


def find_orphans(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """List one place's clusters that carry this installation's tags and have no lab."""
    place, run = event["place"], NightRun(deps, now)
    if run.is_old:
        run.troubles.append(Sentence("{what}: {reason}", what=place["named"], reason=OLD))
        return {**run.answer(), "orphans": []}
    message = find_orphans_in(run, _place(place))
    untold = Sentence("and {number} more clusters in {region}", number=len(message) - _TOLD, region=place["region"])
    more = [untold] if message[_TOLD:] else []
    return {**run.answer(), "orphans": [to_kept(text) for text in (*message[:_TOLD], *more)]}


def warn(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """Warn of every standing entry without a warning, and send pending posts, with the night's report at its hour.

    A dry run warns nobody. The key that signs the links in warnings is replaced here once it is old enough.
    """
    run, before = NightRun(deps, now), event["before"]
    reported = [] if before["after"] else _reported(run, event)
    page = WarningPage()
    if run.rules.mode is Mode.ON:
        page = page_of(run, run.store.unwarned(_WARNINGS), before["after"], _A_PAGE)
    failed = before["failed"] + tell_all(run, page, waiting(run), now.isoformat(), event["execution"])
    so_far = added(before, [run.answer()])
    if not page.after:
        measure_warnings(deps, failed + so_far["counts"].get("unreachable", 0))
    again = {"outcome": "again" if page.after else "done", "after": page.after, "failed": failed}
    return {**so_far, **again, "reported": [*before["reported"], *reported]}


def _reported(run: NightRun, event: Mapping[str, Any]) -> list[str]:
    """Renew the links' key if due, and post the night's report; return the reported nights. Runs once a run."""
    answers, lost = _results(event)
    with run.around(Sentence("the key of keep-links")):
        if run.deps.curfew.keys.renew(KEY_AGE, run.now):
            run.counts["keys_renewed"] += 1
    reported: list[str] = []
    with run.around(Sentence("the night's report")):
        troubles = added(event["so_far"], answers, lost)["troubles"]
        reported += report(run, _orphans(answers), [from_kept(text) for text in troubles])
    return reported


def finish(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """Return the run's summary, `stuck` if part of the run was lost."""
    (answers, lost), run = _results(event), NightRun(deps, now)
    whole = added(event["so_far"], answers, lost)
    outcome = "stuck" if event["failure"] is not None or whole["lost"] else "done"
    deps.store.note_run(Run("curfew", now, outcome))
    with run.around(Sentence("the metrics")):
        measure_sweep(deps)
    ended = added(whole, [run.answer()])
    return {
        "now": now.isoformat(),
        "mode": str(run.rules.mode),
        "reported": event["warned"].get("reported", []),
        "orphans": _orphans(answers)[:20],
        **ended,
        "troubles": [str(from_kept(text)) for text in ended["troubles"]],
        "outcome": outcome,
    }


def _groups(due: tuple[tuple[str, Place], ...]) -> list[dict[str, Any]]:
    groups = []
    for place in sorted({place for _, place in due}, key=lambda place: (place.account, place.region)):
        ids = [lab_id for lab_id, of in due if of == place]
        groups += [{**_named(place), "ids": ids[n : n + _GROUP]} for n in range(0, len(ids), _GROUP)]
    return groups


def _named(place: Place) -> dict[str, Any]:
    return {"account": place.account, "region": place.region, "named": f"{place.region} of account {place.account}"}


def _place(given: Mapping[str, Any]) -> Place:
    return Place(given["account"], given["region"])


def _results(event: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], list[str]]:
    """The answers of earlier states, and the groups, labs or regions that returned none."""
    items = [item for part in ("examined", "acted", "searched") for item in event.get(part, [])]
    answers = [item["answer"] for item in items] + [event[part] for part in ("warned", "braked") if part in event]
    return answers, [item["lost"] for item in items if item["lost"]]


def _orphans(answers: Iterable[Mapping[str, Any]]) -> list[str]:
    return [from_kept(text) for answer in answers for text in answer.get("orphans", [])]
