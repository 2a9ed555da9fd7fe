"""A TLS listener on this machine that passes requests on and writes the answers, or closes the connection without one."""

from __future__ import annotations

import json
import select
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from emulator.eks.kubernetes.answers import Reply, Request
from emulator.eks.kubernetes.wire.protobuf import MAGIC, read


class Listener:
    """Listens from construction on, on `port` of 127.0.0.1."""

    def __init__(self, port: int, context: ssl.SSLContext, reply: Callable[[Request], Reply | None]) -> None:
        handler = type("Handler", (_Handler,), {"reply": staticmethod(reply)})
        self._server = _Server(("127.0.0.1", port), handler)
        self._server.context = context
        self.port = int(self._server.server_address[1])
        threading.Thread(target=self._server.serve_forever, name="kubernetes", daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    context: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands on the connection's own thread, so that a slow client blocks no other."""
        request.settimeout(30)
        try:
            secured = self.context.wrap_socket(request, server_side=True)
        except OSError:
            return
        with secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that hang up; show every other error, which is a defect of this program."""
        import sys

        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    reply: Callable[[Request], Reply | None]

    def _handle(self) -> None:
        found = self.reply(self._request())
        if found is None:
            self.close_connection = True
            return
        status, body = found
        if isinstance(body, Iterator):
            self._stream(status, body)
            return
        payload = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self._begin(status, "text/plain" if isinstance(body, str) else "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def _begin(self, status: int, kind: str) -> None:
        """Send the headers of every answer; clients cache discovery, and must revalidate it."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "no-cache, private")

    def _request(self) -> Request:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        given = read(body) if body.startswith(MAGIC) else _json(body)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        accept, kind = self.headers.get("Accept", ""), self.headers.get("Content-Type", "")
        return Request(self.command, self.path, token, self.client_address[0], accept, kind, given)

    def _stream(self, status: int, events: Iterator[dict[str, Any]]) -> None:
        """Send one event a line, in chunks; an empty one only shows whether the client is still there."""
        self._begin(status, "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in events:
            if select.select([self.connection], [], [], 0)[0]:
                break  # A client that watches sends nothing more, so it has hung up.
            if event:
                line = json.dumps(event).encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True

    do_GET = do_DELETE = do_POST = do_PUT = do_PATCH = _handle  # noqa: N815 (the names http.server calls)

    def log_message(self, format: str, *args: Any) -> None:
        """Write no access log."""


def _json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else {}
    except ValueError:
        return None
