"""Sign-in and sign-out of a browser: to the user pool's login, back with a code, and the page after signing out.

The cookie of a login holds its secret, and the page to show afterwards. It ends with the login, however that ends, and lives ten
minutes at most. `Lax`, since a browser that comes back from another site sends no stricter one.
"""

from __future__ import annotations

import secrets

from chalice import Response

from chalicelib.api.context import RequestContext
from chalicelib.api.pages.visit import COOKIE, cookie_value, is_own_path, lead, root_of
from chalicelib.domain.errors.tree import LoginRefused
from chalicelib.domain.identity.sessions import LASTS
from chalicelib.domain.identity.user_pools import pool_user
from chalicelib.ports.people import UserPool
from chalicelib.services.login import end_session, login_address, logout_address, sign_in

LOGIN_COOKIE = "__Host-ekslab-login"
_LOGIN_LASTS = 600
_ATTRIBUTES = "Path=/; Secure; HttpOnly; SameSite=Lax"
#: The paths of the login, below `/ui/`.
PATHS = ("login", "callback", "signed-out")


def begin(context: RequestContext, pool: UserPool) -> Response:
    """Redirect to the login; `to` in the query is the page to show afterwards, one of our own."""
    to, secret = context.query.get("to", ""), secrets.token_urlsafe(32)
    value = f"{secret}.{to}" if is_own_path(to) else f"{secret}."
    address = login_address(pool, secret, context.header("host"))
    return lead(address, _set(LOGIN_COOKIE, value, _LOGIN_LASTS))


def come_back(context: RequestContext, pool: UserPool) -> Response:
    """Open a new session from the login's code, also for a browser that has one. Raises LoginRefused, Transient."""
    kept = cookie_value(context.header("cookie"), LOGIN_COOKIE) or ""
    secret, _, to = kept.partition(".")
    given, token = context.query, secrets.token_urlsafe(32)
    if given.get("error"):
        raise LoginRefused("The login ended without a user.")
    came = (given.get("code", ""), given.get("state", ""))
    deps = context.deps
    sign_in(deps, pool, secret, came, context.header("host"), token, deps.clock.now())
    before = cookie_value(context.header("cookie"), COOKIE)
    if before:
        end_session(deps, before)
    place = f"{root_of(context.path)}{to if is_own_path(to) else 'labs'}"
    return lead(place, _set(COOKIE, token, int(LASTS.total_seconds())), forget(LOGIN_COOKIE))


def forget(name: str) -> str:
    """The header that deletes a cookie."""
    return _set(name, "", 0)


def way_out(context: RequestContext, arn: str) -> str | None:
    """The address at which the login signs the browser out, for a caller who came by it; None for everybody else."""
    pool = context.deps.user_pool
    if pool is None or pool_user(arn) is None:
        return None
    return logout_address(pool, context.header("host"))


def _set(name: str, value: str, seconds: int) -> str:
    return f"{name}={value}; Max-Age={seconds}; {_ATTRIBUTES}"
