"""The hourly curfew run. One function per Task state of statemachine/curfew.asl.json (docs/adr/0007-curfew.md).

1. `begin` lists the labs that are due, in groups of one account's region. Steps 1 to 4 repeat while more labs are due.
2. `examine` looks at a group. It puts a lab on the plan of a night hours before its curfew or the end of its lease, and lists the
   entries whose time has come.
3. `brake` marks entries as held if the night would end too many labs, or if the plan or the labs' records look damaged.
4. `act` takes one entry, checks all conditions again, and ends or hibernates the lab, or records why the lab lives on. If it fails,
   `put_off_one` lets the next run retry the lab.
5. `find_orphans` lists clusters with this installation's tags and no lab, once a night.
6. `warn` sends each person one mail. Each mail lists new entries (with a link that keeps the lab) and acts called off.
   Administrators also get held nights and the night's report.
7. `finish` returns the run's summary.

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
from chalicelib.workflows.night.call_off import OLD, leave_as_old, put_off_lab
from chalicelib.workflows.night.examine import Examination
from chalicelib.workflows.night.orphans import find_orphans_in
from chalicelib.workflows.night.region import Region
from chalicelib.workflows.night.report import report, unreported_nights
from chalicelib.workflows.night.run import NightRun, added
from chalicelib.workflows.night.send import WarningPage, page_of, send_all, waiting
from chalicelib.workflows.shared.metrics import measure_labs, measure_warnings

Answer = dict[str, Any]

#: The most labs of one round, rounds of one run, and labs of one group: a group's evidence is read together.
_AT_ONCE, _ROUNDS, _GROUP = 200, 20, 25
#: After the first round, a round starts only within this time of `now`: the run must send its messages before it times out.
LAST_ROUND = timedelta(minutes=15)
#: The most warnings of one run (the next run sends the rest), and of one call of `warn`.
_WARNINGS, _A_PAGE = 5000, 1000
#: Orphans of one account's region in the report.
_MOST_ORPHANS = 20


def begin(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """The next labs that are due, in groups of one account's region; `skipped` when curfew is off."""
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
        "places": [_fields(place) for place in deps.lab_accounts().places()] if unreported_nights(deps, now) else [],
    }


def examine(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """Look at one group: plan labs whose next event is near, list the due entries, and set the next look of the other labs."""
    run = NightRun(deps, now)
    _ = run.rules  # Read the rules first: a failure then retries the step once, not once per lab.
    if run.is_old:
        for lab_id in event["group"]["ids"]:
            with run.around(Sentence("putting off {lab}", lab=lab_id)):
                leave_as_old(run, lab_id)
        return {**run.answer(), "due": []}
    examination = Examination(Region(run, _place(event["group"])))
    examination.look(event["group"]["ids"])
    for lab_id, why in examination.lost.items():
        with run.around(Sentence("putting off {lab}", lab=lab_id)):
            put_off_lab(run, lab_id, why)
    return {**run.answer(), "due": examination.due}


def brake(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """The due entries, each with the reason if it is held."""
    run = NightRun(deps, now)
    items = due_items(run, [one for examined in event["examined"] for one in examined["answer"].get("due", [])])
    return {**run.answer(), "items": items}


def act(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """Carry out one entry, or record why its lab lives on."""
    run = NightRun(deps, now)
    act_on(run, event["item"])
    return run.answer()


def put_off_one(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """Let the next run retry a lab whose act failed, and call off its entry."""
    from chalicelib.domain.errors.explain import words_of

    lab_id, why = event["item"]["lab_id"], words_of(event["failure"])
    run = NightRun(deps, now)
    run.note_trouble(lab_id, why)
    put_off_lab(run, lab_id, why)
    return run.answer()


def find_orphans(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """List one place's clusters that carry this installation's tags and have no lab."""
    place, run = event["place"], NightRun(deps, now)
    if run.is_old:
        run.troubles.append(Sentence("{what}: {reason}", what=place["named"], reason=OLD))
        return {**run.answer(), "orphans": []}
    found = find_orphans_in(run, _place(place))
    if (more := len(found) - _MOST_ORPHANS) > 0:
        rest = Sentence("and {number} more clusters in {region}", number=more, region=place["region"])
        found = [*found[:_MOST_ORPHANS], rest]
    return {**run.answer(), "orphans": [to_kept(text) for text in found]}


def warn(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """Warn the owner of each standing entry that has no warning yet; send pending posts and, once a night, the report.

    A dry run warns nobody. This step also replaces an old key of the links in warnings.
    """
    run, before = NightRun(deps, now), event["before"]
    reported = [] if before["after"] else _reported(run, event)
    page = WarningPage()
    if run.rules.mode is Mode.ON:
        page = page_of(run, run.store.unwarned(_WARNINGS), before["after"], _A_PAGE)
    failed = before["failed"] + send_all(run, page, waiting(run), now.isoformat(), event["execution"])
    so_far = added(before, [run.answer()])
    if not page.after:
        measure_warnings(deps, failed + so_far["counts"].get("unreachable", 0))
    again = {"outcome": "again" if page.after else "done", "after": page.after, "failed": failed}
    return {**so_far, **again, "reported": [*before["reported"], *reported]}


def _reported(run: NightRun, event: Mapping[str, Any]) -> list[str]:
    """Replace the links' key if it is old, and post the night's report, once a run; return the reported nights."""
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
        measure_labs(deps)
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
        groups += [{**_fields(place), "ids": ids[n : n + _GROUP]} for n in range(0, len(ids), _GROUP)]
    return groups


def _fields(place: Place) -> dict[str, Any]:
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
