"""Builds `Deps` once per Lambda process: settings, clients, adapters. The only place that does.

Clients are created, and modules imported, on first use: a step that never calls EC2 does not load EC2's
model, and one that never uses the watch does not load the watch.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import cache, cached_property
from typing import Any

from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.aws.infrastructure.roles import DirectoryRoles
from chalicelib.aws.step_functions import StepFunctionsWorkflows
from chalicelib.aws.system.clock import SystemClock
from chalicelib.domain.core.place import Place
from chalicelib.domain.identity.people import People, nobody_stands
from chalicelib.ports.deps import Cloud, Deps
from chalicelib.wiring.clients import BRIEFLY, LazyClient, get_settings


class LazyProxy:
    """A part of `Deps` that is built at its first use."""

    def __init__(self, build: Callable[[], object]) -> None:
        self._build = build

    @cached_property
    def _built(self) -> object:
        return self._build()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._built, name)


@cache
def get_deps() -> Deps:
    """The `Deps` of this process."""
    settings = get_settings()
    watch: Any = LazyProxy(_watch)
    curfew: Any = LazyProxy(_curfew)
    people: Any = LazyProxy(_people)
    posts: Any = LazyProxy(_posts)
    mail: Any = LazyProxy(_mail) if settings.mail is not None else None
    return Deps(
        store=DynamoStore(LazyClient("dynamodb", settings.region), settings.table),
        workflows=StepFunctionsWorkflows(
            LazyClient("stepfunctions", settings.region), settings.region, settings.account, settings.stack
        ),
        cloud=_cloud,
        clock=SystemClock(),
        new_id=new_lab_id,
        watch=watch,
        curfew=curfew,
        people=people,
        posts=posts,
        limits=settings.limits,
        mail=mail,
        user_pool=_user_pool(),
        language=settings.language,
    )


def _cloud(place: Place) -> Cloud:
    from chalicelib.wiring.cloud import cloud

    return cloud(place)


def _watch() -> object:
    from chalicelib.wiring.support import watch_of

    return watch_of(get_settings())


def _curfew() -> object:
    from chalicelib.wiring.curfew import curfew_of

    return curfew_of(get_settings())


def _people() -> object:
    from chalicelib.aws.dynamodb.people import DynamoPeople

    settings = get_settings()
    return DynamoPeople(LazyClient("dynamodb", settings.region), settings.table, settings.account)


def _posts() -> object:
    from chalicelib.aws.dynamodb.posts import DynamoPosts

    settings = get_settings()
    return DynamoPosts(LazyClient("dynamodb", settings.region), settings.table)


def _mail() -> object:
    from chalicelib.wiring.mail import mailing_of

    return mailing_of(get_settings())


@cache
def _user_pool() -> Any:
    """The user pool with which browsers sign in; None without one."""
    return LazyProxy(_cognito) if get_settings().login else None


def _cognito() -> object:
    from chalicelib.aws.cognito.user_pool import CognitoUserPool

    settings = get_settings()
    if settings.login is None:
        raise LookupError("There is no browser login here.")
    client = LazyClient("cognito-idp", settings.region, BRIEFLY)
    return CognitoUserPool(client, settings.login.pool_arn, settings.login.url, SystemClock().now)


@cache
def get_people() -> People:
    """The people of this installation, from the settings."""
    settings = get_settings()
    confirmed = DirectoryRoles(LazyClient("iam", settings.region), SystemClock().now)
    pool = _user_pool()
    standing_of = pool.standing if pool is not None else nobody_stands
    return People(settings.account, settings.administrators, settings.viewers, settings.teams, confirmed, standing_of)


def new_lab_id() -> str:
    """A fresh lab id: `lab-` and 12 hex digits, short enough for every derived name."""
    return f"lab-{secrets.token_hex(6)}"
