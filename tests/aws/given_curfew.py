"""Curfew's records, with a test's own values: entries of a plan, verdicts, and both stores over one table."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import boto3
from moto import mock_aws

from chalicelib.aws.dynamodb.curfew.store import DynamoCurfewStore
from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.domain.curfew.plan import Entry, Stakes, Trigger
from chalicelib.domain.idleness.verdict import Sign, Signal, Verdict
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.schedule import AtCurfew
from chalicelib.ports.curfew import CurfewStore
from chalicelib.ports.deps import Store
from tests.aws.dynamodb.table import create_table
from tests.fakes import NOW, Account, FakeStore, a_lab, a_spec
from tests.fakes.curfew import FakeCurfewStore

NIGHT = date(2026, 11, 23)
_numbers = itertools.count()


@dataclass(frozen=True, slots=True)
class Kept:
    """Both stores over the same labs."""

    labs: Store
    curfew: CurfewStore


def fake_kept() -> Kept:
    """In memory."""
    account = Account()
    labs = FakeStore(account)
    return Kept(labs, FakeCurfewStore(account, labs))


@contextmanager
def kept_on(client: Any) -> Iterator[Kept]:
    """In a table of its own."""
    table = create_table(client, f"curfew-{next(_numbers)}")
    yield Kept(DynamoStore(client, table), DynamoCurfewStore(client, table))
    client.delete_table(TableName=table)


@contextmanager
def moto_client() -> Iterator[Any]:
    """DynamoDB in this process."""
    with mock_aws():
        yield boto3.client("dynamodb", region_name="ap-northeast-2")


def an_entry(lab_id: str = "lab-1", minutes: int = 0, **changes: Any) -> Entry:
    """A lab that is to end this many minutes after 13:00 UTC."""
    entry = Entry(
        night=NIGHT,
        lab_id=lab_id,
        at=NOW + timedelta(hours=3, minutes=minutes),
        act=AtCurfew.END,
        trigger=Trigger.IDLE,
        reason="idle since 18:40: CPU 3 % (baseline 3 %), no load-balancer traffic",
        owner="arn:aws:iam::111122223333:user/learner",
        name="myeks",
        region="ap-northeast-2",
        planned_at=NOW,
        stakes=Stakes(nodes=2, volumes=1),
        hourly_usd=0.22,
        saved_hourly_usd=0.22,
    )
    return replace(entry, **changes)


def a_verdict(**changes: Any) -> Verdict:
    """Idle, with one signal."""
    quiet = Signal("node-cpu", Sign.QUIET, "CPU 3 % (baseline 3 %)", {"cpu": 3.1}, NOW - timedelta(hours=5))
    idle = Verdict("lab-1", NOW, NOW - timedelta(hours=3), True, "idle since 18:40", signals=(quiet,))
    return replace(idle, **changes)


def created(kept: Kept, number: int, **changes: Any) -> Lab:
    """A lab with a name of its own, created and then changed as a test needs it."""
    spec = a_spec(name=f"name-{number}", region=changes.pop("region", "ap-northeast-2"))
    lab = kept.labs.create_lab(a_lab(id=f"lab-{number}", spec=spec), None, "d", NOW)
    return kept.labs.change_lab(lab.id, lambda stored: replace(stored, **changes)) if changes else lab
