"""The routes of a lab's lifetime: extend, protect, change the schedule, hibernate, wake."""

from __future__ import annotations

from chalice import Response

from chalicelib.api.context import RequestContext, json_answer
from chalicelib.api.inputs import curfew_params
from chalicelib.api.views import curfew, labs
from chalicelib.domain.requests.schedule_input import ScheduleRules
from chalicelib.logs import logger
from chalicelib.services.labs import hibernation, lease, queries
from chalicelib.services.labs.commands import Accepted

_LAB = "/labs/{lab_id}"


def route_schedules(context: RequestContext) -> None:
    """Register the routes."""
    _route_lease(context)
    _route_sleep(context)


def _route_lease(context: RequestContext) -> None:
    @context.route(
        "POST",
        f"{_LAB}/extend",
        "Extend the lease",
        (200, "The new end, and its cost"),
        (400, 404, 409),
        body="Extension",
    )
    def post_extend(lab_id: str) -> Response:
        deps = context.deps
        wish = curfew_params.read_extension(context.body, context.header("content-type"))
        extension = lease.extend_lab(deps, context.caller, lab_id, wish, deps.clock.now())
        _log(context, "A lease was extended.", lab_id)
        return json_answer(curfew.extension_view(extension, context.base))

    @context.route(
        "POST",
        f"{_LAB}/protect",
        "Protect the lab from curfew (administrators)",
        (200, "The lab"),
        (400, 404, 409),
        body="Protection",
    )
    def post_protect(lab_id: str) -> Response:
        deps = context.deps
        until, why = curfew_params.read_protection(context.body, context.header("content-type"))
        answer = lease.protect_lab(deps, context.caller, lab_id, until, why, deps.clock.now())
        _log(context, "A protection was changed.", lab_id)
        return _whole(context, answer)

    @context.route(
        "PUT",
        f"{_LAB}/schedule",
        "Set the curfew schedule",
        (200, "The lab"),
        (400, 404, 409),
        body="ScheduleBody",
    )
    def put_schedule(lab_id: str) -> Response:
        deps = context.deps
        rules = ScheduleRules(deps.curfew.schedule, deps.curfew.is_known_country)
        schedule = curfew_params.read_whole_schedule(context.body, context.header("content-type"), rules)
        answer = lease.set_schedule(deps, context.caller, lab_id, schedule, deps.clock.now())
        _log(context, "A schedule was changed.", lab_id)
        return _whole(context, answer)


def _route_sleep(context: RequestContext) -> None:
    @context.route(
        "POST", f"{_LAB}/hibernate", "Hibernate the lab: no nodes until it wakes", (202, "Under way"), (404, 409)
    )
    def post_hibernate(lab_id: str) -> Response:
        return _under_way(
            context, hibernation.hibernate_lab(context.deps, context.caller, lab_id, context.deps.clock.now())
        )

    @context.route("POST", f"{_LAB}/wake", "Wake the lab", (202, "Under way"), (400, 404, 409))
    def post_wake(lab_id: str) -> Response:
        return _under_way(context, hibernation.wake_lab(context.deps, context.caller, lab_id, context.deps.clock.now()))


def _whole(context: RequestContext, answer: Accepted) -> Response:
    """The whole lab, with warnings."""
    deps, now = context.deps, context.deps.clock.now()
    view = queries.get_lab(deps, context.caller, answer.lab.id, now)
    return json_answer({**labs.lab_view(view, context.base, now), "warnings": labs.warnings(answer.findings)})


def _under_way(context: RequestContext, answer: Accepted) -> Response:
    _log(context, "A lab was asked to sleep or to wake.", answer.lab.id)
    body = labs.answered(answer, context.base, context.deps.clock.now())
    return json_answer(body, 202, {"Location": body["links"]["self"]})


def _log(context: RequestContext, message: str, lab_id: str) -> None:
    logger.info(message, extra={"lab_id": lab_id, "caller": context.caller.arn})
