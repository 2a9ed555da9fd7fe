"""The routes without a signature: the link in a warning is the proof. GET shows a page, POST keeps the lab.

Programs that accept JSON get the same as JSON, refusals as problems.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from chalice import Response

from chalicelib.api.context import RequestContext, json_answer
from chalicelib.api.problems import answers_problems
from chalicelib.api.views.keep_page import HEADERS, keep_page, keep_view, refusal_page
from chalicelib.domain.core.sentence import Words
from chalicelib.logs import logger
from chalicelib.services.curfew.keep import KeepView, keep_by_link, look_at_link

View = TypeVar("View")

_PATH = "/keep/{token}"
_HTML = "text/html; charset=utf-8"
LINK_REFUSALS = (404, 409, 410, 429)


def route_keeping(context: RequestContext) -> None:
    """Register both."""

    @link_route(context, "GET", _PATH, "Show the effect of a keep-link", LINK_REFUSALS, keep_view, keep_page)
    def get_keep(token: str) -> KeepView:
        return look_at_link(context.deps, token, context.deps.clock.now())

    @link_route(context, "POST", _PATH, "Keep the lab for one more night", LINK_REFUSALS, keep_view, keep_page)
    def post_keep(token: str) -> KeepView:
        view = keep_by_link(context.deps, token, context.deps.clock.now())
        logger.info("A lab was kept by its link.", extra={"lab_id": view.lab.id, "until": str(view.keeping.until)})
        return view


def link_route(
    context: RequestContext,
    method: str,
    path: str,
    summary: str,
    refusals: tuple[int, ...],
    to_json: Callable[[View], Mapping[str, Any]],
    page: Callable[[View, Words], str],
    types: tuple[str, ...] = (),
) -> Callable[[Callable[..., View]], None]:
    """Register the route of a mail's link. It needs no signature: the token in its path is the proof.

    The answer, or its problem, is a page in the browser's language, unless JSON is requested. `types`: as in Operation.
    """

    def register(act: Callable[..., View]) -> None:
        @context.route(
            method,
            path,
            summary,
            (200, "A page, or JSON"),
            refusals,
            public=True,
            other_media=("text/html",),
            types=types,
        )
        @functools.wraps(act)
        def answer(**link: str) -> Response:
            return _as_wanted(context, functools.partial(act, **link), to_json, page)

    return register


def _as_wanted(
    context: RequestContext,
    act: Callable[[], View],
    to_json: Callable[[View], Mapping[str, Any]],
    page: Callable[[View, Words], str],
) -> Response:
    views = list[View]()

    def acting() -> Response:
        views.append(act())
        return json_answer(to_json(views[0]))

    answer = answers_problems(acting)()
    answer.headers = {**answer.headers, **HEADERS}
    if not _wants_json(context.header("accept")):
        answer.headers["Content-Type"] = _HTML
        told, words = answer.body, context.words
        answer.body = page(views[0], words) if views else refusal_page(told["title"], told["detail"], words)
    return answer


def _wants_json(accept: str | None) -> bool:
    return "json" in (accept or "") and "text/html" not in (accept or "")
