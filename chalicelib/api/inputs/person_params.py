"""Reads the body of `PUT /me`, and of a confirmation's two buttons, with all findings at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qs

from chalicelib.api.inputs.body import read_body
from chalicelib.api.inputs.params import refuse
from chalicelib.domain.core.names import nearest
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.identity.addresses import read_address
from chalicelib.domain.identity.person import Language, Topic
from chalicelib.domain.requests.eksctl.reader import Notes, Reader
from chalicelib.domain.requests.schedule_input import time_zones
from chalicelib.services.people.me import AboutMe


def read_me(raw: bytes, content_type: str | None) -> AboutMe:
    """`address` (null: none), `language`, `timeZone` (null: the installation's), `hears`; others stay. Raises InvalidRequest."""
    document, notes = read_body(raw, content_type), Notes()
    body = Reader(document, "", notes)
    about = AboutMe(
        address=_address(body),
        no_address=_is_null(document, "address"),
        language=_language(body),
        zone="" if (zone := _zone(body)) is None and _is_null(document, "timeZone") else zone,
        muted=_muted(body),
    )
    body.close()
    refuse(notes.findings)
    return about


def read_answer(raw: bytes, content_type: str | None) -> bool:
    """Whether the reader says yes: the form's `answer`, or JSON's; an empty body means yes. Raises InvalidRequest."""
    if not raw.strip():
        return True
    if (content_type or "").startswith("application/x-www-form-urlencoded"):
        said = parse_qs(raw.decode("ascii", "replace"), max_num_fields=8).get("answer", ["yes"])[-1]
        raw, content_type = json.dumps({"answer": said}).encode(), "application/json"
    notes = Notes()
    body = Reader(read_body(raw, content_type), "", notes)
    answer = body.text("answer") or "yes"
    if answer not in ("yes", "no"):
        body.error("answer", "unknown-value", "answer is yes or no.")
    body.close()
    refuse(notes.findings)
    return answer == "yes"


def _is_null(document: Mapping[str, object], name: str) -> bool:
    return name in document and document[name] is None


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
        near = nearest(text, time_zones())
        meant = Sentence("Did you mean {near}?", near=near) if near else Sentence("They look like Asia/Seoul.")
        body.error(
            "timeZone",
            "unknown-time-zone",
            "{name} is no time zone of the IANA's. {meant}",
            name=text[:60],
            meant=meant,
        )
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
