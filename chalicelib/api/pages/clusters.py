"""Page of watched clusters, most urgent first: support timelines, a filter, and the same as CSV."""

from __future__ import annotations

from collections.abc import Sequence

from chalice import Response

from chalicelib.api.pages.drawing import timeline
from chalicelib.api.pages.visit import HEADERS, Visit
from chalicelib.api.views.csv_format import csv_text
from chalicelib.domain.core.sentence import Sentence, opening, said
from chalicelib.domain.core.wording import format_days
from chalicelib.domain.support.assessment import days_left, describe_effect
from chalicelib.domain.support.deadlines import SupportPhase
from chalicelib.domain.support.watched import Watched
from chalicelib.ports.deps import Page
from chalicelib.services.support.queries import ClusterFilter, list_clusters

#: Clusters of a page, and of one file: a file is one page of the list, too, and ends with its cursor.
_LIMIT, _LIMIT_OF_FILE = 40, 1000
_PHASES = {str(phase): phase for phase in SupportPhase}
_FILTERS = ("phase", "days", "owner", "account", "region", "cursor")
_COLUMNS = (
    *("account", "region", "name", "version", "support", "next", "on", "days left", "owner", "team", "lab"),
    *("billed extended",),
)


def show_clusters(visit: Visit) -> Response:
    """One page of the list."""
    page = _page(visit, _LIMIT)
    wrong = bool(visit.query.get("days")) and _days(visit) is None
    rows = [_row(visit, watched) for watched in page.items]
    given = {name: visit.query.get(name, "") for name in _FILTERS}
    return visit.show("clusters.html", rows=rows, cursor=page.cursor, given=given, phases=tuple(_PHASES), wrong=wrong)


def send_csv(visit: Visit) -> Response:
    """The same clusters as a file. Its last line has the cursor if there are more."""
    page = _page(visit, _LIMIT_OF_FILE)
    rows: list[Sequence[object]] = [_COLUMNS, *(_line(visit, watched) for watched in page.items)]
    if page.cursor:
        more = Sentence("There are more: add cursor={cursor} to the address.", cursor=page.cursor)
        rows.append([said(more, visit.words)])
    name = 'attachment; filename="clusters.csv"'
    headers = {**HEADERS, "Content-Type": "text/csv; charset=utf-8", "Content-Disposition": name}
    return Response(csv_text(rows), headers=headers)


def _page(visit: Visit, limit: int) -> Page[Watched]:
    query = visit.query
    phase = _PHASES.get(query.get("phase", ""))
    wanted = ClusterFilter(
        phases=(phase,) if phase else (),
        days_left=_days(visit),
        owner=query.get("owner") or None,
        account=query.get("account") or None,
        region=query.get("region") or None,
    )
    return list_clusters(visit.deps, visit.caller, wanted, limit, query.get("cursor") or None, visit.now, most=limit)


def _days(visit: Visit) -> int | None:
    given = visit.query.get("days", "").strip()
    return int(given) if given.isascii() and given.isdigit() and len(given) < 5 else None


def _row(visit: Visit, watched: Watched) -> dict[str, object]:
    following = watched.support.next
    return {
        "watched": watched,
        "effect": describe_effect(following, visit.now) if following else "",
        "when": opening(format_days(days_left(following, visit.now))) if following else "",
        "timeline": timeline(watched.support, visit.now),
    }


def _line(visit: Visit, watched: Watched) -> list[object]:
    key, following = watched.cluster.key, watched.support.next
    ahead = [following.kind, f"{following.at:%Y-%m-%d}", days_left(following, visit.now)] if following else ["", "", ""]
    people = [watched.owner or "", watched.team or "", watched.lab_id or "", watched.support.billed_extended]
    return [key.account, key.region, key.name, watched.cluster.version, watched.support.phase, *ahead, *people]
