"""The only routes that need no signature: the link in a warning is the proof. GET shows a page, POST keeps the lab.

Programs that accept JSON get the same as JSON, refusals as problems.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from chalice import Response

from chalicelib.api.context import RequestContext, json_answer
from chalicelib.api.problems import answers_problems
from chalicelib.api.views.keep import keep_view
from chalicelib.api.views.keep_page import HEADERS, keep_page, refusal_page
from chalicelib.logs import logger
from chalicelib.services.curfew.keep import keep_by_link, look_at_link

_PATH = "/keep/{token}"
_HTML = "text/html; charset=utf-8"


def route_keeping(context: RequestContext) -> None:
    """Register both."""

    def look(token: str) -> Response:
        return json_answer(keep_view(look_at_link(context.deps, token, context.deps.clock.now())))

    def keep(token: str) -> Response:
        view = keep_by_link(context.deps, token, context.deps.clock.now())
        logger.info("A lab was kept by its link.", extra={"lab_id": view.lab.id, "until": str(view.keeping.until)})
        return json_answer(keep_view(view))

    @context.public_route("GET", _PATH)
    def get_keep(token: str) -> Response:
        return as_wanted(context, look, token, keep_page)

    @context.public_route("POST", _PATH)
    def post_keep(token: str) -> Response:
        return as_wanted(context, keep, token, keep_page)


def as_wanted(
    context: RequestContext, act: Callable[[str], Response], token: str, page: Callable[[Mapping[str, Any]], str]
) -> Response:
    """The answer, or its problem: as a page, unless JSON is asked for."""
    answer = answers_problems(act)(token)
    headers = {**answer.headers, **HEADERS}
    if not _wants_json(context.header("accept")):
        headers["Content-Type"] = _HTML
        answer.body = (page if answer.status_code < 400 else refusal_page)(json.loads(answer.body))
    answer.headers = headers
    return answer


def _wants_json(accept: str | None) -> bool:
    return "json" in (accept or "") and "text/html" not in (accept or "")
