"""Builds mail's ports. Part of `wiring/deps.py`, imported at their first use."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial

from botocore.config import Config

from chalicelib.aws.dynamodb.mails import DynamoMails
from chalicelib.aws.dynamodb.people import DynamoPeople
from chalicelib.aws.messaging.ses import SesMailer, mail_events
from chalicelib.domain.notices.mail import Addressee
from chalicelib.ports.mail import Mailing
from chalicelib.settings import Settings
from chalicelib.wiring.clients import LazyClient
from chalicelib.words.letters import written

#: A second attempt could be a second mail: SES has no client token.
ONCE = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=25)


def mailing_of(settings: Settings) -> Mailing:
    """Mail's ports. Raises ValueError if the installation names no sender."""
    mail, region = settings.mail, settings.region
    if mail is None:
        raise ValueError("EKSLAB_MAIL_SENDER is not set.")
    people = DynamoPeople(LazyClient("dynamodb", region), settings.table, settings.account)

    def addressees_of(names: Sequence[str]) -> Mapping[str, Addressee]:
        return {
            name: Addressee(
                person.address,
                str(person.reads(settings.language)),
                person.id,
                tuple(map(str, person.muted)),
                person.zone or settings.curfew.zone,
            )
            for name, person in people.people_of(names).items()
            if person.address
        }

    return Mailing(
        mailer=SesMailer(LazyClient("sesv2", region, ONCE), mail.sender, mail.configuration_set, time.sleep),
        store=DynamoMails(LazyClient("dynamodb", region), settings.table),
        addressees_of=addressees_of,
        render=written,
        events_in=partial(mail_events, topic_arn=mail.topic_arn, configuration_set=mail.configuration_set),
    )
