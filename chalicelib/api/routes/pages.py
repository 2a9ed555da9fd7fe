"""The routes of the page, and the start of a browser's session. Page routes have no authorizer: `pages/site.py` needs a session.

The page's modules are imported at the first request for one.
"""

from __future__ import annotations

import json
import secrets

from chalice import Response

from chalicelib.api.context import RequestContext, json_answer
from chalicelib.domain.core.sentence import Sentence
from chalicelib.logs import logger

_HTML = "text/html"
_MOVED = ((303, Sentence("Redirect to the page's address")),)


def route_pages(context: RequestContext) -> None:
    """Register the routes."""
    _route_sessions(context)

    def show() -> Response:
        from chalicelib.api.pages.site import answer

        return answer(context, "GET")

    for path, what in (
        ("/", Sentence("The page")),
        ("/ui", Sentence("The page")),
        ("/ui/{path+}", Sentence("Get a page, with a session's cookie")),
    ):
        described = context.route("GET", path, what, (200, "A page"), (401, 404), public=True, media=_HTML, also=_MOVED)
        described(show)

    @context.route(
        "POST",
        "/ui/{path+}",
        "Submit a page's form",
        (303, "Done: redirect to the page that shows the result"),
        (400, 401, 404, 409),
        media=_HTML,
        public=True,
    )
    def post_page() -> Response:
        from chalicelib.api.pages.site import answer

        return answer(context, "POST")

    @context.route("GET", "/openapi.json", "This document", (200, "The document"), public=True)
    def get_openapi() -> Response:
        from chalicelib.api.openapi.document import document

        return Response(json.dumps(document(context.operations)), headers={"Content-Type": "application/json"})


def _route_sessions(context: RequestContext) -> None:
    @context.route(
        "POST",
        "/sessions",
        "Open a browser's session for the signer",
        (201, "The session's token and end"),
        viewers=True,
    )
    def post_session() -> Response:
        """Return a session for the signer: `ekslab dashboard` requests it."""
        from chalicelib.api.views.json_format import instant
        from chalicelib.services.login import open_session

        token = secrets.token_urlsafe(32)
        deps, caller = context.deps, context.caller
        session = open_session(deps, context.signer, caller.identity, token, deps.clock.now())
        logger.info("A session was opened.", extra={"caller": caller.arn, "ends_at": instant(session.ends_at)})
        headers = {"Cache-Control": "no-store"}
        return json_answer({"token": token, "endsAt": instant(session.ends_at)}, 201, headers)
