"""The routes with which approvers answer: by name, or with a link of their mail, which needs no signature."""

from __future__ import annotations

from chalice import Response

from chalicelib.api.context import RequestContext, json_answer
from chalicelib.api.inputs.curfew_params import read_why
from chalicelib.api.routes.keep import link_route
from chalicelib.api.views import labs
from chalicelib.api.views.approval import decision_page, decision_view
from chalicelib.domain.labs.approval import Decision
from chalicelib.logs import logger
from chalicelib.services.labs.approval import DecisionView, decide, decide_by_link, look_at_decision

_PATH, _REFUSALS = "/decide/{token}", (403, 404, 409, 410)


def route_approval(context: RequestContext) -> None:
    """Register the routes."""

    def answer(lab_id: str, decision: Decision) -> Response:
        deps, caller, now = context.deps, context.caller, context.deps.clock.now()
        why = read_why(context.body, context.header("content-type"))
        accepted = decide(deps, caller, lab_id, decision, why, now)
        logger.info("A lab was decided on.", extra={"lab_id": lab_id, "decision": str(decision), "caller": caller.arn})
        body = labs.answered(accepted, context.base, now)
        return json_answer(body, 202, {"Location": body["links"]["self"]})

    @context.route(
        "POST",
        "/labs/{lab_id}/approve",
        "Approve a lab that waits for approval",
        (202, "Under way"),
        (400, 403, 404, 409),
        body="Why",
    )
    def post_approve(lab_id: str) -> Response:
        return answer(lab_id, Decision.APPROVE)

    @context.route(
        "POST",
        "/labs/{lab_id}/refuse",
        "Refuse a lab that waits for approval",
        (202, "Refused"),
        (400, 403, 404, 409),
        body="Why",
    )
    def post_refuse(lab_id: str) -> Response:
        return answer(lab_id, Decision.REFUSE)

    @link_route(
        context,
        "GET",
        _PATH,
        "Show the effect of a link in an approver's mail",
        _REFUSALS,
        decision_view,
        decision_page,
    )
    def get_decide(token: str) -> DecisionView:
        return look_at_decision(context.deps, token, context.deps.clock.now())

    @link_route(
        context, "POST", _PATH, "Approve or refuse the lab, by the link", _REFUSALS, decision_view, decision_page
    )
    def post_decide(token: str) -> DecisionView:
        view = decide_by_link(context.deps, token, context.deps.clock.now())
        logger.info("A lab was decided on by a link.", extra={"lab_id": view.lab.id, "decision": str(view.decision)})
        return view
