"""The daily support watch: reads every cluster of every place, decides on notices of deadlines, and sends them.

One function a state of statemachine/watch_support.asl.json. `now` is the schedule event's time, the same for the whole
run. An unreadable place or cluster is a finding with its start date, and never ends the run (docs/adr/0006-support-deadlines.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.domain.core.place import Place
from chalicelib.domain.core.service_health import Run
from chalicelib.domain.core.wording import counted
from chalicelib.domain.notices.decision import decide_notices as decide
from chalicelib.domain.notices.notice import Notice, NoticeState
from chalicelib.domain.support.fleet import ReadFailure
from chalicelib.domain.support.observation import troubled_place
from chalicelib.domain.support.watched import Watched
from chalicelib.ports.deps import Deps
from chalicelib.ports.support import Fleet
from chalicelib.workflows.shared.metrics import measure_watch
from chalicelib.workflows.watch.delivery import by_reader, claimed, send_digest
from chalicelib.workflows.watch.places import places, registration_of, who_answers_for
from chalicelib.workflows.watch.scan import UNREADABLE, Scan, forget, mark_gone, scan_clusters, trouble_of

Answer = dict[str, object]

#: Places of one Map: their names stay far below a payload's 256 KiB.
_PLACES, _CLUSTERS, _READERS, _NOTICES = 300, 1_000, 50, 20_000
#: Pages of names read by one call: a long page at its end would delay the next call.
_PAGES = 5
#: Reasons for dropped events that the run's summary names.
_REASONS = 10
#: Rounds of delivery, and the pause between them in seconds, which lets a throttled topic recover.
_ROUNDS, _PAUSE = 3, 300


def begin(deps: Deps, event: Mapping[str, Any], _now: datetime) -> Answer:
    """Return the next places to scan."""
    every, start = places(deps), int(event["cursor"] or 0)
    end = start + _PLACES
    here = [{"account": p.account, "region": p.region, "role_arn": p.role_arn} for p in every[start:end]]
    return {"outcome": "again" if end < len(every) else "done", "cursor": end, "places": here}


def scan_place(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """Scan some pages of a place's clusters; after the last page, mark the missing clusters as gone."""
    place, cursor = _place(event), event["cursor"] or {"page": None, "left": []}
    try:
        fleet = deps.watch.fleet(place)
        names, page = (cursor["left"], cursor["page"]) if cursor["left"] else _names(fleet, cursor["page"])
        scan = Scan(deps, place, fleet, fleet.calendar(), registration_of(deps, place.account), now)
    except UNREADABLE as error:
        return _lost(deps, place, trouble_of("eks:ListClusters", error, now))
    left = scan_clusters(scan, names)
    if left or page:
        return {"outcome": "again", "cursor": {"page": page, "left": list(left)}}
    mark_gone(scan)
    deps.watch.store.set_place_trouble(place, None)
    return {"outcome": "done", "cursor": None}


def lose_place(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """Record the error that ended a place's scan: its Lambda died, or the table refused the write."""
    failure = event["failure"]
    return _lost(deps, _place(event), ReadFailure("scan", failure["Error"], failure["Cause"][:300], now, now))


def decide_notices(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """Decide on notices for a page of clusters, with the first page also for unreadable places; store them before any is sent."""
    cursor, watch = event["cursor"], deps.watch
    page, following = watch.store.list_watched(_CLUSTERS, cursor)
    watched_places = {(place.account, place.region) for place in places(deps)}
    here: list[Watched] = []
    for place, ones in _by_place(page).items():
        if (place.account, place.region) in watched_places:
            here += ones
        else:
            forget(deps, place, [one.cluster.key.name for one in ones], now)
    decided = _decided(deps, [*here, *([] if cursor else _troubled(deps))], now)
    before = event["counts"]
    counts = {
        "clusters": before.get("clusters", 0) + len(here),
        "unreadable": before.get("unreadable", 0) + sum(one.trouble is not None for one in here),
        "notices": before.get("notices", 0) + decided,
    }
    return {"outcome": "again" if following else "done", "cursor": following, "counts": counts}


def deliver_notices(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """Send one mail or message to each of the next readers. A failure does not stop the others."""
    cursor = event["cursor"] or {"after": "", "round": 1, "failed": 0, "unheard": 0}
    waiting = by_reader(deps, deps.watch.store.pending_notices(_NOTICES))
    here = [reader for reader in waiting if reader > cursor["after"]]
    failed, unheard, dropped = cursor["failed"], cursor["unheard"], list(cursor.get("dropped", []))
    for reader in here[:_READERS]:
        mine = claimed(deps, waiting[reader], str(event.get("execution") or ""))
        if not mine:
            continue
        try:
            unheard += 0 if send_digest(deps, mine, now, dropped=dropped) else len(mine)
        except UNREADABLE:
            failed += 1
    before = {"dropped": list(dict.fromkeys(dropped))[:_REASONS]}
    if here[_READERS:]:
        return _again({**cursor, **before, "after": here[_READERS - 1], "failed": failed, "unheard": unheard}, 1)
    if (failed or _is_news(deps)) and cursor["round"] < _ROUNDS:
        anew = {"after": "", "round": cursor["round"] + 1, "failed": 0, "unheard": 0, **before}
        return _again(anew, _PAUSE if failed else 1)
    return {"outcome": "done", "cursor": None, "failed": failed, "unheard": unheard, "look_again_in": 0, **before}


def _is_news(deps: Deps) -> bool:
    """Whether there are untried notices: notices that went on to the next audience."""
    return any(notice.state is NoticeState.PENDING for notice in deps.watch.store.pending_notices(_NOTICES))


def finish(deps: Deps, event: Mapping[str, Any], now: datetime) -> Answer:
    """Return the run's summary; `stuck` if part of the run was lost."""
    troubles = deps.watch.store.place_troubles()
    undelivered = event["delivered"].get("failed")
    unheard = event["delivered"].get("unheard") or 0
    outcome = "stuck" if event["failure"] is not None or undelivered != 0 else "done"
    measure_watch(deps, _NOTICES)
    heard = f"{counted(unheard, 'notice')} reach nobody" if unheard and outcome == "done" else outcome
    deps.store.note_run(Run("watch_support", now, heard))
    return {
        "outcome": outcome,
        "now": now.isoformat(),
        **event["counts"],
        "places": len(places(deps)),
        "unreadable_places": [
            f"{place.account} {place.region}: could not read since {trouble.since:%Y-%m-%d}: {trouble.code}"
            for place, trouble in list(troubles.items())[:100]
        ],
        "undelivered": undelivered,
        "dropped_events": event["delivered"].get("dropped", []),
        "unheard": unheard,
    }


def _again(cursor: Mapping[str, object], seconds: int) -> Answer:
    return {"outcome": "again", "cursor": cursor, "look_again_in": seconds}


def _names(fleet: Fleet, page: str | None) -> tuple[Sequence[str], str | None]:
    """The names of the next pages, and the page after them. The next call reads a page that failed."""
    names: list[str] = []
    for _ in range(_PAGES):
        try:
            found, page = fleet.names(page)
        except UNREADABLE:
            if not names:
                raise
            break
        names += found
        if page is None:
            break
    return names, page


def _place(event: Mapping[str, Any]) -> Place:
    place = event["place"]
    return Place(place["account"], place["region"], place["role_arn"])


def _lost(deps: Deps, place: Place, trouble: ReadFailure) -> Answer:
    before = deps.watch.store.place_trouble(place)
    since = before.since if before else trouble.since
    deps.watch.store.set_place_trouble(place, replace(trouble, since=since))
    return {"outcome": "done", "cursor": None}


def _troubled(deps: Deps) -> list[Watched]:
    """Unreadable places, each as a cluster of its own. Places that are no longer registered cause no notices."""
    registered, watched_places = {r.account: r for r in deps.watch.registered()}, set(places(deps))
    return [
        troubled_place(place, trouble, who_answers_for(registered[place.account]))
        for place, trouble in deps.watch.store.place_troubles().items()
        if place in watched_places
    ]


def _decided(deps: Deps, watched: Sequence[Watched], now: datetime) -> int:
    """Decide for each cluster, store the notices, return their number. A place's earlier notices are read at once."""
    store, rules, decided = deps.watch.store, deps.watch.rules, list[Notice]()
    for place, ones in _by_place(watched).items():
        said = store.notices_in(place)
        decided += [notice for one in ones for notice in decide(one, said.get(one.cluster.key, ()), rules, now)]
    store.add_notices(decided)
    return len(decided)


def _by_place(watched: Sequence[Watched]) -> Mapping[Place, Sequence[Watched]]:
    found: dict[Place, list[Watched]] = {}
    for one in watched:
        found.setdefault(Place(one.cluster.key.account, one.cluster.key.region), []).append(one)
    return found
