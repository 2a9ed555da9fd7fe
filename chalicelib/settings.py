"""The only reader of the environment. `docs/settings.md` lists every variable; nothing is read at import."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.ports import Limits


@dataclass(frozen=True, slots=True)
class Settings:
    """What an installation is configured to be."""

    region: str
    account: str
    table: str
    stack: str
    lab_stack_role_arn: str
    administrators: tuple[str, ...]
    limits: Limits


def load_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read all settings. Raises KeyError naming the first required variable that is missing."""
    env = os.environ if environment is None else environment
    return Settings(
        region=env["AWS_REGION"],
        account=env["EKSLAB_ACCOUNT"],
        table=env["EKSLAB_TABLE"],
        stack=env["EKSLAB_STACK"],
        lab_stack_role_arn=env["EKSLAB_LAB_STACK_ROLE"],
        administrators=_listed(env.get("EKSLAB_ADMINISTRATORS", "")),
        limits=_limits(env),
    )


def _limits(env: Mapping[str, str]) -> Limits:
    return Limits(
        default_region=env.get("EKSLAB_DEFAULT_REGION") or env["AWS_REGION"],
        regions=_listed(env.get("EKSLAB_REGIONS", "")),
        default_lease_hours=int(env.get("EKSLAB_DEFAULT_LEASE_HOURS", "8")),
        max_lease_hours=int(env.get("EKSLAB_MAX_LEASE_HOURS", "72")),
        max_nodes=int(env.get("EKSLAB_MAX_NODES", "10")),
        max_labs_per_owner=int(env.get("EKSLAB_MAX_LABS_PER_OWNER", "5")),
    )


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
