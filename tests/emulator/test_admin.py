"""The sandbox's own routes never block the server: the holder of EKS's lock may be calling that very server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from emulator.server.admin import with_admin_routes


def test_a_route_that_waits_lets_the_server_go_on() -> None:
    held, message = threading.Event(), []

    def waiting(_: Any) -> Mapping[str, Any]:
        message.append(held.wait(timeout=30))
        return {}

    async def aws(_scope: Any, _receive: Any, _send: Any) -> None:
        held.set()  # Only a server that is not blocked gets here.

    async def receive() -> Mapping[str, Any]:
        return {"body": b"", "more_body": False}

    async def send(_message: Mapping[str, Any]) -> None:
        return None

    async def both() -> None:
        app = with_admin_routes(aws, {("POST", "wait"): waiting})
        route = {"type": "http", "method": "POST", "path": "/_emulator/wait", "client": ("127.0.0.1", 1)}
        other = {"type": "http", "method": "GET", "path": "/", "client": ("127.0.0.1", 1)}
        await asyncio.gather(app(route, receive, send), app(other, receive, send))

    asyncio.run(both())
    assert message == [True]
