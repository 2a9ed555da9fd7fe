"""A running sandbox: usage instructions, stored keys, and scheduled runs on request."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from emulator.process import Sandbox
from sandbox import run_schedule, up, usage
from sandbox.mailbox import subscribe
from sandbox.stage import installed
from tests.paths import PROJECT
from tests.story.steps import learner, until

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "ahead", "instant"),
    [
        (None, None, "2026-11-24T03:00:00+00:00"),
        (None, "90m", "2026-11-24T04:30:00+00:00"),
        (None, "4h", "2026-11-24T07:00:00+00:00"),
        (None, "2d", "2026-11-26T03:00:00+00:00"),
        ("2026-11-25T22:00+09:00", None, "2026-11-25T13:00:00+00:00"),
        ("2026-11-25T22:00", None, "2026-11-25T22:00:00+00:00"),
    ],
)
def test_an_event_comes_at_an_instant_or_so_long_from_now(at: str | None, ahead: str | None, instant: str) -> None:
    assert run_schedule.instant_of(at, ahead, NOW).isoformat() == instant


@pytest.mark.parametrize(("at", "ahead"), [(None, "4"), (None, "soon"), (None, "-4h"), ("tomorrow", None)])
def test_what_is_no_time_is_refused(at: str | None, ahead: str | None) -> None:
    with pytest.raises(ValueError, match=r"."):
        run_schedule.instant_of(at, ahead, NOW)


def test_without_a_sandbox_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(run_schedule.NotRunning, match="make sandbox"):
        run_schedule.running(tmp_path / "env")


def test_the_command_line_does_not_import_the_emulator_before_its_environment_is_set() -> None:
    asked = "import sys, sandbox.__main__; sys.exit('ministack' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], cwd=PROJECT, check=False).returncode == 0


class Took:
    """A sandbox whose SES took one mail, and whose topic sent none."""

    def client(self, _name: str) -> Took:
        return self

    def get_queue_url(self, **_: object) -> dict[str, str]:
        return {"QueueUrl": "everybodys-mail"}

    def receive_message(self, **_: object) -> dict[str, object]:
        return {}

    def admin(self, _method: str, _name: str) -> dict[str, object]:
        mail = {
            "MessageId": "m-1",
            "To": ["kim@example.com"],
            "Subject": "myeks",
            "BodyText": "text",
            "BodyHtml": "<p>",
        }
        return {"mails": [{**mail, "Events": ["Send", "Bounce"]}]}


def test_mails_show_text_html_and_what_became_of_them_once(tmp_path: Path) -> None:
    told = list[str]()
    for _ in range(2):
        run_schedule.print_mails(cast(Sandbox, Took()), told.append, tmp_path)
    assert "To: kim@example.com\nSubject: myeks\n\n  text" in told[0]
    assert "bounced by Amazon SES" in told[0]
    assert (tmp_path / "m-1.html").read_text() == "<p>"
    assert told[1:] == ["  no new mail"]


def test_an_evening_passes_in_a_sandbox_left_running(tmp_path: Path) -> None:
    env, message = tmp_path / "env", list[str]()
    with installed() as stage:
        # Given a sandbox as `make sandbox` leaves it: all keys are in a file that only its owner can read
        subscribe(stage.sandbox, stage.outputs["NoticesTopicArn"], run_schedule.MAILBOX)
        up.write_environment(env, stage)
        people = (stage.people.learner, stage.people.other_learner, stage.people.administrator)
        assert all(person.credentials.secret_access_key in env.read_text() for person in people)
        assert env.stat().st_mode & 0o077 == 0
        running = run_schedule.running(env)
        assert running.url == stage.sandbox.url
        # And the instructions name each command
        assert all(f"-m sandbox {word}" in up.message(stage, 0.02) for word in ("run-schedule", "use", "mails"))

        # When the curfew run runs for one hour ahead, for a lab with a lease of three hours
        lab = learner(stage).asks_for("struck", nodegroups=[], leaseHours=3)
        lab.becomes("ready")
        run_schedule.run_schedule(running, "curfew", datetime.now(UTC) + timedelta(hours=1), message.append)
        # Then its result and the mail are printed
        assert "warned 1" in message[1]
        assert "Subject: ekslab: struck ends" in "".join(message)

        # When it runs for three hours after that, the lab ends
        run_schedule.run_schedule(running, "curfew", datetime.now(UTC) + timedelta(hours=4), message.append)
        lab.becomes("deleted")

        # And its receipt's second check can be run at once
        message.clear()
        run_schedule.run_schedule(running, "recover", datetime.now(UTC) + timedelta(minutes=16), message.append)
        assert f"{lab.id}: restart" in message[1]
        until(lab.receipt, lambda receipt: len(receipt["looks"]) == 2, "a second look")

        # And a cluster with a stated use is watched, without any notice
        usage.use(running, "struck", "idle")
        message.clear()
        run_schedule.run_schedule(running, "watch", datetime.now(UTC), message.append)
        assert "decided on 0 notices" in message[1]
        assert message[-1] == "  no new mail"
