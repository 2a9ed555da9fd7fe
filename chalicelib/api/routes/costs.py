"""Routes for monthly costs, as JSON or CSV."""

from __future__ import annotations

from chalice import Response

from chalicelib.api.context import RequestContext, json_answer
from chalicelib.api.inputs.params import read_month
from chalicelib.api.views.costs import showback_csv, showback_view
from chalicelib.services.labs.showback import showback

_CSV = "text/csv"


def route_costs(context: RequestContext) -> None:
    """Register it."""

    @context.route("GET", "/costs")
    def get_costs() -> Response:
        deps, caller = context.deps, context.caller
        month, by = read_month(context.query)
        costs = showback(deps, caller, context.teams, month, by, deps.clock.now())
        if _CSV in (context.header("accept") or ""):
            return Response(showback_csv(costs), headers={"Content-Type": f"{_CSV}; charset=utf-8"})
        return json_answer(showback_view(costs))
