"""Implements the Reach port: whether the topic for people has a confirmed subscription that takes a recipient's messages.

SNS gives a message id even if nobody listens, so a message id alone proves nothing. What was read is believed for five
minutes, which is one run of the sweep. Needs sns:ListSubscriptionsByTopic on the topic and sns:GetSubscriptionAttributes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.messaging.reach_filters import Attributes, takes
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.errors.tree import AwsRefused, ResourceGone

KEPT_FOR = timedelta(minutes=5)
#: What stands in a list instead of an ARN while a subscription is not confirmed, or after it has ended.
_NO_ARN = frozenset({"PendingConfirmation", "Deleted"})
#: What is not known of a message that isn't written yet.
_UNKNOWN = frozenset({"account", "owner"})


@dataclass(frozen=True)
class _Subscription:
    policy: str
    scope: str


class TopicReach:
    """`now` as Clock.now."""

    def __init__(self, sns: Any, topic_arn: str, now: Callable[[], datetime]) -> None:
        self._sns, self._topic_arn, self._now = sns, topic_arn, now
        self._kept: tuple[datetime, tuple[_Subscription, ...]] | None = None

    def why_not(self, recipient: str, message: Message | None = None) -> str | None:
        """None if somebody listens; else why not. Without `message`, one of the kind `curfew-warning` is meant.

        A topic that can't be read is a reason, too. Raises Transient.
        """
        try:
            subscriptions = self._subscriptions()
        except AwsRefused as error:
            return f"The subscriptions of {self._topic_arn} could not be read ({error.code})."
        if not subscriptions:
            return f"Nobody has a confirmed subscription to {self._topic_arn}."
        attributes, unknown = _attributes(recipient, message)
        if any(takes(one.policy, one.scope, attributes, unknown) for one in subscriptions):
            return None
        return f"No confirmed subscription to {self._topic_arn} takes messages for {recipient}."

    def _subscriptions(self) -> tuple[_Subscription, ...]:
        if self._kept is None or self._now() - self._kept[0] >= KEPT_FOR:
            self._kept = self._now(), tuple(self._read())
        return self._kept[1]

    def _read(self) -> list[_Subscription]:
        with translate("sns:ListSubscriptionsByTopic"):
            pages = self._sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self._topic_arn)
            arns = [one["SubscriptionArn"] for page in pages for one in page["Subscriptions"]]
        found = [self._described(arn) for arn in arns if arn not in _NO_ARN]
        return [one for one in found if one is not None]

    def _described(self, arn: str) -> _Subscription | None:
        """None for one that has ended since it was listed, or is not confirmed."""
        try:
            with translate("sns:GetSubscriptionAttributes"):
                said = self._sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        except ResourceGone:
            return None
        if said.get("PendingConfirmation", "false") != "false":
            return None
        return _Subscription(said.get("FilterPolicy", ""), said.get("FilterPolicyScope", "MessageAttributes"))


def _attributes(recipient: str, message: Message | None) -> tuple[Attributes, frozenset[str]]:
    """What the notifier sends with a message: no attribute is empty."""
    if message is None:
        usual: Attributes = {
            "kind": "curfew-warning",
            "severity": Severity.WARNING.value,
            "recipient": recipient,
            "days": 0,
        }
        return usual, _UNKNOWN
    texts = {name: str(getattr(message, name)) for name in ("kind", "severity", "account", "owner")}
    return {
        **{name: text for name, text in texts.items() if text},
        "recipient": recipient,
        "days": message.days,
    }, frozenset()
