"""Browser sessions: opened for the signer of a request, found by token, ended by signing out."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.identity.person import identity_key
from chalicelib.domain.identity.sessions import LASTS, Session, is_token, session_key
from chalicelib.ports.deps import Deps


def open_session(deps: Deps, signer: tuple[str, str, str | None], identity: str, token: str, now: datetime) -> Session:
    """Store a new session under its token. `signer`: ARN, account and the role's id; `identity`: the ARN that owns its labs."""
    arn, account, role_id = signer
    whose = identity_key(identity)
    person = deps.people.person_by_key(whose)
    session = Session(arn, account, role_id, now, now + LASTS, whose, person.language if person else None)
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
