"""Routes beside AWS's, on the same port and for this machine only: `/_emulator/<name>`; `routes.py` documents them."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

PREFIX = "/_emulator/"

Route = Callable[[Any], Mapping[str, Any]]
"""Takes the request's JSON body (None when empty), returns the answer's. A ValueError becomes status 400."""

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def with_admin_routes(aws: AsgiApp, routes: Mapping[tuple[str, str], Route]) -> AsgiApp:
    """Return an ASGI application that answers `routes`, keyed (method, name), itself and leaves the rest to `aws`."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            # In a thread: a route may wait for what EKS holds while it calls this very server.
            status, answer = await asyncio.to_thread(_answer, routes, scope, await _body(receive))
            await _send_json(send, status, answer)
        else:
            await aws(scope, receive, send)

    return serve


def _answer(routes: Mapping[tuple[str, str], Route], scope: Scope, body: bytes) -> tuple[int, Mapping[str, Any]]:
    caller = (scope.get("client") or ("",))[0]
    if caller != "127.0.0.1":
        return 403, {"message": f"only this machine may do that, not {caller}"}
    route = routes.get((scope["method"], scope["path"].removeprefix(PREFIX)))
    if route is None:
        return 404, {"message": "there is: " + ", ".join(f"{method} {PREFIX}{name}" for method, name in routes)}
    try:
        return 200, route(json.loads(body) if body else None)
    except ValueError as error:
        return 400, {"message": str(error)}


async def _body(receive: Receive) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _send_json(send: Send, status: int, answer: Mapping[str, Any]) -> None:
    body = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
