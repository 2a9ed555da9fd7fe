"""Builds the support watch's ports. Part of `wiring/deps.py`, imported at their first use."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.aws.eks.watched.clusters import EksFleet
from chalicelib.aws.messaging.notifier import SnsNotifier
from chalicelib.aws.system.clock import SystemClock
from chalicelib.domain.core.message import Message
from chalicelib.domain.core.place import Place
from chalicelib.ports.support import Watch
from chalicelib.settings import Settings
from chalicelib.wiring.clients import LazyClient, client, fleet_store


def watch_of(settings: Settings) -> Watch:
    """The support watch's ports."""
    watch, region, now = settings.watch, settings.region, SystemClock().now

    def fleet(place: Place) -> EksFleet:
        eks, ec2 = (client(place.account, place.region, service, place.role_arn) for service in ("eks", "ec2"))
        return EksFleet(eks, ec2, place, now)

    def translate(message: Message) -> Message:
        from chalicelib.words.letters import translated

        return translated(message, settings.language)

    def notification(message: Message) -> Mapping[str, object]:
        from chalicelib.words.chat import chat_document

        return chat_document(message, settings.language)

    chat = (watch.chat_topic_arn, notification) if watch.chat_topic_arn else None
    sns, events = LazyClient("sns", region), LazyClient("events", region)
    return Watch(
        fleet=fleet,
        store=fleet_store(),
        notifier=SnsNotifier(sns, events, watch.topic_arn, watch.bus, translate, chat),
        home=settings.account,
        administrators=watch.administrators,
        home_regions=watch.regions,
        default_owner=watch.default_owner,
        unreadable_after_days=watch.unreadable_after_days,
        reminder_days=watch.reminder_days,
        api_url=watch.api_url,
        owner_tags=watch.owner_tags,
    )
