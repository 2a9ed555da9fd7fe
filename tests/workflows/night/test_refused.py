"""Mail that SES refuses: its next audience gets the contents, and the retries end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chalicelib.domain.curfew.plan import EntryOutcome
from chalicelib.domain.errors.tree import AwsRefused
from tests.fakes import NOW
from tests.fakes.mailing import FakeMailing, not_verified
from tests.workflows.night.nights import CURFEW, Nights
from tests.workflows.night.test_mail import ADMINS, ARN, JANE, OPS, lines, nights_with

PAUSED = AwsRefused("ses:SendEmail", "SendingPausedException", "Email sending is disabled for your account.")


def refused_nights(labs: int = 3, addresses: dict[str, str] | None = None) -> tuple[Nights, FakeMailing]:
    """SES permanently refuses Jane's mail, and she has no subscription."""
    nights, mailing = nights_with(addresses or {ARN: JANE, ADMINS: OPS}, labs)
    nights.world.curfew.reach.unreachable["jane"] = "No confirmed subscription takes messages for jane."
    mailing.mailer.outcomes[JANE] = "refused"
    return nights, mailing


def test_a_warning_that_ses_refuses_for_its_reader_goes_to_the_next_audience_in_the_same_run_as_one_mail() -> None:
    nights, mailing = refused_nights()
    nights.run_hour(NOW)
    [letter] = [each for each in mailing.mailer.to(OPS) if "c-lab-0" in each.text]
    assert "(and 2 more)" in letter.subject
    assert "Mail to them came back" in letter.text
    assert {(status.recipient, status.warned_at) for _, status in lines(nights)} == {(ADMINS, NOW)}
    assert {each.recipient for _, status in lines(nights) for each in status.unheard} == {"jane"}
    assert "SES refused the mail to jane" in nights.sentences("lab-0")
    nights.hours(NOW + timedelta(hours=1), 5)
    assert mailing.mailer.asked == len(mailing.mailer.sent) + 1
    assert sorted(nights.started("teardown")) == ["lab-0", "lab-1", "lab-2"]


def test_the_report_says_that_ses_refused_the_mail_and_who_was_told_instead() -> None:
    nights, _ = refused_nights(1, {ARN: JANE})
    nights.hours(NOW, 23)
    [report] = [m for m in nights.world.watch.notifier.messages if "1 lab planned" in m.body]
    words = " ".join(report.body.split())
    assert "mail to jane came back, Amazon SES rejected it: ses:SendEmail: MessageRejected" in words
    assert "admins@example.com was warned instead" in words


def test_a_refused_warning_without_another_audience_lets_the_lab_live() -> None:
    nights, mailing = refused_nights(1, {ARN: JANE})
    nights.world.curfew.reach.unreachable[ADMINS] = "Nobody has a confirmed subscription."
    nights.hours(NOW, 12)
    assert nights.started("teardown") == []
    assert mailing.mailer.asked == 1


def test_refused_warnings_of_every_page_are_told_to_the_next_audience_by_the_last_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chalicelib.workflows.curfew._A_PAGE", 1)
    jun = "arn:aws:iam::111122223333:user/jun"
    nights, mailing = refused_nights(2, {ARN: JANE, jun: "jun@example.com", ADMINS: OPS})
    nights.add("lab-jun", owner=jun)
    mailing.mailer.outcomes["jun@example.com"] = "refused"
    nights.world.curfew.reach.unreachable["jun"] = "No confirmed subscription takes messages for jun."
    nights.run_hour(NOW)
    assert {status.recipient for _, status in lines(nights)} == {ADMINS}
    told = [each for each in mailing.mailer.to(OPS) if "c-lab-" in each.text]
    assert len(told) == 2, "one of what earlier pages passed on, one of the last page's own"


@pytest.mark.parametrize("refusal", [PAUSED, not_verified("ekslab@example.org")], ids=lambda refusal: refusal.code)
def test_while_ses_refuses_the_account_the_owner_waits_until_the_act_is_due(refusal: AwsRefused) -> None:
    nights, _ = refused_nights(1, {ARN: JANE})
    nights.world.fail("_take", refusal, times=99)
    nights.run_hour(NOW)
    assert [(status.warned_at, status.unheard) for _, status in lines(nights)] == [(None, ())]
    nights.hours(NOW + timedelta(hours=1), 2)
    nights.run_hour(CURFEW)
    [(entry, status)] = lines(nights)
    assert (status.recipient, status.warned_at) == (ADMINS, max(entry.at, CURFEW))
    nights.run_hour(CURFEW + timedelta(hours=1))
    assert {status.outcome for _, status in lines(nights)} == {EntryOutcome.ENDED}


def test_a_refusal_that_passes_before_the_act_costs_the_owner_nothing() -> None:
    nights, mailing = refused_nights(1, {ARN: JANE, ADMINS: OPS})
    mailing.mailer.outcomes.clear()
    nights.world.fail("_take", PAUSED)
    nights.hours(NOW, 2)
    assert {status.recipient for _, status in lines(nights)} == {"jane"}


@pytest.mark.parametrize("refusal", [PAUSED, not_verified("ekslab@example.org")], ids=lambda refusal: refusal.code)
def test_after_an_outage_of_ses_at_the_time_of_the_act_the_owner_is_warned_first(refusal: AwsRefused) -> None:
    nights, mailing = refused_nights(1, {ARN: JANE, ADMINS: OPS})
    mailing.mailer.outcomes.clear()
    nights.world.curfew.reach.unreachable[ADMINS] = "Nobody has a confirmed subscription."
    nights.world.fail("_take", refusal, times=99)
    nights.hours(NOW, 3)
    nights.run_hour(CURFEW)
    [(_, status)] = lines(nights)
    assert (status.warned_at, status.unheard) == (None, ())
    assert "SES refused the mail to jane" in status.trouble
    assert "came back" not in status.trouble
    nights.world.account.troubles.clear()
    nights.run_hour(CURFEW + timedelta(hours=1))
    assert [(status.recipient, status.unheard) for _, status in lines(nights)] == [("jane", ())]
    assert [each.address for _, each in mailing.mailer.sent if "c-lab-0" in each.text] == [JANE]
    nights.run_hour(CURFEW + timedelta(hours=2))
    assert {status.outcome for _, status in lines(nights)} == {EntryOutcome.ENDED}
    assert "came back" not in nights.sentences("lab-0")


def test_who_is_warned_in_place_of_an_owner_whose_mail_ses_takes_from_nobody_is_not_told_that_it_came_back() -> None:
    nights, _ = refused_nights(1, {ARN: JANE})
    nights.world.fail("_take", PAUSED, times=99)
    nights.hours(NOW, 3)
    nights.run_hour(CURFEW)
    [warning] = [each for each in nights.world.watch.notifier.to(ADMINS) if "c-lab-0" in each.body]
    assert "came back" not in warning.body
    assert "can't be reached: SES refused the mail to jane" in nights.sentences("lab-0")
    assert [status.unheard for _, status in lines(nights)] == [()]
