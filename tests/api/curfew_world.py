"""An evening's world for the tests of curfew's routes: a ready lab, its entry on the plan, a keep-link."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from chalicelib.domain.curfew.plan import Entry, Trigger
from chalicelib.domain.curfew.signed_links import sign_link
from chalicelib.domain.labs.lab import ClusterFacts, Lab
from chalicelib.domain.labs.schedule import AtCurfew, Schedule
from tests.api.http import Http
from tests.fakes import NOW, OWNER, a_lab, a_spec

NIGHT = date(2026, 11, 23)
#: 22:00 in Seoul; NOW is 19:00 there.
CURFEW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
NEXT = CURFEW + timedelta(days=1)
SEOUL = Schedule("Asia/Seoul")
LAB = a_lab().id
#: The issuer of the lab's cluster, which identifies it.
ISSUER = "https://oidc.eks.ap-northeast-2.amazonaws.com/id/0123456789ABCDEF"


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def a_ready_lab(**changes: Any) -> Lab:
    """Ready since yesterday, with an evening in Seoul and a lease until an hour after its curfew."""
    usual = {"phase": "ready", "created_at": NOW - hours(30), "lease_ends_at": CURFEW + hours(1), "due_at": CURFEW}
    return a_lab(**{**usual, "spec": a_spec(schedule=SEOUL), "facts": ClusterFacts(oidc_issuer=ISSUER), **changes})


def an_entry(**changes: Any) -> Entry:
    """The lab's line on the plan of NIGHT."""
    reason = "idle since 15:40: no user pods scheduled in 5 h, CPU 3 % (baseline 3 %)"
    entry = Entry(
        NIGHT, LAB, CURFEW, AtCurfew.END, Trigger.IDLE, reason, OWNER, "myeks", "ap-northeast-2", NOW, hourly_usd=0.22
    )
    return replace(entry, **{"time_zone": "Asia/Seoul", **changes})


def a_world(lab: Lab | None = None, *entries: Entry) -> Http:
    """The routes over a world with this lab, and a published plan."""
    http = Http()
    http.world.store.put(a_ready_lab() if lab is None else lab)
    http.world.curfew.store.publish(NIGHT, entries or (an_entry(),), NOW)
    return http


def a_link(http: Http, entry: Entry | None = None, expires_at: datetime = NEXT) -> str:
    """The path of a link that keeps the entry's lab."""
    about = entry or an_entry()
    key = http.world.deps.curfew.signing_key()
    return f"/keep/{sign_link(about.lab_id, about.night, about.id, expires_at, key)}"
