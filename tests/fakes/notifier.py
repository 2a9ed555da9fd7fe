"""Messages of the support watch, recorded instead of sent.

`account.fail("send", AwsUnavailable(...))` is a crash before sending; `account.lose_answer("send")` is one after it: the
message is sent, and its sender does not know.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from chalicelib.domain.core.message import Message
from tests.fakes.account import Account, port


@dataclass
class FakeNotifier:
    """Implements the Notifier port. `sent` in order, each with its id; `events` as (detail type, detail)."""

    account: Account
    sent: list[tuple[str, Message]] = field(default_factory=list)
    events: list[tuple[str, Mapping[str, object]]] = field(default_factory=list)
    port_name: str = "notifier"

    @port
    def send(self, message: Message) -> str:
        self.sent.append((f"message-{len(self.sent) + 1}", message))
        return self.sent[-1][0]

    @port
    def publish_events(self, events: Iterable[tuple[str, Mapping[str, object]]]) -> None:
        self.events += [(detail_type, dict(detail)) for detail_type, detail in events]

    @property
    def messages(self) -> tuple[Message, ...]:
        """The sent messages, without ids."""
        return tuple(message for _, message in self.sent)

    def to(self, recipient: str) -> tuple[Message, ...]:
        """The messages to one recipient."""
        return tuple(message for message in self.messages if message.recipient == recipient)
