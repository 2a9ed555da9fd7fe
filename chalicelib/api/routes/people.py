"""The route over people who are to be forgotten; for administrators."""

from __future__ import annotations

from chalice import Response

from chalicelib.api.context import RequestContext, json_answer
from chalicelib.logs import logger
from chalicelib.services.labs.erasure import erase_person


def route_people(context: RequestContext) -> None:
    """Register it."""

    @context.route("DELETE", "/people/{name}")
    def delete_person(name: str) -> Response:
        done = erase_person(context.deps, context.caller, name)
        logger.info("A person was erased.", extra={"caller": context.caller.arn, "labs": done.labs, "left": done.left})
        return json_answer({"labs": done.labs, "left": done.left})
