"""The routes of curfew: a night's plan, the rules with the stop switch, and a lab's verdict."""

from __future__ import annotations

from chalice import Response

from chalicelib.api.context import RequestContext, json_answer
from chalicelib.api.inputs import curfew_params
from chalicelib.api.views import curfew
from chalicelib.logs import logger
from chalicelib.services.curfew import plans


def route_curfew(context: RequestContext) -> None:
    """Register the routes."""
    _route_plans(context)
    _route_rules(context)

    @context.route(
        "GET",
        "/labs/{lab_id}/verdict",
        "Judge whether the lab is idle",
        (200, "The present verdict, and the last stored one"),
        (404,),
    )
    def get_verdict(lab_id: str) -> Response:
        deps = context.deps
        view = plans.verdict_of(deps, context.caller, lab_id, deps.clock.now())
        return json_answer(curfew.verdict_view(view))


def _route_plans(context: RequestContext) -> None:
    @context.route(
        "GET", "/plan", "Get tonight's plan, with reasons and hash", (200, "The plan, empty if there is none")
    )
    def get_plan() -> Response:
        deps = context.deps
        return json_answer(curfew.plan_view(plans.tonight(deps, context.caller, deps.clock.now()), context.base))

    @context.route("GET", "/plan/{date}", "Get the plan of a night", (200, "The plan"), (400, 404))
    def get_plan_of(date: str) -> Response:
        deps = context.deps
        view = plans.plan_of(deps, context.caller, curfew_params.read_day(date), deps.clock.now())
        return json_answer(curfew.plan_view(view, context.base))

    @context.route(
        "POST",
        "/plan/{date}/release",
        "Release a plan that a safety limit holds (administrators)",
        (200, "The plan"),
        (400, 404, 409),
        body="Release",
    )
    def post_release(date: str) -> Response:
        deps, caller, night = context.deps, context.caller, curfew_params.read_day(date)
        asked = curfew_params.read_release(context.body, context.header("content-type"))
        view = plans.release_plan(deps, caller, night, asked, deps.clock.now())
        logger.info("A night's plan was released.", extra={"night": night.isoformat(), "caller": caller.arn})
        return json_answer(curfew.plan_view(view, context.base))


def _route_rules(context: RequestContext) -> None:
    @context.route("GET", "/curfew", "Get the rules of curfew", (200, "The rules"))
    def get_curfew() -> Response:
        return json_answer(curfew.rules_view(context.deps.curfew.rules()))

    @context.route(
        "PUT",
        "/curfew",
        "Change the rules of curfew, or the stop switch (administrators)",
        (200, "The rules"),
        (400,),
        body="Curfew",
    )
    def put_curfew() -> Response:
        deps, caller = context.deps, context.caller
        asked = curfew_params.read_rules(context.body, context.header("content-type"))
        names, now = curfew_params.RULE_NAMES, deps.clock.now()
        changed = plans.set_rules(deps, caller, asked.numbers, asked.mode, names, now)
        logger.info("Curfew's rules were changed.", extra={"mode": str(changed.mode), "caller": caller.arn})
        return json_answer(curfew.rules_view(changed))
