"""Implements the Reach port: whether the topic for people has a confirmed subscription that takes a recipient's messages.

SNS returns a message id even without listeners, so an id alone proves nothing. Results are cached for five
minutes, the length of one run. Needs sns:ListSubscriptionsByTopic on the topic and sns:GetSubscriptionAttributes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.clients.calls import call, every
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import AwsRefused, ResourceGone

KEPT_FOR = timedelta(minutes=5)
#: A list's value in place of an ARN while a subscription is unconfirmed, or after it has ended.
_NO_ARN = frozenset({"PendingConfirmation", "Deleted"})
#: Attributes without a value before the message is written.
_UNKNOWN = frozenset({"account", "owner"})
#: Attributes of a message by name; a missing one is not sent.
Attributes = Mapping[str, str | int]


@dataclass(frozen=True)
class _Subscription:
    policy: str
    scope: str


class TopicSubscriptions:
    """`now`: Clock.now."""

    def __init__(self, sns: Any, topic_arn: str, now: Callable[[], datetime]) -> None:
        self._sns, self._topic_arn, self._now = sns, topic_arn, now
        self._kept: tuple[datetime, tuple[_Subscription, ...]] | None = None

    def undeliverable_reason(self, recipient: str, message: Message | None = None) -> str | None:
        """None if somebody listens; else the reason. Without `message`, it judges one of the kind `curfew-warning`.

        An unreadable topic is a reason, too. Raises Transient.
        """
        try:
            subscriptions = self._subscriptions()
        except AwsRefused as error:
            return Sentence(
                "The subscriptions of {topic} could not be read ({code}).", topic=self._topic_arn, code=error.code
            )
        if not subscriptions:
            return Sentence("Nobody has a confirmed subscription to {topic}.", topic=self._topic_arn)
        attributes, unknown = _attributes(recipient, message)
        if any(takes(one.policy, one.scope, attributes, unknown) for one in subscriptions):
            return None
        return Sentence(
            "No confirmed subscription to {topic} takes messages for {recipient}.",
            topic=self._topic_arn,
            recipient=recipient,
        )

    def _subscriptions(self) -> tuple[_Subscription, ...]:
        if self._kept is None or self._now() - self._kept[0] >= KEPT_FOR:
            self._kept = self._now(), tuple(self._read())
        return self._kept[1]

    def _read(self) -> list[_Subscription]:
        rows = every(self._sns, "sns:ListSubscriptionsByTopic", "Subscriptions", TopicArn=self._topic_arn)
        arns = [row["SubscriptionArn"] for row in rows]
        found = [self._described(arn) for arn in arns if arn not in _NO_ARN]
        return [one for one in found if one is not None]

    def _described(self, arn: str) -> _Subscription | None:
        """None for a subscription that has ended since it was listed, or is unconfirmed."""
        try:
            said = call(self._sns, "sns:GetSubscriptionAttributes", SubscriptionArn=arn)["Attributes"]
        except ResourceGone:
            return None
        if said.get("PendingConfirmation", "false") != "false":
            return None
        return _Subscription(said.get("FilterPolicy", ""), said.get("FilterPolicyScope", "MessageAttributes"))


def _attributes(recipient: str, message: Message | None) -> tuple[Attributes, frozenset[str]]:
    """The attributes that the notifier sends with a message: none is empty."""
    if message is None:
        usual: Attributes = {
            "kind": "curfew-warning",
            "severity": Severity.WARNING.value,
            "recipient": recipient.casefold(),
            "days": 0,
        }
        return usual, _UNKNOWN
    texts = {name: str(getattr(message, name)) for name in ("kind", "severity", "account", "owner")}
    return {
        **{name: text for name, text in texts.items() if text},
        "recipient": recipient.casefold(),
        "days": message.days,
    }, frozenset()


def takes(policy: str, scope: str, attributes: Attributes, unknown: frozenset[str] = frozenset()) -> bool:
    """Whether a subscription with this FilterPolicy (JSON, or empty) and FilterPolicyScope takes a message.

    `unknown`: attributes whose values are not known yet; no condition on them is met.
    """
    if not policy:
        return True
    try:
        conditions = json.loads(policy)
    except ValueError:
        return False
    if conditions == {}:
        return True
    if scope != "MessageAttributes" or not isinstance(conditions, dict):
        return False
    return all(
        name not in unknown and isinstance(any_of, list) and any(_meets(attributes.get(name), one) for one in any_of)
        for name, any_of in conditions.items()
    )


def _meets(value: str | int | None, condition: object) -> bool:
    """One condition of a name's list. A plain value is an exact match; anything else is `{operator: operand}`."""
    if isinstance(condition, str):
        return value == condition
    if not isinstance(condition, dict) or len(condition) != 1:
        return False
    ((operator, operand),) = condition.items()
    if operator == "exists":
        return operand is (value is not None)
    return value is not None and operator in _OPERATORS and _OPERATORS[operator](value, operand)


def _anything_but(value: str | int, operand: Any) -> bool:
    """`"x"`, `7`, `["x", "y"]`, or `{"prefix": "x"}` and `{"suffix": "x"}`: texts against texts, numbers against numbers."""
    if isinstance(operand, dict):
        understood = len(operand) == 1 and set(operand) <= {"prefix", "suffix"} and _is_text(value, *operand.values())
        return understood and not _meets(value, operand)
    refused = operand if isinstance(operand, list) else [operand]
    comparable = all(isinstance(one, str) == isinstance(value, str) and _is_plain(one) for one in refused)
    return bool(refused) and comparable and value not in refused


def _numeric(value: str | int, operand: Any) -> bool:
    """`["=", 0]`, or one or two bounds as `[">", -7, "<=", 0]`."""
    if isinstance(value, str) or not isinstance(operand, list) or len(operand) not in (2, 4):
        return False
    pairs: Sequence[tuple[Any, Any]] = list(zip(operand[::2], operand[1::2], strict=True))
    return all(
        isinstance(sign, str) and sign in _SIGNS and _is_number(bound) and _SIGNS[sign](value, bound)
        for sign, bound in pairs
    )


_OPERATORS: dict[str, Callable[[str | int, Any], bool]] = {
    "anything-but": _anything_but,
    "prefix": lambda value, operand: _is_text(value, operand) and str(value).startswith(operand),
    "suffix": lambda value, operand: _is_text(value, operand) and str(value).endswith(operand),
    "equals-ignore-case": lambda value, operand: _is_text(value, operand) and str(value).lower() == operand.lower(),
    "numeric": _numeric,
}
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda one, other: one == other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}


def _is_text(*values: object) -> bool:
    return all(isinstance(value, str) for value in values)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_plain(value: object) -> bool:
    return isinstance(value, str) or _is_number(value)
