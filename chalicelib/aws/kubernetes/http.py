"""One API server over HTTPS, trusted by the cluster's own certificate authority and nobody else's."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

_PAGE = 500


class NotReachable(Exception):
    """No answer, or none that makes sense. The message is for a person."""


class NotAdmitted(Exception):
    """The server answered 401 or 403. `lacks_access`: it does not know us, or knows us and does not even let us look."""

    def __init__(self, message: str, lacks_access: bool) -> None:
        self.lacks_access = lacks_access
        super().__init__(message)


class ApiServer:
    """`certificate_authority` is EKS's base64 of a PEM; `token` None asks as nobody; `timeout` in seconds, per request."""

    def __init__(self, endpoint: str, certificate_authority: str | None, token: str | None, timeout: float) -> None:
        self._endpoint, self._authority = endpoint.rstrip("/"), certificate_authority
        self._token, self._timeout = token, timeout

    def ask(self, method: str, path: str) -> dict[str, Any]:
        """The answer's object; that of a thing which is not there (404) is empty. Raises NotAdmitted, NotReachable."""
        headers = {"Accept": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self._endpoint + path, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=self._timeout, context=self._trust()) as answer:
                body = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return _refused(error, method, path)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotReachable(f"the API server did not answer: {getattr(error, 'reason', error)}") from error
        if not isinstance(body, dict):
            raise NotReachable("what answered is no API server")
        return body

    def all(self, path: str) -> Iterator[dict[str, Any]]:
        """Every object of a list, over all its pages; nothing where the kind is unknown."""
        token = ""
        while True:
            listed = self.ask("GET", f"{path}?limit={_PAGE}&continue={quote(token)}")
            yield from listed.get("items", [])
            token = listed.get("metadata", {}).get("continue", "")
            if not token:
                return

    def _trust(self) -> ssl.SSLContext:
        """The cluster's authority only: behind a private address there may be someone else's server."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self._authority is not None:
            context.load_verify_locations(cadata=base64.b64decode(self._authority).decode())
        return context


def _refused(error: urllib.error.HTTPError, method: str, path: str) -> dict[str, Any]:
    what = f"{method} {path}"
    if error.code == 404:
        return {}
    if error.code in (401, 403):
        text = f"the API server does not let this service in ({error.code} on {what})"
        raise NotAdmitted(text, lacks_access=error.code == 401 or method == "GET")
    raise NotReachable(f"the API server answered {error.code} on {what}")
