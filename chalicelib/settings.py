"""The only reader of the environment. `docs/reference/settings.md` lists every variable; nothing is read at import."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import time

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.language import Language
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.identity.callers import Team
from chalicelib.domain.labs.schedule import EVERY_DAY, AtCurfew, Schedule
from chalicelib.domain.labs.spec import Limits
from chalicelib.domain.notices.reminders import REMINDER_DAYS
from chalicelib.domain.support.owners import precedence_of


@dataclass(frozen=True)
class WatchSettings:
    """The settings of the support watch. `regions`: those of the service's own account."""

    regions: tuple[str, ...]
    administrators: str | None
    default_owner: str | None
    unreadable_after_days: int
    reminder_days: tuple[int, ...]
    topic_arn: str
    chat_topic_arn: str | None
    bus: str
    api_url: str
    owner_tags: tuple[str, ...]


@dataclass(frozen=True)
class CurfewSettings:
    """The initial settings of curfew. `rules` apply until administrators set others; `schedule` is a lab's default."""

    rules: CurfewRules
    schedule: Schedule
    zone: str
    report_hour: int
    link_secret: str


@dataclass(frozen=True)
class MailSettings:
    """The settings of mail: the sender, the configuration set, and the topic of its events."""

    sender: str
    configuration_set: str
    topic_arn: str


@dataclass(frozen=True)
class LoginSettings:
    """The user pool with which browsers sign in, and the address of its login."""

    pool_arn: str
    url: str


@dataclass(frozen=True)
class Settings:
    """The settings of an installation."""

    region: str
    account: str
    table: str
    stack: str
    lab_stack_role_arn: str
    lab_view_role_arn: str
    external_id: str | None
    session_policy: str | None
    member_role: str
    administrators: tuple[str, ...]
    viewers: tuple[str, ...]
    teams: tuple[Team, ...]
    language: Language
    limits: Limits
    watch: WatchSettings
    curfew: CurfewSettings
    mail: MailSettings | None = None
    login: LoginSettings | None = None


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read all settings. Raises KeyError naming the first required variable that is missing."""
    env = os.environ if environment is None else environment
    return Settings(
        region=env["AWS_REGION"],
        account=env["EKSLAB_ACCOUNT"],
        table=env["EKSLAB_TABLE"],
        stack=env["EKSLAB_STACK"],
        lab_stack_role_arn=env["EKSLAB_LAB_STACK_ROLE"],
        lab_view_role_arn=env["EKSLAB_LAB_VIEW_ROLE"],
        external_id=env.get("EKSLAB_EXTERNAL_ID") or None,
        session_policy=env.get("EKSLAB_SESSION_POLICY") or None,
        member_role=env.get("EKSLAB_MEMBER_ROLE") or "read",
        administrators=_listed(env.get("EKSLAB_ADMINISTRATORS", "")),
        viewers=_listed(env.get("EKSLAB_VIEWERS", "")),
        teams=_teams(env.get("EKSLAB_TEAMS", "")),
        language=Language(env.get("EKSLAB_LANGUAGE") or Language.EN),
        limits=_limits(env),
        watch=_watch(env),
        curfew=_curfew(env),
        mail=_mail(env),
        login=LoginSettings(env["EKSLAB_USER_POOL"], env["EKSLAB_LOGIN_URL"]) if env.get("EKSLAB_USER_POOL") else None,
    )


def _mail(env: Mapping[str, str]) -> MailSettings | None:
    """None without a sender: people then get messages by the topic."""
    sender = env.get("EKSLAB_MAIL_SENDER", "").strip()
    return MailSettings(sender, f"{env['EKSLAB_STACK']}-mails", env.get("EKSLAB_MAIL_TOPIC", "")) if sender else None


def _watch(env: Mapping[str, str]) -> WatchSettings:
    reminders = {int(days) for days in _listed(env.get("EKSLAB_REMINDER_DAYS", ""))}
    return WatchSettings(
        regions=_listed(env.get("EKSLAB_WATCH_REGIONS", "")) or (env["AWS_REGION"],),
        administrators=env.get("EKSLAB_NOTICE_ADMINISTRATORS") or None,
        default_owner=env.get("EKSLAB_NOTICE_DEFAULT_OWNER") or None,
        unreadable_after_days=int(env.get("EKSLAB_UNREADABLE_AFTER_DAYS", "3")),
        reminder_days=tuple(sorted(reminders, reverse=True)) or REMINDER_DAYS,
        topic_arn=env.get("EKSLAB_NOTICES_TOPIC", ""),
        chat_topic_arn=env.get("EKSLAB_CHAT_TOPIC") or None,
        bus=env.get("EKSLAB_EVENT_BUS", ""),
        api_url=env.get("EKSLAB_API_URL", "").rstrip("/"),
        owner_tags=precedence_of(_listed(env.get("EKSLAB_OWNER_TAGS", ""))),
    )


def _curfew(env: Mapping[str, str]) -> CurfewSettings:
    limits, zone = _limits(env), env.get("EKSLAB_TIME_ZONE") or "UTC"
    wake = env.get("EKSLAB_WAKE")
    return CurfewSettings(
        rules=CurfewRules(
            max_ahead_hours=limits.max_lease_hours,
            max_total_hours=max(limits.max_lease_hours, int(env.get("EKSLAB_MAX_TOTAL_HOURS", "336"))),
        ),
        schedule=Schedule(
            time_zone=zone,
            curfew=time.fromisoformat(env.get("EKSLAB_CURFEW", "22:00")),
            weekdays=tuple(_WEEKDAYS.index(day) for day in _listed(env.get("EKSLAB_CURFEW_DAYS", ""))) or EVERY_DAY,
            holidays=env.get("EKSLAB_HOLIDAYS") or None,
            at_curfew=AtCurfew(env.get("EKSLAB_AT_CURFEW", AtCurfew.END)),
            wake=time.fromisoformat(wake) if wake else None,
        ),
        zone=zone,
        report_hour=int(env.get("EKSLAB_REPORT_HOUR", "7")),
        link_secret=env.get("EKSLAB_LINK_SECRET", ""),
    )


_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _limits(env: Mapping[str, str]) -> Limits:
    return Limits(
        default_region=env.get("EKSLAB_DEFAULT_REGION") or env["AWS_REGION"],
        regions=_listed(env.get("EKSLAB_REGIONS", "")),
        default_lease_hours=int(env.get("EKSLAB_DEFAULT_LEASE_HOURS", "8")),
        max_lease_hours=int(env.get("EKSLAB_MAX_LEASE_HOURS", "72")),
        max_nodes=int(env.get("EKSLAB_MAX_NODES", "10")),
        max_labs_per_owner=int(env.get("EKSLAB_MAX_LABS_PER_OWNER", "5")),
        max_labs_per_role=int(env.get("EKSLAB_MAX_LABS_PER_ROLE", "20")),
        retention_days=int(env.get("EKSLAB_RETENTION_DAYS", "400")),
    )


def _teams(text: str) -> tuple[Team, ...]:
    """`shop=<pattern>,shop=<pattern>,data=<pattern>`. Raises ValueError naming a part without a name or a pattern."""
    patterns: dict[str, list[str]] = {}
    for part in _listed(text):
        name, _, pattern = part.partition("=")
        if not name or not pattern:
            raise ValueError(f"EKSLAB_TEAMS: {part} is not name=pattern.")
        patterns.setdefault(name, []).append(pattern)
    return tuple(Team(name, tuple(theirs)) for name, theirs in patterns.items())


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
