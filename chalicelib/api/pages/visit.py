"""One request of a browser: its session, its form, and the making of an answer. Links are relative.

A cookie that occurs twice is ignored: the owner of a neighbouring subdomain can add one. A form without this session's
token is refused, and so is one from another origin.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalice import Response

from chalicelib.api.context import RequestContext
from chalicelib.api.inputs.body import FORM, media_type, read_form
from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.core.language import Language
from chalicelib.domain.core.sentence import Words
from chalicelib.domain.errors.tree import InvalidRequest, NotYours
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.identity.sessions import form_token, is_form_token
from chalicelib.ports.deps import Deps
from chalicelib.services.login import session_of
from chalicelib.words.catalogues import words_of

COOKIE = "__Host-ekslab"
#: Only this page's own files, no frames, no cache and no search engine. `same-origin`, since a browser
#: without a referrer sends a form with the origin `null`.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}
HTML = "text/html; charset=utf-8"
#: The longest return path of a form: a path of this page below `/ui/`, and nothing that a browser reads as an address.
_LONGEST_PATH = 200
_OWN_PATH = pattern(r"(?:[a-z0-9][a-z0-9-]*)(?:/[a-z0-9][a-z0-9-]*){0,3}(?:\?[a-z]+=[a-z0-9-]+)?")


class FormRefused(NotYours):
    """The form does not belong to this session."""


@dataclass(frozen=True)
class Visit:
    """`root`: from this page to `/ui/`, as a relative link. `path`: below `/ui/`. `token`: the session's."""

    deps: Deps
    caller: Caller
    token: str
    path: str
    root: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    now: datetime
    context: RequestContext
    words: Words

    def show(self, template: str, status: int = 200, **model: Any) -> Response:
        """A page."""
        own = {"root": self.root, "caller": self.caller, "now": self.now, "path": self.path, "form_token": self.seal()}
        return html_of(template, {**own, **model}, self.words, status)

    def seal(self) -> str:
        """The token for a form of this page."""
        return form_token(self.token, secrets.token_hex(16))

    def go(self, to: str) -> Response:
        """Redirect to another of our pages: a path below `/ui/`, maybe with a query. Anything else redirects to the labs."""
        return lead(f"{self.root}{to if is_own_path(to) else 'labs'}")


def html_of(template: str, model: Mapping[str, Any], words: Words, status: int) -> Response:
    """A rendered template."""
    from chalicelib.api.pages.render import render

    return Response(render(template, model, words), status_code=status, headers={**HEADERS, "Content-Type": HTML})


def words_for(context: RequestContext, said: Language | None = None) -> Words:
    """The person's language, else the one that the browser asks for."""
    return words_of(said) if said else context.words


def lead(to: str, *cookies: str) -> Response:
    """Redirect the browser, and set cookies."""
    headers: dict[str, Any] = {**HEADERS, "Content-Type": HTML, "Location": to}
    return Response("", status_code=303, headers=headers | ({"Set-Cookie": list(cookies)} if cookies else {}))


def visit_of(context: RequestContext, method: str) -> Visit | None:
    """The visit; None without a valid session. Raises FormRefused."""
    now = context.deps.clock.now()
    token = session_token(context.header("cookie"))
    session = session_of(context.deps, token, now) if token else None
    caller = context.caller_as(session.arn, session.account, session.role_id) if session else None
    if token is None or session is None or caller is None:
        return None
    form = _form(context) if method == "POST" else {}
    if method == "POST":
        _refuse_foreign(context, token, form)
    path = context.below.strip("/")
    words = words_for(context, session.language)
    return Visit(context.deps, caller, token, path, root_of(context.path), context.query, form, now, context, words)


def session_token(cookies: str | None) -> str | None:
    """The one session cookie; None if there is none, or more than one."""
    return cookie_value(cookies, COOKIE)


def cookie_value(cookies: str | None, wanted: str) -> str | None:
    """The one cookie of this name; None if there is none, or more than one."""
    found = [part.partition("=") for part in (cookies or "").split(";")]
    values = [value.strip() for name, _, value in found if name.strip() == wanted]
    return values[0] if len(values) == 1 else None


def is_own_path(to: str) -> bool:
    """Whether it is a path of one of our pages, below `/ui/`. None has a long name."""
    return len(to) <= _LONGEST_PATH and _OWN_PATH.fullmatch(to) is not None


def root_of(path: str) -> str:
    """The relative link from a page's path, as the client wrote it, to `/ui/`: `../` for each level below it."""
    _, inside, below = path.partition("/ui/")
    if inside:
        return "../" * below.count("/")
    last = path.rpartition("/")[2]
    return "ui/" if last in ("", "ui") else f"{last}/ui/"


def _form(context: RequestContext) -> dict[str, str]:
    if media_type(context.header("content-type")) != FORM:
        raise FormRefused("Forms of this page are sent as application/x-www-form-urlencoded.")
    try:
        return read_form(context.body)
    except InvalidRequest as problem:
        raise FormRefused("The form can't be read.") from problem


def _refuse_foreign(context: RequestContext, token: str, form: Mapping[str, str]) -> None:
    """Raise FormRefused for a form of another session, or from another origin."""
    origin, host = context.header("origin"), context.header("host")
    scheme = context.header("x-forwarded-proto")
    ours = [f"{each}://{host}" for each in ((scheme,) if scheme else ("https", "http")) if host]
    foreign = origin is not None and origin not in ours
    if foreign or (context.header("sec-fetch-site") or "same-origin") != "same-origin":
        raise FormRefused("The form was sent from another page.")
    if not is_form_token(token, form.get("form_token", "")):
        raise FormRefused("The form is not one of this session: go back, load the page again, and send it once more.")
