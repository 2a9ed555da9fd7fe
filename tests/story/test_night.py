"""A night over five labs: one brake, one switch, one link, and in the end exactly the right labs are deleted."""

from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from chalicelib.aws.messaging.link_keys import ItsdangerousLinkSigner
from chalicelib.domain.curfew.signed_links import SigningKey, sign_link
from sandbox.activity import run_job
from sandbox.keep_links import link_in, open_link, press_button
from sandbox.schedules import run_watch
from sandbox.stage import NOTICE_ADMINISTRATORS, Stage
from tests.story.account import left_of
from tests.story.nights import Night, a_night, all_ready, morning_after, of_kind
from tests.story.steps import Lab, until
from tests.versions import after, upgradable

pytestmark = pytest.mark.story


NOTHING_PLANNED = "urn:ekslab:problem:no-plan"


def test_a_night_takes_what_is_idle_and_allowed_and_nothing_else(stage: Stage) -> None:
    with a_night() as night:
        # Given three idle labs, one in use, and one whose only use is a Job that no metric shows
        one, other = night.learner, night.learner
        forgotten, used = night.lab(one, "forgotten"), night.lab(one, "used", use="busy", version=upgradable())
        twin, kept, quiet = night.lab(one, "twin"), night.lab(other, "kept"), night.lab(other, "quiet")
        all_ready(forgotten, used, twin, kept, quiet)
        run_job(night.stage.sandbox, "quiet", "ml", "train")

        # When the plan's hour comes, then it names the idle ones with reasons, and each owner has a mail; the others are kept
        # with reasons
        night.strikes(night.planning)
        planned = night.plan(night.evening)
        assert set(planned) == {"forgotten", "twin", "kept"}
        assert all("idle since" in line["reason"] for line in planned.values())
        assert "The lab is not on the plan" in used.events()
        assert "busy: " in used.events()
        assert one.sends("GET", f"{used.path}/verdict").json["message"].startswith("busy: ")
        assert "The lab is not on the plan" in quiet.events()
        assert "busy: Job running: ml/train" in quiet.events()
        assert other.sends("GET", f"{quiet.path}/verdict").json["message"] == "busy: Job running: ml/train"
        mails = [mail for mail in night.box.take() if mail.attributes["kind"] == "curfew-warning"]
        links = {mail.subject.split()[1]: link_in(mail) for mail in mails}
        assert set(links) == set(planned)
        link = links["kept"]
        assert link is not None

        # And opening a link changes nothing; a forged or an expired one is refused
        looked_at_and_refused(night, kept, link)

        # When curfew comes, then the brake holds them all, for only a quarter may be deleted; administrators are notified,
        # once
        night.strikes(night.curfew)
        assert phases(forgotten, used, twin, kept, quiet) == ["ready"] * 5
        (message,) = of_kind("curfew-brake", night.box.take()).items()
        assert message[0] == NOTICE_ADMINISTRATORS
        assert message[1].subject.endswith("3 planned, 2 allowed")

        # When an owner presses the button now, once or twice, then the lab is kept until the next curfew
        assert [press_button(link).status for _ in range(2)] == [200, 200]
        assert kept.shown()["keptUntil"] == f"{night.curfew + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"

        # When the brake is raised and curfew switched off, then nothing happens; switched on again, the next hourly run
        # continues
        night.rules(maxPercent=50, mode="off")
        assert night.strikes(night.curfew + timedelta(hours=1))["counts"] == {}
        assert phases(forgotten, used, twin, kept, quiet) == ["ready"] * 5
        night.rules(mode="on")
        night.strikes(night.curfew + timedelta(hours=2))
        for lab in (forgotten, twin):
            lab.becomes("deleted")
            assert lab.receipt()["clean"]
            assert left_of(lab) == []
        assert "Curfew: the lab is ended. Idle since" in forgotten.events()
        assert phases(used, kept, quiet) == ["ready"] * 3
        assert "The lab lives through the curfew" in kept.events()
        assert "It is kept until" in kept.events()

        # And there is one report in the morning, and deletion protection keeps a lab in the evening: the hour decides which
        # comes first. The report may name the next evening's plan, so the protection comes before both.
        protected(kept)
        told = {
            morning_after(night.curfew): partial(reported_once, night, used, kept, quiet),
            night.planning + timedelta(days=1): partial(spared_by_protection, night, kept),
        }
        for at in sorted(told):
            told[at]()

        # And the version is current
        upgraded_by_hand(night, used)


def reported_once(night: Night, *alive: Lab) -> None:
    night.strikes(morning_after(night.curfew))
    report = night.report(night.evening, night.box.take())
    assert "2 ended, 1 skipped" in report.subject
    assert "saved" in report.body
    assert phases(*alive) == ["ready"] * len(alive)


def protected(lab: Lab) -> None:
    eks = lab.learner.stage.sandbox.client("eks")
    eks.update_cluster_config(name=lab.name, deletionProtection=True)
    until(lambda: eks.describe_cluster(name=lab.name)["cluster"], lambda seen: seen["deletionProtection"], lab.name)


def spared_by_protection(night: Night, lab: Lab) -> None:
    """Row 7 of issue 12: curfew switched it off and deleted. The lab is idle, and the next evening keeps it all the same."""
    night.strikes(night.planning + timedelta(days=1))
    evening = night.evening + timedelta(days=1)
    planned = night.administrator.sends("GET", f"/plan/{evening:%Y-%m-%d}").json
    assert planned.get("type") == NOTHING_PLANNED or lab.name not in [line["name"] for line in planned["entries"]]
    assert "EKS deletion protection is switched on for its cluster." in lab.events()


def upgraded_by_hand(night: Night, lab: Lab) -> None:
    """Row 20 of issue 12: `GET /labs` kept the old version. The next day's watch reads the new one."""
    eks, before = night.stage.sandbox.client("eks"), lab.shown()["version"]
    eks.update_cluster_version(name=lab.name, version=after(before))
    until(lambda: eks.describe_cluster(name=lab.name)["cluster"]["version"], lambda seen: seen != before, lab.name)
    run_watch(night.stage, night.curfew + timedelta(days=1), seconds=300)
    (listed,) = [each for each in lab.learner.sends("GET", "/labs").json["labs"] if each["id"] == lab.id]
    assert (listed["version"], lab.shown()["version"]) == (after(before), after(before))
    place = f"{night.stage.sandbox.account}/{lab.region}"
    watched = night.administrator.sends("GET", f"/clusters/{place}/{lab.name}").json
    assert watched["version"] == after(before)
    assert watched["deadlines"]
    assert f"{before} " not in " ".join(deadline["effect"] for deadline in watched["deadlines"])


def looked_at_and_refused(night: Night, lab: Lab, link: str) -> None:
    page = open_link(link)
    assert page.status == 200
    assert b"<button" in page.body
    head, _, signature = link.rpartition(".")
    forged = f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    expired = f"{link.rpartition('/')[0]}/{expired_token(night, lab)}"
    for refused, status in ((forged, 404), (expired, 410)):
        assert [answer(refused).status for answer in (open_link, press_button)] == [status, status]
    assert lab.shown()["keptUntil"] is None
    assert lab.shown()["planned"] is not None


def expired_token(night: Night, lab: Lab) -> str:
    """A link that the service itself signed, expired an hour ago."""
    secrets, planned = night.stage.sandbox.client("secretsmanager"), lab.shown()["planned"]
    (secret,) = secrets.list_secrets()["SecretList"]
    key = secrets.get_secret_value(SecretId=secret["ARN"])
    signing = SigningKey(key["VersionId"], key["SecretString"].encode(), ItsdangerousLinkSigner())
    ended = datetime.now(UTC) - timedelta(hours=1)
    day = date.fromisoformat(planned["night"])
    return sign_link(lab.id, day, planned["entryId"], ended, signing)


def phases(*labs: Lab) -> list[str]:
    return [lab.shown()["phase"] for lab in labs]
