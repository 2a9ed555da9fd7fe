"""The service installed in a sandbox: deployed from the production template, with people who may call it.

The demo, `make sandbox` and the stories stand on this. Time moves by sending schedule events with later times.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from deployment import packaging
from emulator.core.settings import Settings
from emulator.process import Sandbox, running_sandbox
from sandbox.course import Course, make_course
from sandbox.deploy import PATIENCE, api_url, deploy
from sandbox.login import make_logins
from sandbox.people import HttpAnswer, People, Person, make_people, signed_request
from sandbox.recorded_requests import leave_questions

STACK = "ekslab"
#: The last recipients of support deadlines, and those for clusters without an owner.
NOTICE_ADMINISTRATORS = "platform@example.com"
#: The verified identity that mail to people comes from.
SENDER = "labs.example.com"
#: The installation's time zone.
TIME_ZONE = "Asia/Seoul"
#: Default wall seconds per AWS second. Functions take real time, so a smaller scale saves little more.
SCALE = 0.005
#: Wall seconds between two looks at a lab: each one runs a function.
LOOK_EVERY = 0.5
#: The quotas of an account that has asked AWS for more: a new one has room for one lab.
ROOM = {
    "vpc/L-F678F1CE": 500,
    "vpc/L-A4707A72": 500,
    "ec2/L-1216C47A": 5000,
    "ec2/L-0263D0A3": 500,
    "ec2/L-34B43A08": 5000,
}


class Impatient(Exception):
    """The awaited state did not come in time; the message has the last state."""


@dataclass(frozen=True, slots=True)
class Schedules:
    """The schedules of an installed service; their events are sent by hand."""

    sandbox: Sandbox
    outputs: Mapping[str, str]

    def recover_labs(self, at: datetime | None = None) -> dict[str, Any]:
        """Send the five-minute schedule's event, with `at` as its time (default: now); return the acts."""
        return self.scheduled("RecoverFunction", at)

    def scheduled(self, output: str, at: datetime | None = None) -> dict[str, Any]:
        """Send a schedule's event to the function that this output of the stack names; return its answer."""
        instant = (at or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        event: dict[str, Any] = {"source": "aws.events", "detail-type": "Scheduled Event", "time": instant}
        event |= {"version": "0", "id": "schedule", "account": self.sandbox.account, "region": self.sandbox.region}
        event |= {"resources": [], "detail": {}}
        answer = self.sandbox.client("lambda").invoke(FunctionName=self.outputs[output], Payload=json.dumps(event))
        return dict(json.load(answer["Payload"]))


@dataclass(frozen=True, slots=True)
class Stage(Schedules):
    """An installed service: its stack's outputs, address and people, and the course's base stack, which it offers to labs."""

    url: str
    people: People
    course: Course

    @property
    def zone_id(self) -> str:
        """The hosted zone that external-dns of labs may write to."""
        return self.course.zone_id

    def offer(self, offers: Mapping[str, Any]) -> None:
        """Have the administrator change the list of offers. Raises Impatient if that is refused."""
        answer = self.call(self.people.administrator, "PUT", "/offers", offers)
        if answer.status != 200:
            raise Impatient(f"PUT /offers was answered with {answer.status}: {answer.body!r}")

    def lag(self, seed: int | None) -> int:
        """Delay the visibility of new resources by seeded times, or end the delay; return how often reads lagged so far."""
        return int(self.sandbox.admin("POST", "lag", {"seed": seed})["refused"])

    def call(
        self,
        who: Person,
        method: str,
        path: str,
        body: bytes | str | Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HttpAnswer:
        """Send one signed request as a person; a mapping is sent as JSON."""
        named = dict(headers or {})
        if isinstance(body, Mapping):
            named = {"Content-Type": "application/json", **named}
        sent = json.dumps(body) if isinstance(body, Mapping) else body
        return signed_request(method, self.url + path, who.credentials, self.sandbox.region, sent, named)

    def wait(
        self,
        who: Person,
        lab_id: str,
        until: Callable[[Mapping[str, Any]], bool],
        seconds: float = PATIENCE,
        seen: Callable[[Mapping[str, Any]], None] = lambda _lab: None,
    ) -> dict[str, Any]:
        """Look at a lab until `until` says so, showing each look to `seen`. Raises Impatient after `seconds` of wall time."""
        deadline = time.monotonic() + seconds
        while True:
            lab = dict(self.call(who, "GET", f"/labs/{lab_id}").json)
            seen(lab)
            if until(lab):
                return lab
            if time.monotonic() > deadline:
                raise Impatient(
                    f"{lab_id} is {lab.get('phase')} after {seconds:.0f} s: {lab.get('reason')}; {lab.get('steps')}"
                )
            time.sleep(LOOK_EVERY)


@contextmanager
def installed(
    settings: Settings | None = None,
    message: Callable[[str], None] = lambda _line: None,
    died: Callable[[str], None] = lambda _output: None,
) -> Iterator[Stage]:
    """Start a sandbox, package and deploy the service into it, make its people; end everything afterwards.

    `died` is called with the last output of the sandbox's server if that ends before the block does.
    """
    message("packaging the service: half a minute the first time")
    package = packaging.package()
    message("packaged the template that production deploys")
    settings = replace(settings or Settings(scale=SCALE), recorded_roles=f"{STACK}-", shared_imports=True)
    with running_sandbox(settings, died) as sandbox:
        message(f"an AWS of our own answers at {sandbox.url}, IAM enforced")
        sandbox.admin("POST", "quotas", ROOM)
        people = make_people(sandbox)
        _verify_sender(sandbox)
        outputs = _deployed(sandbox, package, people)
        message(f"deployed {len(package.template['Resources'])} resources by change set")
        stage = Stage(sandbox, outputs, api_url(sandbox.url, outputs), people, make_course(sandbox))
        stage.offer(stage.course.offers)
        try:
            yield stage
        finally:
            leave_questions(sandbox)


def _deployed(sandbox: Sandbox, package: packaging.Package, people: People) -> dict[str, str]:
    """The outputs of the stack, in which links of mails and of the login lead to this machine."""
    outputs = deploy(sandbox.client, package, STACK, _parameters(people, sandbox.url))
    # The API's address is known only after it was created.
    outputs = deploy(sandbox.client, package, STACK, {"ApiUrl": api_url(sandbox.url, outputs)})
    make_logins(sandbox, outputs)
    return outputs


def _parameters(people: People, login_url: str) -> dict[str, str]:
    return {
        "BrowserLogin": "on",
        "LoginUrl": login_url,
        "Administrators": people.administrator.arn,
        "NoticeAdministrators": NOTICE_ADMINISTRATORS,
        "TimeZone": TIME_ZONE,
        "MailSender": SENDER,
    }


def _verify_sender(sandbox: Sandbox) -> None:
    """Verify the sender's domain and leave the SES sandbox, as needed before an installation mails people."""
    ses = sandbox.client("sesv2")
    ses.create_email_identity(EmailIdentity=SENDER)
    ses.put_account_details(MailType="TRANSACTIONAL", WebsiteURL="https://example.com", ProductionAccessEnabled=True)
    sandbox.admin("POST", "mail", {"verify": SENDER})
