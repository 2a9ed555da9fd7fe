"""The end of a lease: it is planned, its owner (or an administrator) is warned, and then the lab is deleted."""

from datetime import datetime, timedelta

import pytest

from sandbox.keep_links import confirm_address
from sandbox.mailbox import Mail, SentMail, sent_mails
from sandbox.stage import NOTICE_ADMINISTRATORS, Stage
from tests.story.account import left_of
from tests.story.nights import Night, a_night, all_ready, an_empty_service, morning_after, of_kind
from tests.story.steps import Learner, until

pytestmark = pytest.mark.story

HEARS, BOUNCES = "overslept@example.com", "unheard@example.com"


def messages_with(night: Night, kinds: set[str]) -> list[Mail]:
    """The topic's messages, once these kinds are among them: a bounced mail is reported a moment later."""
    found: list[Mail] = []

    def look() -> set[str]:
        found.extend(night.box.take())
        return {mail.attributes["kind"] for mail in found}

    until(look, lambda seen: seen >= kinds, f"messages: {kinds}")
    return found


def warning_to(night: Night, address: str) -> SentMail:
    """The only mail that SES took for a person since they confirmed their address."""
    [mail] = [
        each for each in sent_mails(night.stage.sandbox) if each.address == address and "/confirm/" not in each.text
    ]
    return mail


def warned_in_korean(night: Night) -> None:
    """Warned by SES, each in one mail; one of them bounced."""
    korean, unheard = (warning_to(night, address) for address in (HEARS, BOUNCES))
    assert (korean.outcome, unheard.outcome) == ("delivered", "bounced")
    assert "overslept 랩" in korean.text
    assert "사용 기간이" in korean.text
    assert '<html lang="ko">' in korean.html
    assert "Your lab" not in korean.text + korean.html


def test_a_lab_that_everybody_forgot_goes_with_its_lease_and_so_does_one_whose_owner_nobody_reaches(
    stage: Stage,
) -> None:
    with a_night(wanted={"recipient": ["learner", NOTICE_ADMINISTRATORS]}) as night:
        # Given two labs with a lease of an hour, of two Koreans with an address, one of which will bounce
        night.rules(maxPercent=100)
        lab = night.lab(Learner(night.stage, night.stage.people.learner), "overslept", leaseHours=1)
        deaf = night.lab(night.learner, "unheard", leaseHours=1)
        confirm_address(night.stage, lab.learner.person, HEARS, "ko")
        confirm_address(night.stage, deaf.learner.person, BOUNCES, "ko")
        night.stage.sandbox.admin("POST", "mail", {"address": BOUNCES, "outcome": "bounce"})
        # And a third with EKS deletion protection, enabled by somebody
        shielded = night.lab(night.learner, "shielded", leaseHours=1)
        began = all_ready(lab, deaf, shielded)
        eks = night.stage.sandbox.client("eks")
        eks.update_cluster_config(name="shielded", deletionProtection=True)
        ends_at = datetime.fromisoformat(deaf.shown()["leaseEndsAt"])
        assert any(step.startswith("The lease ends on ") for step in lab.shown()["next"])

        # When the run before the end comes, then both are planned; after a bounce, administrators are warned
        night.strikes(began)
        planned = night.plan(ends_at.date())
        assert {name: line["trigger"] for name, line in planned.items()} == dict.fromkeys(
            ("overslept", "unheard"), "lease-ends"
        )
        mails = messages_with(night, {"curfew-put-off", "curfew-warning"})
        put_off = of_kind("curfew-put-off", mails)[NOTICE_ADMINISTRATORS]
        assert "shielded" in put_off.subject
        assert "EKS deletion protection is switched on for its cluster." in " ".join(put_off.body.split())
        warnings = of_kind("curfew-warning", mails)
        assert list(warnings) == [NOTICE_ADMINISTRATORS]
        assert "Mail to them came back, so you are told in their place" in " ".join(
            warnings[NOTICE_ADMINISTRATORS].body.split()
        )
        warned_in_korean(night)
        assert [each.shown()["phase"] for each in (lab, deaf, shielded)] == ["ready"] * 3

        # When the run after the end comes, then both are completely deleted, with the reason
        night.strikes(began + timedelta(hours=2))
        lab.becomes("deleted")
        assert "Its lease ends on" in lab.events()
        assert lab.receipt()["clean"]
        assert left_of(lab) == []

        # And the protected one stays until its owner ends it, after a warning that this lifts the protection
        assert shielded.shown()["phase"] == "ready"
        assert eks.describe_cluster(name="shielded")["cluster"]["deletionProtection"]
        answer = shielded.learner.sends("DELETE", shielded.path)
        assert answer.status == 202
        assert "EKS deletion protection is switched on for its cluster. That is lifted." in answer.body.decode()
        shielded.becomes("deleted")
        assert "That was lifted." in shielded.receipt()["verdict"]

        deaf.becomes("deleted")
        assert "Its owner can't be reached" in deaf.events()
        assert left_of(deaf) == []

        # And the report lists both
        night.strikes(morning_after(began) + timedelta(days=1))
        report = night.report(ends_at.date(), night.box.take())
        told = " ".join(report.body.split())
        assert f"mail to {deaf.learner.person.name} came back" in told
        assert f"{NOTICE_ADMINISTRATORS} was warned instead" in told
        assert all(f"\n  {name}" in report.body.partition("Ended:")[2] for name in ("overslept", "unheard"))


def test_two_labs_of_default_lease_on_an_empty_installation_end_by_themselves(stage: Stage) -> None:
    """Issue 12: the brake counted agreed ends, so with so few labs none ever ended."""
    with an_empty_service() as night:
        # Given two people who request a lab each, without a lease, and forget it
        labs = [night.learner.asks_for(name, nodegroups=[]) for name in ("first", "second")]
        hour = all_ready(*labs)
        ends_at = max(datetime.fromisoformat(lab.shown()["leaseEndsAt"]) for lab in labs)

        # When an hour has passed since its end, without any use
        while hour < ends_at + timedelta(hours=1):
            hour += timedelta(hours=1)
            night.strikes(hour)

        # Then both are deleted, each owner was warned of that end only, and the brake held nothing
        for lab in labs:
            lab.becomes("deleted")
            assert lab.receipt()["clean"]
            assert left_of(lab) == []
            assert "The lab is ended as planned." in lab.events()
        mails = night.box.take()
        assert len(of_kind("curfew-warning", mails)) == 2
        assert {mail.attributes["kind"] for mail in mails} <= {"curfew-warning", "curfew-report"}
