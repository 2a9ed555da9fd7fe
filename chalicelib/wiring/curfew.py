"""Builds curfew's ports. Part of `wiring/deps.py`, imported at their first use."""

from __future__ import annotations

from functools import cache, partial

from chalicelib.aws.dynamodb.curfew.store import DynamoCurfewStore
from chalicelib.aws.idleness.reader import AwsSignals, SignalClients
from chalicelib.aws.messaging.link_keys import ItsdangerousLinkSigner, SecretsLinkKeys
from chalicelib.aws.messaging.subscriptions import TopicSubscriptions
from chalicelib.aws.pricing.cost_explorer import REGION as COST_EXPLORER_REGION
from chalicelib.aws.pricing.cost_explorer import AwsCostExplorer
from chalicelib.aws.pricing.prices import PriceList
from chalicelib.aws.system.clock import SystemClock
from chalicelib.aws.system.holidays import is_known_country, public_holidays
from chalicelib.domain.core.place import Place
from chalicelib.domain.labs.lab import INSTALLATION_TAG
from chalicelib.ports.curfew import Curfew
from chalicelib.settings import Settings
from chalicelib.wiring.clients import BRIEFLY, LazyClient, client, view_role, view_tokens

#: One of the three regions that have the Price List; it has the prices of all.
PRICE_LIST_REGION = "us-east-1"


def curfew_of(settings: Settings) -> Curfew:
    """Curfew's ports."""
    region, now, curfew = settings.region, SystemClock().now, settings.curfew
    prices = PriceList(LazyClient("pricing", PRICE_LIST_REGION, BRIEFLY), now)
    return Curfew(
        store=DynamoCurfewStore(LazyClient("dynamodb", region), settings.table),
        signals=_signals,
        keys=SecretsLinkKeys(LazyClient("secretsmanager", region), curfew.link_secret, now),
        signer=ItsdangerousLinkSigner(),
        reach=TopicSubscriptions(LazyClient("sns", region), settings.watch.topic_arn, now),
        holidays=public_holidays,
        prices=prices.prices,
        cost_explorer=AwsCostExplorer(
            LazyClient("ce", COST_EXPLORER_REGION, BRIEFLY), INSTALLATION_TAG, settings.stack
        ),
        usual=curfew.rules,
        schedule=curfew.schedule,
        regions=settings.limits.regions or (settings.limits.default_region,),
        zone=curfew.zone,
        report_hour=curfew.report_hour,
        installation=settings.stack,
        teams=settings.teams,
        is_known_country=is_known_country,
    )


@cache
def _signals(place: Place) -> AwsSignals:
    account, region = place.account, place.region
    names = ("eks", "cloudwatch", "ec2", "elbv2", "elb", "logs", "cloudtrail")
    of = partial(client, account, region)
    clients = SignalClients(tagging=of("resourcegroupstaggingapi"), **{name: of(name) for name in names})
    return AwsSignals(clients, view_tokens(account, region), partial(view_role, account))
