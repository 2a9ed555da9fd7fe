"""The table of pages, and the handling of a request: the session, the page, its errors as a page.

An unknown path gets a page, too. Viewers see everything and may send only the form that signs them out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chalice import NotFoundError, Response

from chalicelib.api.context import RequestContext
from chalicelib.api.inputs.params import refuse
from chalicelib.api.pages import administration, ask, clusters, door, labs, one_lab, tonight
from chalicelib.api.pages.assets import asset
from chalicelib.api.pages.visit import COOKIE, HEADERS, Visit, html_of, is_own_path, lead, root_of, visit_of, words_for
from chalicelib.api.problems import explained
from chalicelib.domain.core.language import Language
from chalicelib.domain.core.sentence import Sentence, reason_of
from chalicelib.domain.errors.findings import error
from chalicelib.domain.errors.tree import EkslabError, InvalidRequest, LoginRefused, NotYours
from chalicelib.logs import logger
from chalicelib.services.login import end_session
from chalicelib.services.people.me import AboutMe, set_me

View = Callable[[Visit], Response]


def speak(visit: Visit) -> Response:
    """Store the person's language, as `PUT /me` does, and show the page again on which it was chosen."""
    given = visit.form.get("language", "")
    if given not in tuple(Language):
        refuse([error("language", "unknown-language", "Choose one of the languages on the page.")])
    set_me(visit.deps, visit.caller, AboutMe(language=Language(given)), "", visit.now)
    return visit.go(visit.form.get("to", ""))


def show_reference(visit: Visit) -> Response:
    """The API reference, of the operations in `GET /openapi.json`: each with its query, its body and its answers."""
    return visit.show("reference.html", operations=visit.context.operations)


#: method, first part of the path, number of parts -> the page.
PAGES: Mapping[tuple[str, str, int], View] = {
    ("GET", "labs", 1): labs.show_labs,
    ("GET", "labs", 2): one_lab.show_lab,
    ("GET", "labs", 3): one_lab.show_part,
    ("POST", "labs", 3): one_lab.act,
    ("GET", "ask", 1): ask.show_form,
    ("POST", "ask", 1): ask.send_form,
    ("GET", "clusters", 1): clusters.show_clusters,
    ("GET", "clusters.csv", 1): clusters.send_csv,
    ("GET", "tonight", 1): tonight.show_tonight,
    ("GET", "administration", 1): administration.show_rules,
    ("POST", "administration", 1): administration.change_rules,
    ("GET", "administration", 2): administration.show_accounts,
    ("GET", "api", 1): show_reference,
    ("POST", "language", 1): speak,
}


def answer(context: RequestContext, method: str) -> Response:
    """The page, the reason why there is none, or the sign-in page."""
    path = context.below.strip("/")
    if method == "GET" and path.startswith("static/"):
        return _static(path)
    if method == "GET" and path == "" and not context.path.endswith("/"):
        return lead(f"{context.path.rpartition('/')[2]}/")
    try:
        if method == "GET" and path in door.PATHS:
            return _at_the_door(context, path)
        visit = visit_of(context, method)
        return _way_in(context, path) if visit is None else _inside(visit, method)
    except EkslabError as problem:
        status, title, detail = explained(problem)
        return _outside(context, "problem.html", status, title=title, detail=detail, findings=())
    except Exception as problem:  # noqa: BLE001  # The last resort: logged whole, answered without details.
        logger.exception("A page failed unexpectedly.", extra={"error": type(problem).__name__})
        detail = Sentence("It was logged; it is ours to fix.")
        return _outside(
            context, "problem.html", 500, title=Sentence("Something went wrong here"), detail=detail, findings=()
        )


def _at_the_door(context: RequestContext, path: str) -> Response:
    """Pages before and after a session. A refused login is over: its cookie is deleted."""
    pool = context.deps.user_pool
    if path == "signed-out":
        return _outside(context, "signed_out.html", 200, logout=None, login=pool is not None)
    if pool is None:
        return _way_in(context, "")
    try:
        return door.begin(context, pool) if path == "login" else door.come_back(context, pool)
    except LoginRefused as refused:
        page = _outside(context, "not_signed_in.html", 400, detail=reason_of(refused))
        page.headers["Set-Cookie"] = door.forget(door.LOGIN_COOKIE)
        return page


def _way_in(context: RequestContext, path: str) -> Response:
    """The sign-in page for a browser without a session, with the page to show afterwards."""
    to = f"?to={path}" if is_own_path(path) else ""
    return _outside(context, "way_in.html", 401, login=context.deps.user_pool is not None, to=to)


def _sign_out(visit: Visit) -> Response:
    end_session(visit.deps, visit.token)
    logout = door.way_out(visit.context, visit.caller.arn)
    page = _outside(visit.context, "signed_out.html", 200, logout=logout, login=visit.deps.user_pool is not None)
    page.headers["Set-Cookie"] = door.forget(COOKIE)
    return page


def _inside(visit: Visit, method: str) -> Response:
    parts = visit.path.split("/") if visit.path else ["labs"]
    if (method, visit.path) == ("POST", "signout"):
        return _sign_out(visit)
    view = PAGES.get((method, parts[0], len(parts)))
    if view is None:
        gone = Sentence("The address may be mistyped, or the thing that it names is gone.")
        return visit.show("problem.html", 404, title=Sentence("There is no such page"), detail=gone, findings=())
    try:
        if method == "POST" and visit.caller.is_viewer:
            raise NotYours("Viewers look at everything and change nothing.")
        return view(visit)
    except EkslabError as problem:
        status, title, detail = explained(problem)
        found = tuple(problem.findings) if isinstance(problem, InvalidRequest) else ()
        return visit.show("problem.html", status, title=title, detail=detail, findings=found)


def _static(path: str) -> Response:
    try:
        return asset(path.removeprefix("static/"))
    except NotFoundError:
        return Response("There is no such file.", status_code=404, headers={**HEADERS, "Content-Type": "text/plain"})


def _outside(context: RequestContext, template: str, status: int, **model: object) -> Response:
    """A page for a browser without a session."""
    shared = {"root": root_of(context.path), "caller": None, **dict.fromkeys(("path", "form_token"), "")}
    return html_of(template, {**shared, **model}, words_for(context), status)
