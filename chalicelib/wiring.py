"""Builds the world once per Lambda process: settings, boto3 clients, adapters, `Deps`. The only place that does.

Clients are made on first use: a step that never asks EC2 does not pay for loading EC2's model.
"""

from __future__ import annotations

import secrets
from functools import cache, partial

from chalicelib.aws.census import AwsCensus, CensusClients
from chalicelib.aws.clock import SystemClock
from chalicelib.aws.clusters import EksClusters
from chalicelib.aws.curfew_store import DynamoCurfewStore
from chalicelib.aws.dns import Route53Dns
from chalicelib.aws.fleet import EksFleet
from chalicelib.aws.holidays import is_known_country, public_holidays
from chalicelib.aws.kubernetes import KubernetesApi
from chalicelib.aws.kubernetes_token import OwnAccess
from chalicelib.aws.leftovers import AwsLeftovers
from chalicelib.aws.link_keys import SecretsLinkKeys
from chalicelib.aws.network import Ec2Network
from chalicelib.aws.notifier import SnsNotifier
from chalicelib.aws.prices import PriceList
from chalicelib.aws.reach import TopicReach
from chalicelib.aws.roles import IamRoles
from chalicelib.aws.signals import AwsSignals, SignalClients
from chalicelib.aws.stacks import CloudFormationStacks
from chalicelib.aws.store import DynamoStore
from chalicelib.aws.workflows import StepFunctionsWorkflows
from chalicelib.curfew_ports import Curfew
from chalicelib.fleet_ports import Watch
from chalicelib.ports import Cloud, Deps, People, Place
from chalicelib.settings import Settings
from chalicelib.wiring_clients import BRIEFLY, LazyClient, client, fleet_store, get_settings, stack_role, tokens

#: One of the three regions that have the Price List; it speaks for all.
PRICE_LIST_REGION = "us-east-1"


@cache
def get_deps() -> Deps:
    """The world of this process."""
    settings = get_settings()
    return Deps(
        store=DynamoStore(LazyClient("dynamodb", settings.region), settings.table),
        workflows=StepFunctionsWorkflows(
            LazyClient("stepfunctions", settings.region), settings.region, settings.account, settings.stack
        ),
        cloud=_cloud,
        clock=SystemClock(),
        new_id=new_lab_id,
        watch=_watch(settings),
        curfew=_curfew(settings),
        limits=settings.limits,
    )


def _cloud(place: Place) -> Cloud:
    return _cloud_of(place.account, place.region)


@cache
def _cloud_of(account: str, region: str) -> Cloud:
    of = partial(client, account, region)
    ec2, iam, route53 = of("ec2"), of("iam"), of("route53")
    shared = {"ec2": ec2, "iam": iam, "route53": route53} | {name: of(name) for name in ("elbv2", "elb", "efs", "logs")}
    clusters = EksClusters(of("eks"), SystemClock().now)
    return Cloud(
        stacks=CloudFormationStacks(of("cloudformation"), ec2, partial(stack_role, account)),
        clusters=clusters,
        network=Ec2Network(ec2),
        dns=Route53Dns(route53),
        roles=IamRoles(iam),
        leftovers=AwsLeftovers(**shared),
        census=AwsCensus(
            CensusClients(
                **shared,
                tagging=of("resourcegroupstaggingapi"),
                eks=of("eks"),
                cloudformation=of("cloudformation"),
                autoscaling=of("autoscaling"),
            )
        ),
        kubernetes=KubernetesApi(tokens(account, region), OwnAccess(of("sts"), iam, clusters)),
    )


def _watch(settings: Settings) -> Watch:
    watch, region, now = settings.watch, settings.region, SystemClock().now

    def fleet(place: Place) -> EksFleet:
        eks, ec2 = (client(place.account, place.region, service, place.role_arn) for service in ("eks", "ec2"))
        return EksFleet(eks, ec2, place, now)

    sns, events = LazyClient("sns", region), LazyClient("events", region)
    return Watch(
        fleet=fleet,
        store=fleet_store(),
        notifier=SnsNotifier(sns, events, watch.topic_arn, watch.bus, watch.chat_topic_arn),
        home=settings.account,
        administrators=watch.administrators,
        home_regions=watch.regions,
        default_owner=watch.default_owner,
        unreadable_after_days=watch.unreadable_after_days,
        ladder=watch.ladder,
        api_url=watch.api_url,
    )


def _curfew(settings: Settings) -> Curfew:
    region, now, curfew = settings.region, SystemClock().now, settings.curfew
    prices = PriceList(LazyClient("pricing", PRICE_LIST_REGION, BRIEFLY), now)
    return Curfew(
        store=DynamoCurfewStore(LazyClient("dynamodb", region), settings.table),
        signals=_signals,
        keys=SecretsLinkKeys(LazyClient("secretsmanager", region), curfew.link_secret, now),
        reach=TopicReach(LazyClient("sns", region), settings.watch.topic_arn, now),
        holidays=public_holidays,
        prices=prices.prices,
        usual=curfew.rules,
        evening=curfew.evening,
        regions=settings.limits.regions or (settings.limits.default_region,),
        zone=curfew.zone,
        report_hour=curfew.report_hour,
        installation=settings.stack,
        is_known_country=is_known_country,
    )


def _signals(place: Place) -> AwsSignals:
    return _signals_of(place.account, place.region)


@cache
def _signals_of(account: str, region: str) -> AwsSignals:
    names = ("eks", "cloudwatch", "ec2", "elbv2", "elb", "logs", "cloudtrail", "sts")
    clients = {name: client(account, region, name) for name in names}
    tagging = client(account, region, "resourcegroupstaggingapi")
    return AwsSignals(SignalClients(**clients, tagging=tagging), tokens(account, region))


@cache
def get_people() -> People:
    """Who is who in this installation, as the settings say."""
    settings = get_settings()
    return People(settings.account, settings.administrators, settings.viewers, settings.teams)


def new_lab_id() -> str:
    """A fresh lab id: `lab-` and 12 hex digits, short enough for every name that is built from it."""
    return f"lab-{secrets.token_hex(6)}"
