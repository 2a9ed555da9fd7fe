"""The warning as its reader gets it: whole mails, then each part that may vary."""

from __future__ import annotations

import itertools
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.core.language import Language
from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.curfew.messages.warning import (
    KeepOffer,
    WarnedPerson,
    format_in_zone,
    warning_message,
)
from chalicelib.domain.curfew.plan import Entry, Stakes, Trigger
from chalicelib.domain.labs.schedule import AtCurfew, Schedule
from chalicelib.domain.labs.spec import VolumePolicy
from chalicelib.words.chat import chat_document
from tests.fakes import a_lab, a_spec

AT = datetime(2026, 11, 23, 13, tzinfo=UTC)
SEOUL = Schedule("Asia/Seoul")
TOMORROW = AT + timedelta(days=1)
URL = "https://a1b2c3d4.execute-api.ap-northeast-2.amazonaws.com/api/keep/v1.bGFi.c2ln"
ENTRY = Entry(
    night=date(2026, 11, 23),
    lab_id="lab-7f3k2m9x",
    at=AT,
    act=AtCurfew.END,
    trigger=Trigger.IDLE,
    reason="idle since 18:40: no user pods scheduled in 5 h, CPU 3 % (baseline 3 %), no load-balancer traffic",
    owner="arn:aws:iam::111122223333:user/learner",
    name="myeks",
    region="ap-northeast-2",
    planned_at=AT - timedelta(hours=4),
    stakes=Stakes(nodes=2, pods=3, volumes=1, balancers=1),
    hourly_usd=0.22,
    saved_hourly_usd=0.22,
)
END = """\
Your lab myeks (lab-7f3k2m9x in ap-northeast-2) ends on Mon 23 Nov 22:00
(Asia/Seoul), 13:00 UTC, because nobody seems to use it.

Why: idle since 18:40: no user pods scheduled in 5 h, CPU 3 % (baseline 3 %), no
load-balancer traffic.

With it go 2 nodes, 3 pods, 1 volume and 1 load balancer.

Volumes of PersistentVolumeClaims are deleted for good.

To keep it until Tue 24 Nov 22:00 (Asia/Seoul), 13:00 UTC, open this page and
press its button. That costs about $5.28, $0.22 an hour.

  https://a1b2c3d4.execute-api.ap-northeast-2.amazonaws.com/api/keep/v1.bGFi.c2ln

The page needs no login. Anyone who has the link can keep this lab, and can do
nothing else.

To keep it for another time, within its allowance:

  ekslab extend lab-7f3k2m9x 24h

We check once more just before that time. A lab in use is left running.
"""
HIBERNATE = """\
Your lab myeks (lab-7f3k2m9x in ap-northeast-2) goes to sleep on Mon 23 Nov
22:00 (Asia/Seoul), 13:00 UTC, because nobody seems to use it.

Why: idle since 18:40: no user pods scheduled in 5 h, CPU 3 % (baseline 3 %), no
load-balancer traffic.

2 nodes and 3 pods stop until it wakes. 1 volume, 1 load balancer and the
control plane stay, and cost money. Everything that is only on a node's own disk
is lost.

To keep it until Tue 24 Nov 22:00 (Asia/Seoul), 13:00 UTC, open this page and
press its button. That costs about $5.28, $0.22 an hour.

  https://a1b2c3d4.execute-api.ap-northeast-2.amazonaws.com/api/keep/v1.bGFi.c2ln

The page needs no login. Anyone who has the link can keep this lab, and can do
nothing else.

To keep it for another time, within its allowance:

  ekslab extend lab-7f3k2m9x 24h

It wakes by itself within the hour after 08:30 (Asia/Seoul) on a day that is not
quiet, or when you wake it:

  ekslab wake lab-7f3k2m9x

We check once more just before that time. A lab in use is left running.
"""
GONE = """\
The cluster of the lab myeks (lab-7f3k2m9x in ap-northeast-2) is gone. On Mon 23
Nov 22:00 (Asia/Seoul), 13:00 UTC everything that it left behind is deleted, and
the lab is closed.

Why: EKS lists no cluster myeks with the tag of lab-7f3k2m9x.

Still there: 1 volume.

Volumes of PersistentVolumeClaims stay, and cost money until you delete them.

There is nothing to keep, so this mail has no link to keep it.

To close it at once:

  ekslab delete cluster lab-7f3k2m9x
"""


def mail(entry: Entry = ENTRY, schedule: Schedule = SEOUL, **other: Any) -> Message:
    given: dict[str, Any] = {"keep_url": URL, "keep_until": TOMORROW, "keep_cost_usd": 5.28} | other
    spec = a_spec(schedule=schedule, volumes=given.pop("volumes", VolumePolicy.DELETE))
    lab, spent_usd = a_lab(spec=spec, account=given.pop("account", "111122223333")), given.pop("spent_usd", None)
    url, until, usd = (given.pop(name) for name in ("keep_url", "keep_until", "keep_cost_usd"))
    offer = KeepOffer(url, until, usd, given.pop("no_room", None))
    return warning_message(entry, lab, offer, WarnedPerson("learner", **given), spent_usd)


def flat(message: Message) -> str:
    return " ".join(message.body.split())


def test_an_idle_lab_that_is_to_end() -> None:
    assert mail().subject == "ekslab: myeks ends Mon 23 Nov 22:00 (Asia/Seoul): idle"
    assert mail().body == END


def test_an_idle_lab_that_is_to_sleep() -> None:
    message = mail(replace(ENTRY, act=AtCurfew.HIBERNATE), replace(SEOUL, wake=time(8, 30)))
    assert message.subject == "ekslab: myeks goes to sleep Mon 23 Nov 22:00 (Asia/Seoul): idle"
    assert message.body == HIBERNATE


def test_a_lab_whose_cluster_is_gone() -> None:
    entry = replace(
        ENTRY,
        trigger=Trigger.GONE,
        reason="EKS lists no cluster myeks with the tag of lab-7f3k2m9x",
        stakes=Stakes(nodes=0, volumes=1, balancers=0),
    )
    message = mail(entry, keep_url=None, keep_until=None, keep_cost_usd=None, volumes=VolumePolicy.KEEP)
    assert message.subject == "ekslab: myeks is closed Mon 23 Nov 22:00 (Asia/Seoul): cluster gone"
    assert message.body == GONE


def test_a_lease_that_ends_promises_no_second_look() -> None:
    message = mail(replace(ENTRY, trigger=Trigger.LEASE, reason="Its lease ends on Mon 23 Nov 22:00 (Asia/Seoul)."))
    assert message.subject == "ekslab: myeks ends Mon 23 Nov 22:00 (Asia/Seoul): lease over"
    assert flat(message).startswith(
        "The lease of your lab myeks (lab-7f3k2m9x in ap-northeast-2) ends on Mon 23 Nov 22:00 (Asia/Seoul), 13:00 UTC."
        " The lab ends with it. With it go 2 nodes"
    )
    assert "Why:" not in message.body
    assert "check once more" not in message.body
    assert URL in message.body


def test_an_adopted_cluster_says_why_its_reader_is_told() -> None:
    message = mail(replace(ENTRY, trigger=Trigger.ADOPTED))
    assert message.subject.endswith("ends Mon 23 Nov 22:00 (Asia/Seoul): no lab")
    assert "but no lab is on record for it." in flat(message)
    assert "its tags name you, or because they name nobody and you are an administrator." in flat(message)


def test_what_subscriptions_filter_by() -> None:
    message = mail()
    assert (message.kind, message.severity, message.days) == ("curfew-warning", Severity.WARNING, 0)
    assert (message.account, message.owner, message.recipient) == ("111122223333", ENTRY.owner, "learner")
    assert mail(account="444455556666").account == "444455556666"


def test_used_up_allowance_is_said_and_no_command_is_offered_that_would_be_refused() -> None:
    message = mail(keep_url=None, keep_until=None)
    assert "no link to keep it, because its allowance is used up." in flat(message)
    assert "An administrator can protect it." in flat(message)
    assert "extend" not in message.body
    assert "keep/" not in message.body


def test_a_link_that_could_not_be_made_is_not_called_a_used_up_allowance() -> None:
    message = mail(keep_url=None)
    assert "No link to keep it could be made this time." in flat(message)
    assert "ekslab extend lab-7f3k2m9x 24h" in message.body
    assert "allowance is used up" not in flat(message)


def test_an_unknown_price_is_said_to_be_unknown() -> None:
    message = mail(replace(ENTRY, hourly_usd=None), keep_cost_usd=None)
    assert "press its button. The price of that is not known." in flat(message)
    assert "$" not in message.body


@pytest.mark.parametrize(
    ("stakes", "text"),
    [
        (Stakes(1, 0, 0, 0), "With it goes 1 node."),
        (Stakes(0, 0, 2, 0), "With it go 2 volumes."),
        (Stakes(2, 1, 0, 0), "With it go 2 nodes and 1 pod."),
        (Stakes(2, None, None, 0), "With it go 2 nodes. Not counted: pods or volumes."),
        (Stakes(0, None, 0, 0), "What is on it could not be counted."),
        (Stakes(), "What is on it could not be counted."),
        (Stakes(0, 0, 0, 0), "Nothing was seen on it: no nodes, pods, volumes or load balancers."),
    ],
)
def test_what_goes_with_a_lab_is_told_as_far_as_it_was_counted(stakes: Stakes, text: str) -> None:
    assert f" {text} " in flat(mail(replace(ENTRY, stakes=stakes)))


@pytest.mark.parametrize(
    ("stakes", "text"),
    [
        (Stakes(1, 0, 0, 0), "1 node stops until it wakes. The control plane stays, and costs money."),
        (Stakes(2, None, 2, 0), "2 nodes stop until it wakes. 2 volumes and the control plane stay, and cost money."),
        (Stakes(), "Its nodes are shut down, and pods stop. The control plane stays, and costs money."),
    ],
)
def test_what_sleeps_and_what_stays_is_told_as_far_as_it_was_counted(stakes: Stakes, text: str) -> None:
    message = mail(replace(ENTRY, stakes=stakes, act=AtCurfew.HIBERNATE))
    assert text in flat(message)
    assert "It sleeps until you wake it: ekslab wake lab-7f3k2m9x" in flat(message)
    assert "deleted" not in message.body


@pytest.mark.parametrize(
    ("policy", "volumes", "text"),
    [
        (VolumePolicy.DELETE, 1, "are deleted for good."),
        (VolumePolicy.SNAPSHOT, None, "are deleted after a snapshot of each. The snapshots stay, and cost money."),
        (VolumePolicy.KEEP, 1, "stay, and cost money until you delete them."),
        (VolumePolicy.DELETE, 0, None),
    ],
)
def test_what_becomes_of_volumes_follows_the_labs_policy(
    policy: VolumePolicy, volumes: int | None, text: str | None
) -> None:
    message = mail(replace(ENTRY, stakes=Stakes(2, 3, volumes, 1)), volumes=policy)
    assert (text or "go 2 nodes, 3 pods and 1 load balancer.") in flat(message)
    assert ("PersistentVolumeClaims" in message.body) is (text is not None)


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "Mon 23 Nov 13:00 (UTC)"),
        ("Asia/Seoul", "Mon 23 Nov 22:00 (Asia/Seoul), 13:00 UTC"),
        ("Pacific/Auckland", "Tue 24 Nov 02:00 (Pacific/Auckland), Mon 23 Nov 13:00 UTC"),
    ],
)
def test_an_instant_is_told_where_the_owner_lives_and_in_utc(zone: str, text: str) -> None:
    assert format_in_zone(Schedule(zone), AT) == text


@pytest.mark.parametrize("trigger", list(Trigger))
@pytest.mark.parametrize("act", list(AtCurfew))
def test_the_only_address_is_the_link_that_keeps_the_lab_and_all_else_is_a_command(
    trigger: Trigger, act: AtCurfew
) -> None:
    """Issue 12, row 18: a reader can't sign a POST."""
    body = mail(replace(ENTRY, trigger=trigger, act=act)).body
    assert body.count("http") == (0 if trigger is Trigger.GONE else 1)
    assert not re.search(r"\b(GET|POST|PUT|DELETE) ", body)


def test_a_channel_hears_of_the_lab_but_never_gets_the_link_that_keeps_it() -> None:
    """Any holder of the link can keep the lab: it is for the owner's mail, not for everyone who reads a channel."""
    document = chat_document(mail(), Language.EN)
    assert URL.rpartition("/")[2] not in json.dumps(document)
    assert "myeks ends Mon 23 Nov 22:00" in json.dumps(document)
    other = chat_document(mail(replace(ENTRY, lab_id="lab-0000aaaa")), Language.EN)
    assert document["id"] != other["id"]


COUNTS = st.none() | st.integers(0, 3)


@given(
    st.sampled_from(list(itertools.product(Trigger, AtCurfew))),
    st.builds(Stakes, COUNTS, COUNTS, COUNTS, COUNTS),
    st.sampled_from(["Asia/Seoul", "America/Argentina/ComodRivadavia", "UTC"]),
    st.integers(1, 100),
    st.none() | st.just(URL),
)
def test_no_mail_has_nonsense_in_it(
    what: tuple[Trigger, AtCurfew], stakes: Stakes, zone: str, length: int, url: str | None
) -> None:
    entry = replace(ENTRY, trigger=what[0], act=what[1], stakes=stakes, name="n" * length)
    message = mail(entry, Schedule(zone), keep_url=url)
    assert len(message.subject) <= 99
    assert message.subject.isascii()
    assert "(" + zone + ")" in message.subject
    words = flat(message)
    for nonsense in ("None", " 0 ", "1 nodes", "1 pods", "1 volumes", "..", " ,", "Ground", "()"):
        assert nonsense not in words
    assert words.count("https://") == (1 if url and what[0] is not Trigger.GONE else 0)
