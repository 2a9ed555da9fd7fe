"""People as JSON and CSV, and the page behind a confirmation link. The page is made from the JSON; all of it is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from chalicelib.api.views.csv_format import csv_text
from chalicelib.api.views.json_format import instant
from chalicelib.api.views.keep_page import page
from chalicelib.domain.identity.invitation import describe_identity
from chalicelib.domain.identity.person import Person, Topic
from chalicelib.services.people.confirm import ConfirmationView
from chalicelib.services.people.me import PersonView

_COLUMNS = ("iamUser", "identityCenter", "arn", "address", "language", "timeZone", "confirmed", "since")


def me_view(view: PersonView, zone: str) -> dict[str, Any]:
    """`pending`: the address that waits for its reader, and until when. `zone`: the installation's."""
    person, pending = view.person, view.pending
    return {
        "identities": list(person.identities),
        "address": person.address,
        "pending": {"address": pending.address, "expiresAt": instant(pending.expires_at)} if pending else None,
        "language": str(person.language),
        "timeZone": person.zone or zone,
        "hears": [str(topic) for topic in Topic if person.wants(topic)],
        "calendar": person.calendar is not None,
    }


def person_view(person: Person) -> dict[str, Any]:
    """One person, for administrators. `asked`: an address that was asked for and is not confirmed."""
    return {
        "id": person.id,
        "identities": list(person.identities),
        "address": person.address,
        "asked": person.asked,
        "language": str(person.language),
        "timeZone": person.zone,
        "since": instant(person.since),
    }


def people_csv(people: Iterable[Person]) -> str:
    """A roster that could be sent again; cells that a spreadsheet would run are text."""
    return csv_text([_COLUMNS, *(_cells(person) for person in people)])


def confirmation_view(view: ConfirmationView) -> dict[str, Any]:
    """Who asks, and whose the address is already (`joins`). It is read by the link's holder: the identities are theirs to judge."""
    return {
        "address": view.confirmation.address,
        "identities": [describe_identity(one) for one in view.identities],
        "joins": [describe_identity(one) for one in view.joins],
        "done": view.done,
        "refused": view.refused,
    }


def confirmation_page(view: Mapping[str, Any]) -> str:
    """Who asks, and the two buttons; or what was said."""
    address = escape(view["address"])
    if view["refused"]:
        return page(
            "Nothing is sent to you", f"<p>{address} stays unknown here, and the one who asked can't ask again.</p>"
        )
    if view["done"]:
        return page(
            "Your address is confirmed", f"<p>Mails about your EKS labs come to <strong>{address}</strong>.</p>"
        )
    body = [
        f"<p>Mails about EKS labs of these are to come to <strong>{address}</strong>:</p>",
        _list(view["identities"]),
        *(
            [f"<p>You get those of these already; all would be one person:</p>{_list(view['joins'])}"]
            if view["joins"]
            else []
        ),
        '<form method="post"><button type="submit" name="answer" value="yes">This is me</button>'
        '<button type="submit" name="answer" value="no">This is not me</button></form>',
        '<p class="small">Opening this page has changed nothing.</p>',
    ]
    return page("Is this you?", "\n".join(body))


def unsubscribing_page(view: Mapping[str, Any]) -> str:
    """What would be switched off, with the button; or that it is."""
    what = _TOPIC_WORDS[Topic(view["topic"])]
    more = "<p>Warnings before a deletion still come. <code>ekslab me --hears</code> switches it on again.</p>"
    if view["done"]:
        return page("Switched off", f"<p>No more mails about {what} come to you.</p>{more}")
    button = '<form method="post"><button type="submit">Switch it off</button></form>'
    return page(f"No more mails about {what}?", f'{button}<p class="small">Opening this page has changed nothing.</p>')


_TOPIC_WORDS = {
    Topic.RESULTS: "what became of your labs",
    Topic.DEADLINES: "deadlines of Kubernetes versions",
    Topic.REPORTS: "the night's report",
}


def _list(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>"


def _cells(person: Person) -> tuple[str, ...]:
    """The first identity of each kind; the others stand in the JSON."""
    user, named, arn = "", "", ""
    for identity in person.identities:
        name = identity.rpartition("/")[2]
        if ":user/" in identity:
            user = user or name
        elif ":directory/" in identity or "AWSReservedSSO_" in identity:
            named = named or name
        else:
            arn = arn or identity
    address = person.address or person.asked or ""
    state = "yes" if person.address else "no"
    return (user, named, arn, address, str(person.language), person.zone or "", state, instant(person.since))
