"""The routes of people: oneself, the roster and the removal of people (administrators), a confirmation's link, a calendar."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chalice import Response

from chalicelib.api.context import PAGE, RequestContext, json_answer
from chalicelib.api.routes.keep import LINK_REFUSALS, link_route
from chalicelib.logs import logger

if TYPE_CHECKING:
    from chalicelib.domain.core.sentence import Words
    from chalicelib.services.people.confirm import ConfirmationView, UnsubscribingView

_CONFIRM, _UNSUBSCRIBE = "/confirm/{token}", "/unsubscribe/{token}"
#: The body of a mail program's own button, `List-Unsubscribe=One-Click`, which is not read. Source: RFC 8058, section 3.2.
_ONE_CLICK = ("multipart/form-data", "application/x-www-form-urlencoded")
_CSV = "text/csv"
_CALENDAR = "text/calendar; charset=utf-8"


def route_people(context: RequestContext) -> None:
    """Register the routes."""
    _route_me(context)
    _route_roster(context)
    _route_links(context)

    @context.route(
        "DELETE",
        "/people/{name}",
        "Delete a person (administrators)",
        (200, "The number of anonymous records of labs, the number left, and the living labs"),
        (400, 409),
    )
    def delete_person(name: str) -> Response:
        from chalicelib.services.people.removal import remove_person

        done = remove_person(context.deps, context.caller, name)
        facts = {"labs": done.labs, "left": done.left, "people": done.people, "alive": list(done.alive)}
        logger.info("A person was erased.", extra={"caller": context.caller.arn, **facts})
        return json_answer(facts)


def _route_me(context: RequestContext) -> None:
    def answer(status: int = 200) -> Response:
        from chalicelib.api.views.people import me_view
        from chalicelib.services.people.me import get_me

        deps = context.deps
        return json_answer(
            me_view(get_me(deps, context.caller, deps.clock.now()), deps.curfew.zone, deps.language), status
        )

    @context.route("GET", "/me", "Get the caller's address, language and topics", (200, "The caller"))
    def get_me() -> Response:
        return answer()

    @context.route(
        "PUT",
        "/me",
        "Change the caller's settings; a new address gets a mail with a link",
        (200, "The caller"),
        (400, 409, 429),
        body="Me",
    )
    def put_me() -> Response:
        from chalicelib.api.inputs.person_params import read_me
        from chalicelib.services.people.me import set_me

        deps = context.deps
        about = read_me(context.body, context.header("content-type"))
        set_me(deps, context.caller, about, context.public_url, deps.clock.now())
        logger.info("A person said how to reach them.", extra={"caller": context.caller.arn})
        return answer()

    @context.route(
        "POST", "/me/calendar", "Make a new secret address of the caller's calendar", (201, "The address"), (409,)
    )
    def post_calendar() -> Response:
        from chalicelib.services.people.me import new_calendar

        token = new_calendar(context.deps, context.caller, context.deps.clock.now())
        return json_answer({"url": f"{context.public_url}/calendar/{token}.ics"}, 201, {"Cache-Control": "no-store"})

    @context.route("DELETE", "/me/calendar", "Revoke the calendar's address", (204, "Revoked"), (409,))
    def delete_calendar() -> Response:
        from chalicelib.services.people.me import end_calendar

        end_calendar(context.deps, context.caller, context.deps.clock.now())
        return Response("", status_code=204, headers={"Content-Type": "application/json"})


def _route_roster(context: RequestContext) -> None:
    @context.route(
        "GET",
        "/people",
        "List people (administrators)",
        (200, "A page as JSON, or everybody as CSV"),
        (400,),
        query=PAGE,
        other_media=(_CSV,),
    )
    def get_people() -> Response:
        from chalicelib.api.inputs.params import read_page
        from chalicelib.api.views.people import people_csv, person_view
        from chalicelib.services.people import roster

        deps, caller, asked = context.deps, context.caller, read_page(context.query)
        if _CSV in (context.header("accept") or ""):
            text = people_csv(roster.everybody(deps, caller), roster.rules_for(deps, caller))
            return Response(text, headers={"Content-Type": f"{_CSV}; charset=utf-8", "Cache-Control": "no-store"})
        page = roster.list_people(deps, caller, asked.limit, asked.cursor)
        return json_answer(
            {"people": [person_view(person, context.deps.language) for person in page.items], "cursor": page.cursor}
        )

    @context.route(
        "POST",
        "/people",
        "Store a roster, JSON or CSV (administrators)",
        (200, "The changes"),
        (400, 409),
        body="Roster",
        types=("text/csv", "application/octet-stream"),
    )
    def post_people() -> Response:
        from chalicelib.api.inputs.roster_body import read_roster
        from chalicelib.services.people import roster

        deps, caller = context.deps, context.caller
        roster.refuse_others(caller)
        rows = read_roster(context.body, context.header("content-type"))
        kept = roster.keep_roster(deps, caller, rows, deps.clock.now())
        facts = {"added": kept.added, "changed": kept.changed, "same": kept.same, "invited": kept.invited}
        logger.info("A roster was kept.", extra={"caller": caller.arn, **facts})
        return json_answer(facts)


def _route_links(context: RequestContext) -> None:
    def to_json(view: ConfirmationView) -> Mapping[str, Any]:
        from chalicelib.api.views.people import confirmation_view

        return confirmation_view(view)

    def page(view: ConfirmationView, words: Words) -> str:
        from chalicelib.api.views.people import confirmation_page

        return confirmation_page(view, words)

    @link_route(context, "GET", _CONFIRM, "Show the request for a mail address", LINK_REFUSALS, to_json, page)
    def get_confirm(token: str) -> ConfirmationView:
        from chalicelib.services.people.confirm import look_at_confirmation

        return look_at_confirmation(context.deps, token, context.deps.clock.now())

    @link_route(
        context, "POST", _CONFIRM, "Confirm or refuse the address, as its reader", (400, *LINK_REFUSALS), to_json, page
    )
    def post_confirm(token: str) -> ConfirmationView:
        from chalicelib.api.inputs.person_params import read_answer
        from chalicelib.domain.curfew.signed_links import read_confirmation
        from chalicelib.services.people.confirm import confirm, refuse_address

        deps, now = context.deps, context.deps.clock.now()
        read_confirmation(token, deps.curfew.known_keys(), now)  # A body is read only with a valid link.
        says_yes = read_answer(context.body, context.header("content-type"))
        view = (confirm if says_yes else refuse_address)(deps, token, now)
        logger.info("A link to an address was answered.", extra={"person": view.confirmation.person, "yes": says_yes})
        return view

    _route_unsubscribing(context)

    @context.route(
        "GET",
        "/calendar/{file}",
        "A person's calendar, `<token>.ics`",
        (200, "iCalendar"),
        (404, 429),
        media="text/calendar",
        public=True,
    )
    def get_calendar(file: str) -> Response:
        from chalicelib.services.people.calendar import calendar_by_file
        from chalicelib.words.catalogues import words_of

        deps = context.deps
        text = calendar_by_file(deps, file, deps.clock.now(), words_of)
        return Response(text, headers={"Content-Type": _CALENDAR, "Cache-Control": "private, max-age=300"})


def _route_unsubscribing(context: RequestContext) -> None:
    def to_json(view: UnsubscribingView) -> Mapping[str, Any]:
        return {"topics": list(map(str, view.topics)), "done": view.done}

    def page(view: UnsubscribingView, words: Words) -> str:
        from chalicelib.api.views.people import unsubscribing_page

        return unsubscribing_page(view, words)

    @link_route(
        context,
        "GET",
        _UNSUBSCRIBE,
        "Show the topics that a mail's link switches off",
        LINK_REFUSALS,
        to_json,
        page,
    )
    def get_unsubscribe(token: str) -> UnsubscribingView:
        from chalicelib.services.people.confirm import look_at_unsubscribing

        return look_at_unsubscribing(context.deps, token, context.deps.clock.now())

    @link_route(
        context,
        "POST",
        _UNSUBSCRIBE,
        "Switch the topics off for the mail's reader",
        LINK_REFUSALS,
        to_json,
        page,
        _ONE_CLICK,
    )
    def post_unsubscribe(token: str) -> UnsubscribingView:
        from chalicelib.services.people.confirm import unsubscribe

        view = unsubscribe(context.deps, token, context.deps.clock.now())
        logger.info("Topics were switched off by a link.", extra={"topics": list(map(str, view.topics))})
        return view
