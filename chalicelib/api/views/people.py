"""People as JSON and CSV, and the page of a confirmation link. The whole page is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalicelib.api.views.csv_format import csv_text
from chalicelib.api.views.json_format import instant
from chalicelib.api.views.keep_page import button, inline, page, paragraph_of, small
from chalicelib.domain.core.language import Language
from chalicelib.domain.core.sentence import Listed, Sentence, Words
from chalicelib.domain.identity.invitation import describe_identity
from chalicelib.domain.identity.person import Person, Topic, address_key
from chalicelib.domain.requests.roster import COLUMNS, PASSED_OVER, RosterRules, cells_of
from chalicelib.services.people.confirm import ConfirmationView, UnsubscribingView
from chalicelib.services.people.me import PersonView


def me_view(view: PersonView, zone: str, language: Language) -> dict[str, Any]:
    """`pending`: the address that waits for its reader, and until when. `trouble`: why mail there does not arrive.

    `zone`, `language`: the installation's.
    """
    person, pending = view.person, view.pending
    return {
        "identities": list(person.identities),
        "address": person.address,
        "pending": {"address": pending.address, "expiresAt": instant(pending.expires_at)} if pending else None,
        "trouble": Sentence("Mail to this address came back: {why}.", why=view.came_back) if view.came_back else None,
        "language": str(person.reads(language)),
        "timeZone": person.zone or zone,
        "hears": [str(topic) for topic in Topic if person.wants(topic)],
        "calendar": person.calendar is not None,
    }


def person_view(person: Person, language: Language) -> dict[str, Any]:
    """One person, for administrators. `asked`: an address that is not confirmed; `language`: the installation's."""
    return {
        "id": person.id,
        "identities": list(person.identities),
        "address": person.address,
        "asked": person.asked,
        "language": str(person.reads(language)),
        "timeZone": person.zone,
        "since": instant(person.since),
    }


def people_csv(people: Iterable[Person], rules: RosterRules) -> str:
    """A roster that can be sent again: everybody whom a row can hold, one for each address: who confirmed it, or asked first.

    Cells that a spreadsheet would run are text.
    """
    columns = (*COLUMNS, *PASSED_OVER)
    rows = [(person, cells) for person in people if (cells := cells_of(person, rules)) is not None]
    first: dict[str, str] = {}
    for person, cells in sorted(rows, key=lambda row: (row[0].address is None, row[0].since)):
        first.setdefault(address_key(cells["address"]), person.id)
    told = (
        {**cells, "confirmed": "yes" if person.address else "no", "since": instant(person.since)}
        for person, cells in rows
        if first[address_key(cells["address"])] == person.id
    )
    return csv_text([columns, *([row.get(name, "") for name in columns] for row in told)])


def confirmation_view(view: ConfirmationView) -> dict[str, Any]:
    """The requester, and the present holder of the address (`joins`). The link's holder reads it, and must judge the identities."""
    return {
        "address": view.confirmation.address,
        "identities": [describe_identity(one) for one in view.identities],
        "joins": [describe_identity(one) for one in view.joins],
        "done": view.done,
        "refused": view.refused,
    }


def confirmation_page(view: ConfirmationView, words: Words) -> str:
    """The requester, and the two buttons; or the answer given."""
    address = view.confirmation.address
    if view.refused:
        gone = Sentence("{address} stays unknown here, and the one who asked can't ask again.", address=address)
        return page(inline(Sentence("Nothing is sent to you"), words), paragraph_of(gone, words), words)
    if view.done:
        told = Sentence("Mails about your EKS labs come to **{address}**.", address=address)
        return page(inline(Sentence("Your address is confirmed"), words), paragraph_of(told, words), words)
    body = [
        paragraph_of(Sentence("Mails about EKS labs of these are to come to **{address}**:", address=address), words),
        _list(view.identities, words),
        *_joined(view, words),
        f'<form method="post">{_answer("yes", Sentence("This is me"), words)}'
        f"{_answer('no', Sentence('This is not me'), words)}</form>",
        small(Sentence("Opening this page has changed nothing."), words),
    ]
    return page(inline(Sentence("Is this you?"), words), "\n".join(body), words)


def _joined(view: ConfirmationView, words: Words) -> list[str]:
    if not view.joins:
        return []
    told = Sentence("You get those of these already; all would be one person:")
    return [paragraph_of(told, words), _list(view.joins, words)]


def _answer(value: str, text: Sentence, words: Words) -> str:
    return f'<button type="submit" name="answer" value="{value}">{inline(text, words)}</button>'


def unsubscribing_page(view: UnsubscribingView, words: Words) -> str:
    """The topics with the button that switches them off, or the confirmation after they are switched off."""
    what = Listed([_topic_said(topic) for topic in view.topics])
    if view.done:
        gone = Sentence("No more mails about {what} come to you.", what=what)
        more = Sentence("Warnings before a deletion still come. `ekslab me --hears` switches it on again.")
        body = paragraph_of(gone, words) + paragraph_of(more, words)
        return page(inline(Sentence("Switched off"), words), body, words)
    body = button(Sentence("Switch it off"), words) + small(Sentence("Opening this page has changed nothing."), words)
    return page(inline(Sentence("No more mails about {what}?", what=what), words), body, words)


def _topic_said(topic: Topic) -> Sentence:
    match topic:
        case Topic.RESULTS:
            return Sentence("the results of your labs")
        case Topic.DEADLINES:
            return Sentence("deadlines of Kubernetes versions")
        case Topic.REPORTS:
            return Sentence("reports of nights and months")


def _list(identities: Iterable[str], words: Words) -> str:
    items = (f"<li>{inline(describe_identity(one), words)}</li>" for one in identities)
    return f"<ul>{''.join(items)}</ul>"
