"""Signing in with the user pool: the login address, and the session from the code that the browser returns with.

All values of one login derive from a secret in a cookie of the browser: its state, its nonce and its verifier (PKCE).
So nothing is stored for an unknown person. A session is opened for the signer of a request as well, found by its token, and
ended by signing out.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from urllib.parse import urlencode

from chalicelib.domain.core.deferred import pattern
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import LoginRefused
from chalicelib.domain.identity.person import identity_key
from chalicelib.domain.identity.sessions import LASTS, Session, is_token, session_key
from chalicelib.domain.identity.user_pools import user_in, why_refused
from chalicelib.logs import logger
from chalicelib.ports.deps import Deps
from chalicelib.ports.people import PoolClient, UserPool


def open_session(deps: Deps, signer: tuple[str, str, str | None], identity: str, token: str, now: datetime) -> Session:
    """Store a new session under its token. `signer`: ARN, account and the role's id; `identity`: the ARN that owns its labs."""
    arn, account, role_id = signer
    whose = identity_key(identity)
    person = deps.people.person_by_key(whose)
    language = person.seen_by(identity).language if person else None
    session = Session(arn, account, role_id, now, now + LASTS, whose, language)
    deps.store.put_session(session_key(token), session)
    return session


def session_of(deps: Deps, token: str, now: datetime) -> Session | None:
    """The session of this token; None if there is none, or it has ended. The table deletes it days later."""
    if not is_token(token):
        return None
    session = deps.store.session(session_key(token))
    return session if session is not None and session.ends_at > now else None


def end_session(deps: Deps, token: str) -> None:
    """Delete it at once; absent is fine."""
    if is_token(token):
        deps.store.end_session(session_key(token))


_CODE = pattern(r"[0-9A-Za-z_-]{8,512}")
_AGAIN = Sentence("Sign in again from the beginning: this login was begun elsewhere, or has come back before.")


def login_address(pool: UserPool, secret: str, host: str | None) -> str:
    """The login address for a browser with this secret. `host` chooses among the callback addresses of the pool."""
    client = pool.client()
    challenge = base64.urlsafe_b64encode(hashlib.sha256(_part(secret, "verifier").encode()).digest()).rstrip(b"=")
    asked = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": callback_for(client, host),
        "scope": "openid",
        "state": _part(secret, "state"),
        "nonce": _part(secret, "nonce"),
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
    }
    return f"{client.login_url}/oauth2/authorize?{urlencode(asked)}"


def logout_address(pool: UserPool, host: str | None) -> str:
    """The address at which the pool signs the browser out, too."""
    client = pool.client()
    asked = {"client_id": client.id, "logout_uri": _of_host(client.signed_out, host)}
    return f"{client.login_url}/logout?{urlencode(asked)}"


def callback_for(client: PoolClient, host: str | None) -> str:
    """The pool's callback address for this host, else the first: a forged host never gets an address of its own."""
    return _of_host(client.callbacks, host)


def sign_in(
    deps: Deps, pool: UserPool, secret: str, given: tuple[str, str], host: str | None, token: str, now: datetime
) -> str:
    """Open a session under `token` for the person who logged in; return their ARN. `given`: the code and the state.

    Raises LoginRefused, Transient.
    """
    code, state = given
    if not (is_token(secret) and is_token(state) and hmac.compare_digest(_part(secret, "state"), state)):
        raise LoginRefused(_AGAIN)
    if not _CODE.fullmatch(code):
        raise LoginRefused("The login came back without a code.")
    client = pool.client()
    claims = pool.redeem(code, _part(secret, "verifier"), callback_for(client, host))
    reason = why_refused(claims, client.issuer, client.id, _part(secret, "nonce"), now)
    user = user_in(claims, client.pool_arn)
    if reason is not None or user is None:
        logger.warning("An ID token was refused.", extra={"reason": reason or "it names nobody"})
        raise LoginRefused("What the login says of you can't be believed here.")
    open_session(deps, (user.arn, client.pool_arn.split(":")[4], None), user.arn, token, now)
    logger.info("Somebody signed in.", extra={"caller": user.arn})
    return user.arn


def _of_host(addresses: tuple[str, ...], host: str | None) -> str:
    if not addresses:
        raise LoginRefused("The user pool's client knows no address of this page.")
    return next((each for each in addresses if each.split("/")[2] == host), addresses[0])


def _part(secret: str, what: str) -> str:
    """One of the values of a login, of 256 bits; none reveals another one or the secret."""
    digest = hmac.new(secret.encode(), f"login:{what}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
