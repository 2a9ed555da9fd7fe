"""`python -m sandbox run-schedule`, `use` and `mails`: run a schedule at another time in a sandbox left running by `make sandbox`.

Leases, curfew and the schedules follow the real clock, so a night would take too long. A schedule's run takes its time only from
its event: with a later time, it decides as of then. The API still shows the real time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from deployment.packaging import PROJECT
from emulator.process import Sandbox
from sandbox.mailbox import Mail, Mailbox, sent_mails
from sandbox.schedules import describe_curfew_run, describe_watch_run, run_curfew, run_watch
from sandbox.stage import STACK, Schedules

ENV_FILE = PROJECT / ".sandbox" / "env"
#: The folder for SES mails as HTML.
MAILS = PROJECT / ".sandbox" / "mails"
#: The queue of everybody's mail in a sandbox that `make sandbox` left running.
MAILBOX = "everybodys-mail"
SCHEDULES = ("curfew", "watch", "recover")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class NotRunning(Exception):
    """No sandbox is running."""

    def __init__(self) -> None:
        super().__init__("No sandbox is running: `make sandbox` starts one, and its second terminal can use this.")


def running(env_file: Path = ENV_FILE) -> Sandbox:
    """The sandbox that `make sandbox` started. Raises NotRunning."""
    message = env_file.read_text() if env_file.exists() else ""
    found = re.search(r"^export AWS_ENDPOINT_URL=(\S+)$", message, re.MULTILINE)
    if found is None:
        raise NotRunning
    return Sandbox(found.group(1))


def run_schedule(sandbox: Sandbox, schedule: str, at: datetime, say: Callable[[str], None]) -> None:
    """Send the schedule's event with `at` as its time, wait for the run's end, print its results and the mails."""
    stacks = sandbox.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    schedules = Schedules(sandbox, {each["OutputKey"]: each["OutputValue"] for each in stacks[0]["Outputs"]})
    say(f"the event of {at:%a} {at.day} {at:%b %Y %H:%M} UTC")
    match schedule:
        case "curfew":
            lines = describe_curfew_run(run_curfew(schedules, at))
        case "watch":
            lines = [describe_watch_run(run_watch(schedules, at))]
        case _:
            lines = _recovered(schedules.recover_labs(at))
    for line in lines:
        say(f"  {line}")
    print_mails(sandbox, say)


def print_mails(sandbox: Sandbox, say: Callable[[str], None], folder: Path = MAILS) -> None:
    """Print the mails since the last look: by the topic, and to people by SES, with their outcomes.

    The HTML of an SES mail is written into `folder`, for a browser; a mail whose file exists was printed before.
    """
    url = sandbox.client("sqs").get_queue_url(QueueName=MAILBOX)["QueueUrl"]
    mails, sent = Mailbox(sandbox, url).take(), sent_mails(sandbox)
    for mail in mails:
        say(_describe_mail(mail))
    folder.mkdir(parents=True, exist_ok=True)
    pages = {folder / f"{each.id}.html": each for each in sent}
    fresh = {page: each for page, each in pages.items() if not page.exists()}
    for page, each in fresh.items():
        page.write_text(each.html)
        say(f"{_describe_mail(each.mail)}\n\n  {each.outcome} by Amazon SES; as HTML: {page}")
    if not mails and not fresh:
        say("  no new mail")


def instant_of(at: str | None, ahead: str | None, now: datetime) -> datetime:
    """`at` as an instant (UTC where it names no zone), or `now` plus a span: `90m`, `4h`, `2d`. Raises ValueError."""
    if at is not None:
        message = datetime.fromisoformat(at)
        return (message if message.tzinfo else message.replace(tzinfo=UTC)).astimezone(UTC)
    found = re.fullmatch(r"(\d+)([mhd])", ahead or "0m")
    if found is None:
        raise ValueError(f"{ahead}: a number and m, h or d, such as 90m, 4h or 2d")
    return now + int(found.group(1)) * _UNITS[found.group(2)]


def _recovered(answer: Mapping[str, Any]) -> list[str]:
    """The results of a `recover_labs` run, a line each."""
    done = [f"{each['lab_id']}: {each['act']}. {each['reason']}" for each in answer.get("done", ())]
    failed = [f"{lab_id} could not be tended" for lab_id in answer.get("failed", ())]
    return [*done, *failed] or ["nothing was due"]


def _describe_mail(mail: Mail) -> str:
    head = f"\nTo: {mail.attributes.get('recipient', '')}\nSubject: {mail.subject}\n\n"
    return head + "\n".join(f"  {line}".rstrip() for line in mail.body.splitlines())
