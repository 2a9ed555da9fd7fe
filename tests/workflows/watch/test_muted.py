"""Mail that a person switched off goes to the next audience, and a mail that may be switched off explains how."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.core.message import Severity, letter_of, message_of, para
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.signed_links import read_unsubscribing
from chalicelib.domain.notices.notice import NoticeState
from chalicelib.workflows.night.send import send_posts
from chalicelib.workflows.shared.posts import post
from tests.fakes import NOW, FakeWorld, make_deps
from tests.fakes.fleet_builders import a_fleet_cluster, a_registration
from tests.fakes.mailing import FakeMailing, with_mail
from tests.workflows.machine import Machine
from tests.workflows.night.test_mail import ADMINS, ARN, JANE, OPS, nights_with


def watched(muted: tuple[str, ...] = ()) -> tuple[FakeWorld, FakeMailing]:
    """OPS is responsible for an overdue cluster, and has an address."""
    world = make_deps()
    mailing = with_mail(world, {OPS: OPS, ADMINS: ADMINS})
    mailing.muted[OPS] = muted
    world.deps = replace(world.deps, watch=replace(world.deps.watch, api_url="https://labs.example/api"))
    world.watch.store.register(a_registration())
    world.watch.fleets.add(a_fleet_cluster("orders", "1.31"))
    Machine("watch_support", world.deps).run({"time": NOW.isoformat()})
    return world, mailing


def test_a_mail_about_deadlines_says_how_to_switch_them_off() -> None:
    world, mailing = watched()
    [letter] = mailing.mailer.to(OPS)
    token = letter.unsubscribe_url.removeprefix("https://labs.example/api/unsubscribe/")
    assert read_unsubscribing(token, world.deps.curfew.known_keys(), NOW) == (f"person-of-{OPS}", ("deadlines",))


def test_a_mail_of_several_topics_says_how_to_switch_all_of_them_off() -> None:
    world, mailing = watched(("deadlines",))
    text = Sentence("Something")
    for kind in ("wake-failed", "month-costs"):
        post(world.deps, [message_of(letter_of(text, [para(text)]), OPS, kind, Severity.INFO, "1", OPS)], kind)
    send_posts(world.deps, NOW)
    [letter] = mailing.mailer.to(OPS)
    token = letter.unsubscribe_url.removeprefix("https://labs.example/api/unsubscribe/")
    read = read_unsubscribing(token, world.deps.curfew.known_keys(), NOW)
    assert read == (f"person-of-{OPS}", ("reports", "results"))


@pytest.mark.parametrize("muted", [("deadlines",), ("deadlines", "results", "reports")])
def test_who_switched_deadlines_off_hears_none_and_the_next_audience_does(muted: tuple[str, ...]) -> None:
    world, mailing = watched(muted)
    assert mailing.mailer.to(OPS) == []
    assert world.watch.notifier.to(OPS) == ()
    states = {notice.recipient: notice.state for notice in world.watch.store.notices.values()}
    assert states[OPS] is NoticeState.UNHEARD
    Machine("watch_support", world.deps).run({"time": NOW.isoformat()})
    assert mailing.mailer.to(ADMINS)


def test_a_warning_before_a_deletion_comes_whatever_was_switched_off_and_has_no_such_link() -> None:
    nights, mailing = nights_with({ARN: JANE})
    mailing.muted[JANE] = ("results", "deadlines", "reports", "warnings")
    nights.world.deps = replace(
        nights.world.deps, watch=replace(nights.world.deps.watch, api_url="https://labs.example/api")
    )
    nights.run_hour(NOW)
    [letter] = mailing.mailer.to(JANE)
    assert letter.unsubscribe_url == ""
