"""The routes without a signature: the link in a warning is the proof. GET shows a page, POST keeps the lab.

Programs that accept JSON get the same as JSON, refusals as problems.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from chalice import Response

from chalicelib.api.context import RequestContext, json_answer
from chalicelib.api.problems import answers_problems, explained
from chalicelib.api.views.keep import keep_view
from chalicelib.api.views.keep_page import HEADERS, keep_page, refusal_page
from chalicelib.domain.core.sentence import Sentence, Words
from chalicelib.domain.errors.tree import EkslabError
from chalicelib.logs import logger
from chalicelib.services.curfew.keep import KeepView, keep_by_link, look_at_link

View = TypeVar("View")

_PATH = "/keep/{token}"
_HTML = "text/html; charset=utf-8"
#: What the OpenAPI document says of the routes that need no signature: their success, and their refusals.
AS_WANTED, LINK_REFUSALS = (200, Sentence("A page, or JSON")), (404, 409, 410, 429)


def route_keeping(context: RequestContext) -> None:
    """Register both."""

    def look(token: str) -> KeepView:
        return look_at_link(context.deps, token, context.deps.clock.now())

    def keep(token: str) -> KeepView:
        view = keep_by_link(context.deps, token, context.deps.clock.now())
        logger.info("A lab was kept by its link.", extra={"lab_id": view.lab.id, "until": str(view.keeping.until)})
        return view

    @context.route("GET", _PATH, "What a keep-link would keep; changes nothing", AS_WANTED, LINK_REFUSALS, public=True)
    def get_keep(token: str) -> Response:
        return as_wanted(context, look, token, keep_view, keep_page)

    @context.route("POST", _PATH, "Keep the lab for one night more", AS_WANTED, LINK_REFUSALS, public=True)
    def post_keep(token: str) -> Response:
        return as_wanted(context, keep, token, keep_view, keep_page)


def as_wanted(
    context: RequestContext,
    act: Callable[[str], View],
    token: str,
    to_json: Callable[[View], Mapping[str, Any]],
    page: Callable[[View, Words], str],
) -> Response:
    """The answer, or its problem: as a page in the browser's language, unless JSON is requested."""
    views, refusals = list[View](), list[EkslabError]()

    def acting(token: str) -> Response:
        try:
            views.append(act(token))
        except EkslabError as error:
            refusals.append(error)
            raise
        return json_answer(to_json(views[-1]))

    answer = answers_problems(acting)(token)
    headers = {**answer.headers, **HEADERS}
    if not _wants_json(context.header("accept")):
        headers["Content-Type"] = _HTML
        words = context.words
        answer.body = page(views[-1], words) if views else refusal_page(*why_refused(refusals), words)
    answer.headers = headers
    return answer


def why_refused(refusals: Sequence[EkslabError]) -> tuple[str, str]:
    """Title and detail of an error; an unexpected one gets only a title."""
    if refusals:
        _, title, detail = explained(refusals[-1])
        return title, detail
    return Sentence("Something went wrong here"), Sentence("It was logged; it is ours to fix.")


def _wants_json(accept: str | None) -> bool:
    return "json" in (accept or "") and "text/html" not in (accept or "")
