"""Routes for monthly costs, as JSON, CSV or FOCUS."""

from __future__ import annotations

from urllib.parse import urlencode

from chalice import Response

from chalicelib.api.context import PAGE, RequestContext, json_answer
from chalicelib.api.inputs.params import read_costs
from chalicelib.api.views.costs import comparison_view, showback_csv, showback_view
from chalicelib.api.views.focus import focus_csv
from chalicelib.services.labs.showback import CostQuery, Showback, compare, export, showback


def route_costs(context: RequestContext) -> None:
    """Register the route."""

    @context.route(
        "GET",
        "/costs",
        "Get the costs of labs in a month",
        (200, "The sums, as JSON; CSV and FOCUS 1.2 by pages, of which the header Link names the next"),
        (400, 403),
        query=("month", "by", "format", "compare", *PAGE),
        other_media=("text/csv",),
    )
    def get_costs() -> Response:
        deps, caller, now = context.deps, context.caller, context.deps.clock.now()
        asked = read_costs(context.query, context.header("accept") or "")
        if asked.format == "json":
            view = showback_view(showback(deps, caller, context.teams, asked.month, asked.by, now))
            beside = compare(deps, caller, asked.month, now) if asked.compare else None
            return json_answer(view if beside is None else {**view, "costExplorer": comparison_view(beside)})
        page = export(deps, caller, context.teams, asked, now)
        text = focus_csv(page, deps.watch.home) if asked.format == "focus" else showback_csv(page)
        return Response(text, headers={"Content-Type": "text/csv; charset=utf-8", **_next(context, asked, page)})


def _next(context: RequestContext, asked: CostQuery, page: Showback) -> dict[str, str]:
    """The link to the next page (RFC 8288); empty on the last."""
    if page.cursor is None:
        return {}
    query = {"month": asked.month, "by": asked.by, "format": asked.format, "limit": asked.limit, "cursor": page.cursor}
    return {"Link": f'<{context.base}/costs?{urlencode(query)}>; rel="next"'}
