"""Sends messages: the port `Notifier` on SNS for people and chats, on EventBridge for programs.

A subscription can filter by the attributes kind, severity, account, owner, recipient (in lower case) and days (a number). A
failing chat is logged and delays no mail: the notice counts as sent when the topic for people has accepted it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chalicelib.aws.clients.calls import call
from chalicelib.aws.clients.errors import PASSING, THROTTLED
from chalicelib.domain.core.message import Message, subject_line
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable, EkslabError, Throttled
from chalicelib.logs import logger

SOURCE = "ekslab"
#: Both services count the whole message against 256 KiB; this leaves room for the rest of it.
MOST_BYTES = 250_000
#: The most entries of one PutEvents.
_ENTRIES = 10


class SnsNotifier:
    """`topic` is for people; `bus` is the name of the event bus.

    `translate`: a message in the topic's language. `chat`: the topic of chat channels, if there is one, and a message as its
    notification.
    """

    def __init__(
        self,
        sns: Any,
        events: Any,
        topic: str,
        bus: str,
        translate: Callable[[Message], Message] = lambda message: message,
        chat: tuple[str, Callable[[Message], Mapping[str, object]]] | None = None,
    ) -> None:
        self._sns, self._events, self._translate = sns, events, translate
        self._topic, self._bus, self._chat = topic, bus, chat

    def send(self, message: Message) -> str:
        """Publish it; return SNS's message id. Raises AwsRefused, Transient."""
        told, attributes = self._translate(message), _attributes(message)
        answer = call(
            self._sns,
            "sns:Publish",
            TopicArn=self._topic,
            Subject=subject_line(told.subject),
            Message=_cut(told.body),
            MessageAttributes=attributes,
        )
        self._send_to_chat(message, attributes)
        return str(answer["MessageId"])

    def publish_events(self, events: Iterable[tuple[str, Mapping[str, object]]]) -> None:
        """Put them on the bus, ten a call. Raises AwsRefused (EntryTooLarge before the call), Transient, at the end."""
        failures: list[EkslabError] = []
        some: list[dict[str, str]] = []
        size = 0
        for detail_type, detail in events:
            text = json.dumps(detail)
            length = len(text.encode())
            if length > MOST_BYTES:
                message = f"{detail_type} has {len(text)} characters."
                failures.append(AwsRefused("events:PutEvents", "EntryTooLarge", message))
                continue
            if len(some) == _ENTRIES or size + length > MOST_BYTES:
                failures += self._put(some)
                some, size = [], 0
            some.append({"Source": SOURCE, "DetailType": detail_type, "Detail": text, "EventBusName": self._bus})
            size += length
        failures += self._put(some)
        if failures:
            raise failures[0]

    def _put(self, entries: list[dict[str, str]]) -> list[EkslabError]:
        """Put one batch of events; return the failures."""
        if not entries:
            return []
        try:
            answer = call(self._events, "events:PutEvents", Entries=entries)
        except EkslabError as error:
            return [error]
        return [_failure(entry) for entry in answer["Entries"] if entry.get("ErrorCode")]

    def _send_to_chat(self, message: Message, attributes: Mapping[str, Any]) -> None:
        if self._chat is None:
            return
        topic, notification_of = self._chat
        try:
            text = json.dumps(notification_of(message))
            call(self._sns, "sns:Publish", TopicArn=topic, Message=text, MessageAttributes=attributes)
        except EkslabError as error:
            logger.error("message did not reach the chat topic", extra={"topic": topic, "reason": str(error)})


def _attributes(message: Message) -> dict[str, dict[str, str]]:
    """SNS accepts no empty value: unknown ones are omitted."""
    texts = {name: str(getattr(message, name)) for name in ("kind", "severity", "account", "owner", "recipient")}
    texts["recipient"] = texts["recipient"].casefold()
    attributes = {name: {"DataType": "String", "StringValue": text} for name, text in texts.items() if text}
    return attributes | {"days": {"DataType": "Number", "StringValue": str(message.days)}}


def _cut(body: str) -> str:
    """A body that fits; SNS refuses an empty one."""
    encoded = body.encode()
    if len(encoded) <= MOST_BYTES:
        return body or "(no text)"
    return encoded[:MOST_BYTES].decode(errors="ignore") + "\n... cut here: a message holds 256 KiB.\n"


def _failure(entry: Mapping[str, Any]) -> EkslabError:
    code, message = str(entry.get("ErrorCode", "Unknown")), str(entry.get("ErrorMessage", ""))
    if code in THROTTLED:
        return Throttled(f"events:PutEvents: {code}: {message}")
    if code in PASSING:
        return AwsUnavailable(f"events:PutEvents: {code}: {message}")
    return AwsRefused("events:PutEvents", code, message)
