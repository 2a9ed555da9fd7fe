"""The routes over watched clusters: what comes first, one cluster, what its owner says of it, the calendar, the ledger."""

from __future__ import annotations

from chalice import Response

from chalicelib.api.context import Door, json_answer
from chalicelib.api.inputs import cluster_params, params
from chalicelib.api.views import clusters
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.notices.calendar_feed import calendar_of
from chalicelib.logs import logger
from chalicelib.services.support import commands, queries
from chalicelib.services.support.queries import ClusterView

_CLUSTER = "/clusters/{account}/{region}/{name}"
_CALENDAR = "text/calendar; charset=utf-8"


def route_clusters(door: Door) -> None:
    """Register them all."""
    _route_lists(door)
    _route_one_cluster(door)


def _route_lists(door: Door) -> None:
    @door.route("GET", "/clusters")
    def get_clusters() -> Response:
        deps, asked = door.deps, cluster_params.read_clusters(door.query)
        now = deps.clock.now()
        page = queries.list_clusters(deps, door.caller, asked.wanted, asked.page.limit, asked.page.cursor, now)
        found = [clusters.cluster_in_list(watched, now, door.base) for watched in page.items]
        unreadable = clusters.unreadable_view(queries.unreadable_places(deps), door.caller)
        return json_answer({"clusters": found, "cursor": page.cursor, "unreadablePlaces": unreadable})

    @door.route("GET", "/deadlines.ics")
    def get_deadlines() -> Response:
        deps, wanted = door.deps, cluster_params.read_wanted(door.query)
        now = deps.clock.now()
        text = calendar_of(queries.all_clusters(deps, door.caller, wanted, now), now)
        return Response(text, headers={"Content-Type": _CALENDAR})

    @door.route("GET", "/notices")
    def get_notices() -> Response:
        page = params.read_page(door.query)
        found = queries.list_notices(door.deps, door.caller, page.limit, page.cursor)
        return json_answer({"notices": [clusters.notice_view(n) for n in found.items], "cursor": found.cursor})


def _route_one_cluster(door: Door) -> None:
    @door.route("GET", _CLUSTER)
    def get_cluster(account: str, region: str, name: str) -> Response:
        return _whole(door, queries.get_cluster(door.deps, door.caller, ClusterKey(account, region, name)))

    @door.route("POST", f"{_CLUSTER}/acknowledge")
    def post_acknowledge(account: str, region: str, name: str) -> Response:
        key = ClusterKey(account, region, name)
        view = commands.acknowledge(door.deps, door.caller, key)
        _log(door, "A deadline was acknowledged.", key)
        return _whole(door, view)

    @door.route("POST", f"{_CLUSTER}/snooze")
    def post_snooze(account: str, region: str, name: str) -> Response:
        deps, key = door.deps, ClusterKey(account, region, name)
        until = cluster_params.read_snooze(door.body, door.header("content-type"))
        view = commands.snooze(deps, door.caller, key, until, deps.clock.now())
        _log(door, "A deadline was snoozed.", key)
        return _whole(door, view)

    @door.route("PUT", f"{_CLUSTER}/support-policy")
    def put_support_policy(account: str, region: str, name: str) -> Response:
        key = ClusterKey(account, region, name)
        support_type = cluster_params.read_policy(door.body, door.header("content-type"))
        answer = commands.set_support_policy(door.deps, door.caller, key, support_type)
        _log(door, "A support policy was asked for.", key)
        body = {"supportType": answer.support_type, "updateId": answer.update_id, "told": answer.told}
        return json_answer(body, 202 if answer.update_id else 200)


def _whole(door: Door, view: ClusterView) -> Response:
    return json_answer(clusters.cluster_view(view, door.deps.clock.now(), door.base))


def _log(door: Door, message: str, key: ClusterKey) -> None:
    facts = {"account": key.account, "region": key.region, "cluster": key.name}
    logger.info(message, extra={**facts, "caller": door.caller.arn})
