"""The routes of watched clusters: the list, one cluster, its owner's answers, the calendar, the notices."""

from __future__ import annotations

from chalice import Response

from chalicelib.api.context import PAGE, RequestContext, json_answer
from chalicelib.api.inputs import cluster_params, params
from chalicelib.api.views import clusters
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.notices.calendar_feed import calendar_of
from chalicelib.logs import logger
from chalicelib.services.support import commands, queries
from chalicelib.services.support.queries import ClusterView

_CLUSTER = "/clusters/{account}/{region}/{name}"
_CALENDAR = "text/calendar; charset=utf-8"


def route_clusters(context: RequestContext) -> None:
    """Register the routes."""
    _route_lists(context)
    _route_one_cluster(context)


#: Which clusters: the parameters of the list and of the calendar.
_WANTED = (("phase", "supportPhase"), "daysLeft", ("owner", "clusterOwner"), "account", ("region", "clusterRegion"))


def _route_lists(context: RequestContext) -> None:
    @context.route(
        "GET",
        "/clusters",
        "List watched clusters, most urgent first",
        (200, "A page"),
        (400,),
        query=(*_WANTED, *PAGE),
    )
    def get_clusters() -> Response:
        deps, (wanted, paged) = context.deps, cluster_params.read_clusters(context.query)
        now = deps.clock.now()
        page = queries.list_clusters(deps, context.caller, wanted, paged.limit, paged.cursor, now)
        found = [clusters.cluster_in_list(watched, now, context.base) for watched in page.items]
        unreadable = clusters.unreadable_view(queries.unreadable_places(deps), context.caller)
        return json_answer({"clusters": found, "cursor": page.cursor, "unreadablePlaces": unreadable})

    @context.route(
        "GET",
        "/deadlines.ics",
        "All deadlines as a calendar (RFC 5545)",
        (200, "iCalendar"),
        (400,),
        query=_WANTED,
        media="text/calendar",
    )
    def get_deadlines() -> Response:
        deps, wanted = context.deps, cluster_params.read_wanted(context.query)
        now, words = deps.clock.now(), context.words
        text = calendar_of(queries.all_clusters(deps, context.caller, wanted, now), now, words)
        return Response(text, headers={"Content-Type": _CALENDAR})

    @context.route("GET", "/notices", "List notices, newest first", (200, "A page"), (400,), query=PAGE)
    def get_notices() -> Response:
        page = params.read_page(context.query)
        found = queries.list_notices(context.deps, context.caller, page.limit, page.cursor)
        return json_answer({"notices": [clusters.notice_view(n) for n in found.items], "cursor": found.cursor})


def _route_one_cluster(context: RequestContext) -> None:
    @context.route(
        "GET", _CLUSTER, "Get a cluster's deadlines, obstacles, commands and notices", (200, "The cluster"), (404,)
    )
    def get_cluster(account: str, region: str, name: str) -> Response:
        return _whole(context, queries.get_cluster(context.deps, context.caller, ClusterKey(account, region, name)))

    @context.route("POST", f"{_CLUSTER}/acknowledge", "Acknowledge the next deadline", (200, "The cluster"), (404, 409))
    def post_acknowledge(account: str, region: str, name: str) -> Response:
        key = ClusterKey(account, region, name)
        view = commands.acknowledge(context.deps, context.caller, key)
        _log(context, "A deadline was acknowledged.", key)
        return _whole(context, view)

    @context.route(
        "POST",
        f"{_CLUSTER}/snooze",
        "Snooze the notices",
        (200, "The cluster"),
        (400, 404, 409),
        body="Snooze",
    )
    def post_snooze(account: str, region: str, name: str) -> Response:
        deps, key = context.deps, ClusterKey(account, region, name)
        until = cluster_params.read_snooze(context.body, context.header("content-type"))
        view = commands.snooze(deps, context.caller, key, until, deps.clock.now())
        _log(context, "A deadline was snoozed.", key)
        return _whole(context, view)

    @context.route(
        "PUT",
        f"{_CLUSTER}/support-policy",
        "Change the support policy (STANDARD or EXTENDED)",
        (202, "EKS is changing the policy"),
        (400, 404, 409),
        body="SupportPolicy",
        also=((200, "No change"),),
    )
    def put_support_policy(account: str, region: str, name: str) -> Response:
        key = ClusterKey(account, region, name)
        support_type = cluster_params.read_policy(context.body, context.header("content-type"))
        answer = commands.set_support_policy(context.deps, context.caller, key, support_type)
        _log(context, "A support policy was asked for.", key)
        body = {"supportType": answer.support_type, "updateId": answer.update_id, "message": answer.message}
        return json_answer(body, 202 if answer.update_id else 200)


def _whole(context: RequestContext, view: ClusterView) -> Response:
    return json_answer(clusters.cluster_view(view, context.deps.clock.now(), context.base))


def _log(context: RequestContext, message: str, key: ClusterKey) -> None:
    facts = {"account": key.account, "region": key.region, "cluster": key.name}
    logger.info(message, extra={**facts, "caller": context.caller.arn})
