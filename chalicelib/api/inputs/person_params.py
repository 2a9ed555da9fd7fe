"""Reads the body of `PUT /me`, and of a confirmation's two buttons, with all findings at once."""

from __future__ import annotations

import json

from chalicelib.api.inputs.body import FORM, media_type, read_form
from chalicelib.api.inputs.params import fields_of
from chalicelib.domain.identity.addresses import read_address
from chalicelib.domain.identity.person import Language, Topic
from chalicelib.domain.requests.eksctl.reader import Reader
from chalicelib.domain.requests.schedule_input import no_such_zone, time_zones
from chalicelib.services.people.me import AboutMe


def read_me(raw: bytes, content_type: str | None) -> AboutMe:
    """`address` (null: none), `language`, `timeZone` (null: the installation's), `hears`; others stay. Raises InvalidRequest."""
    with fields_of(raw, content_type) as body:
        return AboutMe(
            address=_address(body),
            no_address=body.is_null("address"),
            language=_language(body),
            zone="" if (zone := _zone(body)) is None and body.is_null("timeZone") else zone,
            muted=_muted(body),
        )


def read_answer(raw: bytes, content_type: str | None) -> bool:
    """Whether the reader says yes: the form's `answer`, or JSON's; an empty body means yes. Raises InvalidRequest."""
    if not raw.strip():
        return True
    if media_type(content_type) == FORM:
        said = read_form(raw).get("answer", "yes")
        raw, content_type = json.dumps({"answer": said}).encode(), "application/json"
    with fields_of(raw, content_type) as body:
        answer = body.text("answer") or "yes"
        if answer not in ("yes", "no"):
            body.error("answer", "unknown-value", "answer is yes or no.")
    return answer == "yes"


def _address(body: Reader) -> str | None:
    text = body.text("address")
    if text is None:
        return None
    address, why = read_address(text)
    if address is None:
        body.error("address", "invalid-address", why)
    return address


def _language(body: Reader) -> Language | None:
    text = body.text("language")
    if text is not None and text not in tuple(Language):
        body.error("language", "unknown-language", "Languages are {names}.", names=", ".join(Language))
        return None
    return Language(text) if text is not None else None


def _zone(body: Reader) -> str | None:
    text = body.text("timeZone")
    if text is not None and text not in time_zones():
        body.error("timeZone", "unknown-time-zone", no_such_zone(text))
        return None
    return text


def _muted(body: Reader) -> tuple[Topic, ...] | None:
    heard = body.texts("hears")
    if heard is None:
        return None
    for index, name in enumerate(heard):
        if name not in tuple(Topic):
            body.error("hears", "unknown-topic", "Topics are {names}.", index, names=", ".join(Topic))
    return tuple(topic for topic in Topic if topic not in heard)
