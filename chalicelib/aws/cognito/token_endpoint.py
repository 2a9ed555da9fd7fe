"""Exchanges a code for an ID token at the pool's token endpoint: TLS and the client's secret prove the sender.

OpenID Connect Core 1.0, 3.1.3.7 then accepts TLS instead of the token's signature. Redirects are refused, answers bounded.
"""

from __future__ import annotations

import base64
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from chalicelib.domain.errors.tree import AwsUnavailable, LoginRefused

_TIMEOUT, _MOST_BYTES = 5, 65536


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """None: a redirect is an error."""


def id_token_claims(
    url: str, client_id: str, secret: str, code: str, verifier: str, callback: str
) -> Mapping[str, object]:
    """The claims of the ID token. Raises LoginRefused if the endpoint refuses, AwsUnavailable if it does not answer."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": callback, "code_verifier": verifier}
    basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
    request = urllib.request.Request(f"{url}/oauth2/token", urlencode(form).encode(), headers, method="POST")
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=_TIMEOUT) as answer:
            return claims_of(answer.read(_MOST_BYTES + 1))
    except urllib.error.HTTPError as error:
        if error.code == 429 or error.code >= 500:
            raise AwsUnavailable(f"The login answered with {error.code}.") from error
        raise LoginRefused("The login does not take the code: it works once, and for some minutes.") from error
    except (OSError, http.client.HTTPException) as error:
        raise AwsUnavailable("The login does not answer.") from error


def claims_of(body: bytes) -> Mapping[str, object]:
    """The claims in a token endpoint's answer. Raises LoginRefused."""
    try:
        if len(body) > _MOST_BYTES:
            raise ValueError("too long")
        _, payload, _ = json.loads(body)["id_token"].split(".")
        claims = json.loads(base64.b64decode(payload + "=" * (-len(payload) % 4), altchars=b"-_", validate=True))
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise LoginRefused("The login gave no ID token that can be read.") from error
    if not isinstance(claims, dict):
        raise LoginRefused("The login gave no ID token that can be read.")
    return claims
