"""The plan's hash: the same for the same entries in any order, different for any others."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from chalicelib.domain.curfew.plan import Entry, Stakes, Trigger, plan_hash
from chalicelib.domain.labs.schedule import AtCurfew

AT = datetime(2026, 11, 23, 13, tzinfo=UTC)
ENTRY = Entry(
    date(2026, 11, 23), "lab-1", AT, AtCurfew.END, Trigger.IDLE, "idle", "owner", "myeks", "ap-northeast-2", AT
)
LATER = AT + timedelta(seconds=1)
CHANGES: dict[str, Any] = {
    "night": date(2026, 11, 24),
    "lab_id": "lab-2",
    "at": LATER,
    "act": AtCurfew.HIBERNATE,
    "trigger": Trigger.GONE,
    "reason": "busy",
    "owner": "someone",
    "name": "other",
    "region": "us-east-1",
    "planned_at": LATER,
    "stakes": Stakes(nodes=0),
    "hourly_usd": 0.0,
    "saved_hourly_usd": 0.0,
    "time_zone": "Asia/Seoul",
    "foreseen": False,
}


def test_order_does_not_matter() -> None:
    entries = [replace(ENTRY, lab_id=f"lab-{number}") for number in range(3)]
    assert plan_hash(entries) == plan_hash(reversed(entries))


def test_every_field_matters() -> None:
    assert set(CHANGES) == set(Entry.__dataclass_fields__)


@pytest.mark.parametrize("field", CHANGES)
def test_another_value_is_another_hash(field: str) -> None:
    assert plan_hash([replace(ENTRY, **{field: CHANGES[field]})]) != plan_hash([ENTRY])


def test_an_entry_more_or_twice_is_another_hash() -> None:
    assert len({plan_hash([ENTRY] * times) for times in range(3)}) == 3


def test_equal_entries_have_one_hash_however_they_are_written() -> None:
    local = AT.astimezone(ZoneInfo("Asia/Seoul"))
    assert plan_hash([replace(ENTRY, at=local, planned_at=local)]) == plan_hash([ENTRY])
    assert replace(ENTRY, at=local).id == ENTRY.id
    assert plan_hash([replace(ENTRY, hourly_usd=1)]) == plan_hash([replace(ENTRY, hourly_usd=1.0)])
