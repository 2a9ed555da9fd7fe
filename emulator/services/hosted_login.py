"""Adds to the emulator's login of user pools: a cookie that stays signed in for an hour, and `/logout` that ends it.

A browser with the cookie is offered to go on as the same user, without a password; `prompt=login` asks for it again.
`/logout` leads to an address that the client allows, or on to the login. `GET /login` is the page that `/oauth2/authorize`
leads to. A mail address that nobody verified is unverified in ID tokens.
"""

import html
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from ministack import app
from ministack.services import cognito

COOKIE = "cognito"
_LASTS = 3600
_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Lax"
Answer = tuple[int, dict[str, Any], bytes]
Headers = Mapping[str, str]
Query = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The user of a cookie, and the cookie's expiry."""

    pool_id: str
    username: str
    until: float


_known: dict[str, SignedIn] = {}


def install() -> None:
    """Install these additions in this process's emulator."""
    cognito.handle_login_submit = _remembering(cognito.handle_login_submit)
    cognito.handle_oauth2_authorize = _offering(cognito.handle_oauth2_authorize)
    cognito.handle_logout = _forgetting(cognito.handle_logout)
    cognito._fake_token = _of_verified_addresses(cognito._fake_token)
    app._handle_cognito_get_request = _with_login_page(app._handle_cognito_get_request)


def signed_in(headers: Headers, client_id: str) -> SignedIn | None:
    """The user signed in by the request's cookie at this client's pool; None if nobody is signed in or the user was disabled."""
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    known = _known.get(morsel.value) if morsel else None
    pool_id, pool, _ = cognito._find_pool_by_client_id(client_id)
    if known is None or known.pool_id != pool_id or known.until < time.time():
        return None
    user = pool["_users"].get(known.username)
    return known if user and user.get("Enabled", True) else None


def _remembering(submit: Callable[..., Answer]) -> Callable[..., Answer]:
    def submitted(method: str, path: str, headers: Headers, body: bytes, query: Query) -> Answer:
        form = {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}
        if form.get("go_on"):
            return _go_on(headers, form)
        status, given, content = submit(method, path, headers, body, query)
        found = dict(parse_qsl(urlsplit(given.get("Location", "")).query))
        code = cognito._authorization_codes.get(found.get("code", ""))
        if status == 302 and code:
            given = {**given, "Set-Cookie": _remember(code["pool_id"], code["username"])}
        return status, given, content

    return submitted


def _remember(pool_id: str, username: str) -> str:
    token = secrets.token_urlsafe(32)
    _known[token] = SignedIn(pool_id, username, time.time() + _LASTS)
    return f"{COOKIE}={token}; Max-Age={_LASTS}; {_ATTRIBUTES}"


def _go_on(headers: Headers, form: Mapping[str, str]) -> Answer:
    known = signed_in(headers, form.get("client_id", ""))
    if known is None:
        refused: Answer = cognito._oauth2_error("invalid_request", "Nobody is signed in.")
        return refused
    given = cognito._extract_oauth_form_params(form)
    given.pop("response_type")
    led: Answer = cognito._issue_auth_code_redirect(pool_id=known.pool_id, username=known.username, **given)
    return led


def _offering(authorize: Callable[..., Answer]) -> Callable[..., Answer]:
    def authorized(method: str, path: str, headers: Headers, query: Query) -> Answer:
        status, given, content = authorize(method, path, headers, query)
        known = signed_in(headers, cognito._qp(query, "client_id")) if status == 200 else None
        if known is None or "login" in cognito._qp(query, "prompt").split():
            return status, given, content
        return status, given, content.replace(b'<form method="POST"', _offer(known, query) + b'<form method="POST"', 1)

    return authorized


def _offer(known: SignedIn, query: Query) -> bytes:
    kept = cognito._extract_oauth_form_params({name: cognito._qp(query, name) for name in query})
    fields = "".join(f'<input type="hidden" name="{name}" value="{html.escape(kept[name])}">' for name in kept)
    button = f'<button type="submit" name="go_on" value="yes">Sign in as {html.escape(known.username)}</button>'
    return f'<form method="post" action="/login">{fields}{button}</form>'.encode()


def _forgetting(logout: Callable[..., Answer]) -> Callable[..., Answer]:
    def logged_out(method: str, path: str, headers: Headers, query: Query) -> Answer:
        client_id, to = cognito._qp(query, "client_id"), cognito._qp(query, "logout_uri")
        client = cognito._find_pool_by_client_id(client_id)[2] or {}
        if client and not to and cognito._qp(query, "redirect_uri"):
            kept = urlencode({name: cognito._qp(query, name) for name in query})
            status, given, content = 302, {"Location": f"/login?{kept}", "Cache-Control": "no-store"}, b""
        elif client and to and to not in client.get("LogoutURLs", []):
            status, given, content = cognito._oauth2_error("invalid_request", f"logout_uri is not allowed: {to}")
        else:
            status, given, content = logout(method, path, headers, query)
        return (status, _forget(headers, given), content) if status == 302 else (status, given, content)

    return logged_out


def _forget(headers: Headers, given: dict[str, Any]) -> dict[str, Any]:
    for part in headers.get("cookie", "").split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            _known.pop(value, None)
    return {**given, "Set-Cookie": f"{COOKIE}=; Max-Age=0; {_ATTRIBUTES}"}


def _of_verified_addresses(token: Callable[..., str]) -> Callable[..., str]:
    def made(*args: Any, user_attrs: dict[str, Any] | None = None, **kwargs: Any) -> str:
        if user_attrs and "email" in user_attrs:
            user_attrs = {"email_verified": "false", **user_attrs}
        return token(*args, user_attrs=user_attrs, **kwargs)

    return made


def _with_login_page(handle: Callable[..., Any]) -> Callable[..., Any]:
    async def handled(method: str, path: str, headers: Headers, query: Query) -> Any:
        if (method, path) == ("GET", "/login"):
            return cognito.handle_oauth2_authorize(method, path, headers, query)
        return await handle(method, path, headers, query)

    return handled
