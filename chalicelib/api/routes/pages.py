"""The routes of the page, and how a browser's session begins. Page routes have no authorizer: `pages/site.py` asks for a session.

Nothing of the pages is imported before one is asked for.
"""

from __future__ import annotations

import json
import secrets

from chalice import Response

from chalicelib.api.context import RequestContext, json_answer
from chalicelib.logs import logger


def route_pages(context: RequestContext) -> None:
    """Register them all."""
    _route_sessions(context)

    def show() -> Response:
        from chalicelib.api.pages.site import answer

        return answer(context, "GET")

    for path in ("/", "/ui", "/ui/{path+}"):
        context.public_route("GET", path)(show)

    @context.public_route("POST", "/ui/{path+}")
    def post_page() -> Response:
        from chalicelib.api.pages.site import answer

        return answer(context, "POST")

    @context.public_route("GET", "/openapi.json")
    def get_openapi() -> Response:
        from chalicelib.api.openapi.document import document

        return Response(json.dumps(document()), headers={"Content-Type": "application/json"})


def _route_sessions(context: RequestContext) -> None:
    @context.route("POST", "/sessions", viewers=True)
    def post_session() -> Response:
        """Whoever signs this gets a session that stands for them: `ekslab dashboard` does."""
        from chalicelib.api.views.json_format import instant
        from chalicelib.services.sessions import open_session

        token = secrets.token_urlsafe(32)
        arn, account, role_id = context.signer
        session = open_session(context.deps, arn, account, role_id, token, context.deps.clock.now())
        logger.info("A session was opened.", extra={"caller": arn, "ends_at": instant(session.ends_at)})
        headers = {"Cache-Control": "no-store"}
        return json_answer({"token": token, "endsAt": instant(session.ends_at)}, 201, headers)
