"""One API server over HTTPS, trusted by the cluster's own certificate authority only.

The answering server need not be an API server, since a lab's owner may have replaced it: a redirect would leak the
bearer token and is not followed, answers are bounded, and a malformed one counts as no answer.
"""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from chalicelib.domain.core.sentence import Sentence

_PAGE = 500
#: Bytes of one answer, and pages of one list: ten times those of the largest lab.
_MOST_BYTES, _MOST_PAGES = 32 * 1024 * 1024, 100


#: Errors of reading an answer whose parts differ from Kubernetes's.
MALFORMED = (AttributeError, KeyError, TypeError, ValueError)


class NotReachable(Exception):
    """No answer, or a malformed one. The message is for a person."""


class NotAnswered(NotReachable):
    """No answer in time, or a broken connection."""


class NotAdmitted(Exception):
    """The server answered 401 or 403. `lacks_access`: it does not know us, or does not even let us read."""

    def __init__(self, message: str, lacks_access: bool) -> None:
        self.lacks_access = lacks_access
        super().__init__(message)


class ApiServer:
    """`certificate_authority` is EKS's base64 of a PEM; `token` None: without credentials.

    `timeouts`: seconds for each attempt at a request. A request without an answer is sent again while there are attempts.
    """

    def __init__(self, endpoint: str, certificate_authority: str | None, token: str | None, *timeouts: float) -> None:
        self._endpoint, self._authority = endpoint.rstrip("/"), certificate_authority
        self._token, self._timeouts = token, timeouts

    def ask(self, method: str, path: str) -> dict[str, Any]:
        """The answer's object; empty for a missing one (404). Raises NotAdmitted, NotReachable."""
        *first, last = self._timeouts
        for timeout in first:
            with suppress(NotAnswered):
                return self._ask(method, path, timeout)
        return self._ask(method, path, last)

    def _ask(self, method: str, path: str, timeout: float) -> dict[str, Any]:
        headers = {"Accept": "application/json"}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(self._endpoint + path, headers=headers, method=method)
        try:
            with self._opener().open(request, timeout=timeout) as answer:
                body = json.loads(_bounded(answer))
        except urllib.error.HTTPError as error:
            return _refused(error, method, path)
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            kind = NotAnswered if isinstance(error, (OSError, http.client.HTTPException)) else NotReachable
            reason = str(getattr(error, "reason", error))
            raise kind(Sentence("the API server did not answer: {reason}", reason=reason)) from error
        if not isinstance(body, dict):
            raise NotReachable(Sentence("what answered is no API server"))
        return body

    def all(self, path: str) -> Iterator[dict[str, Any]]:
        """Every object of a list, over all its pages; none for an unknown kind. Raises NotReachable if it is not a list."""
        token = ""
        for _ in range(_MOST_PAGES):
            listed = self.ask("GET", f"{path}?limit={_PAGE}&continue={quote(token)}")
            if not listed:
                return
            items, metadata = listed.get("items"), listed.get("metadata", {})
            if not isinstance(items, list) or not isinstance(metadata, dict):
                raise NotReachable(Sentence("the API server gave no list on GET {path}", path=path))
            yield from (_object(item, path) for item in items)
            token = metadata.get("continue") or ""
            if not isinstance(token, str):
                raise NotReachable(Sentence("the API server gave no list on GET {path}", path=path))
            if not token:
                return
        raise NotReachable(Sentence("the API server's list on GET {path} does not end", path=path))

    def _opener(self) -> urllib.request.OpenerDirector:
        """Without proxies and without redirects."""
        director = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.HTTPSHandler(context=self._trust()),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.UnknownHandler(),
        ):
            director.add_handler(handler)
        return director

    def _trust(self) -> ssl.SSLContext:
        """The cluster's authority only: behind a private address there may be someone else's server."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if self._authority is not None:
            context.load_verify_locations(cadata=base64.b64decode(self._authority).decode())
        return context


def _bounded(answer: Any) -> bytes:
    text: bytes = answer.read(_MOST_BYTES + 1)
    if len(text) > _MOST_BYTES:
        raise ValueError("its answer is too long")
    return text


def _object(item: object, path: str) -> dict[str, Any]:
    """The item, if it is an object of Kubernetes: with a name, and with mappings where Kubernetes has them."""
    malformed = NotReachable(Sentence("the API server gave something malformed on GET {path}", path=path))
    if not isinstance(item, dict) or not isinstance(item.get("metadata"), dict):
        raise malformed
    metadata = item["metadata"]
    if not isinstance(metadata.get("name"), str) or not isinstance(metadata.get("namespace", ""), str):
        raise malformed
    for holder, names in ((item, ("spec", "status")), (metadata, ("labels", "annotations"))):
        for name in names:
            if holder.get(name) is None:
                holder.pop(name, None)
            elif not isinstance(holder[name], dict):
                raise malformed
    return item


def _refused(error: urllib.error.HTTPError, method: str, path: str) -> dict[str, Any]:
    what = f"{method} {path}"
    if error.code == 404:
        return {}
    if error.code in (401, 403):
        text = Sentence("the API server does not let this service in ({code} on {what})", code=error.code, what=what)
        raise NotAdmitted(text, lacks_access=error.code == 401 or method == "GET")
    raise NotReachable(Sentence("the API server answered {code} on {what}", code=error.code, what=what))
