"""The routes by which people say how long a lab lives: extend, protect, another evening, to sleep, awake."""

from __future__ import annotations

from chalice import Response

from chalicelib.api.context import Door, json_answer
from chalicelib.api.inputs import curfew_params
from chalicelib.api.views import curfew, labs
from chalicelib.domain.requests.schedule_input import EveningRules
from chalicelib.logs import logger
from chalicelib.services.labs import hibernation, lease, queries
from chalicelib.services.labs.transitions import Answered

_LAB = "/labs/{lab_id}"


def route_evenings(door: Door) -> None:
    """Register them all."""
    _route_lease(door)
    _route_sleep(door)


def _route_lease(door: Door) -> None:
    @door.route("POST", f"{_LAB}/extend")
    def post_extend(lab_id: str) -> Response:
        deps = door.deps
        wish = curfew_params.read_extension(door.body, door.header("content-type"))
        extension = lease.extend_lab(deps, door.caller, lab_id, wish, deps.clock.now())
        _log(door, "A lease was extended.", lab_id)
        return json_answer(curfew.extension_view(extension, door.base))

    @door.route("POST", f"{_LAB}/protect")
    def post_protect(lab_id: str) -> Response:
        deps = door.deps
        until, why = curfew_params.read_protection(door.body, door.header("content-type"))
        answer = lease.protect_lab(deps, door.caller, lab_id, until, why, deps.clock.now())
        _log(door, "A protection was changed.", lab_id)
        return _whole(door, answer)

    @door.route("PUT", f"{_LAB}/evening")
    def put_evening(lab_id: str) -> Response:
        deps = door.deps
        rules = EveningRules(deps.curfew.evening, deps.curfew.is_known_country)
        evening = curfew_params.read_whole_evening(door.body, door.header("content-type"), rules)
        answer = lease.set_evening(deps, door.caller, lab_id, evening, deps.clock.now())
        _log(door, "An evening was changed.", lab_id)
        return _whole(door, answer)


def _route_sleep(door: Door) -> None:
    @door.route("POST", f"{_LAB}/hibernate")
    def post_hibernate(lab_id: str) -> Response:
        return _under_way(door, hibernation.hibernate_lab(door.deps, door.caller, lab_id, door.deps.clock.now()))

    @door.route("POST", f"{_LAB}/wake")
    def post_wake(lab_id: str) -> Response:
        return _under_way(door, hibernation.wake_lab(door.deps, door.caller, lab_id, door.deps.clock.now()))


def _whole(door: Door, answer: Answered) -> Response:
    """The lab whole, with warnings."""
    deps = door.deps
    view = queries.get_lab(deps, door.caller, answer.lab.id, deps.clock.now())
    return json_answer({**labs.lab_view(view, door.base), "warnings": labs.warnings(answer.findings)})


def _under_way(door: Door, answer: Answered) -> Response:
    _log(door, "A lab was asked to sleep or to wake.", answer.lab.id)
    body = labs.answered(answer, door.base)
    return json_answer(body, 202, {"Location": body["links"]["self"]})


def _log(door: Door, message: str, lab_id: str) -> None:
    logger.info(message, extra={"lab_id": lab_id, "caller": door.caller.arn})
