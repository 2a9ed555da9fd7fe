"""`MailSender`, deployed: the configuration set, its topic and the function behind it exist only with a sender."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.aws.dynamodb.mails import DynamoMails
from chalicelib.aws.messaging.ses import SesMailer
from chalicelib.domain.notices.mail import Mail, MailState, mail_id
from chalicelib.ports.mail import Letterhead
from deployment.deploy import deploy
from deployment.packaging import Package
from deployment.stacks import Pace, protect
from emulator.process import Sandbox

STACK, SENDER = "mailing", "mail.example.com"
QUICK = Pace(patience=60, interval=0.05)
BOUNCE = "bounce@simulator.amazonses.com"


@pytest.fixture
def stack(sandbox: Sandbox) -> Iterator[str]:
    ses = sandbox.client("sesv2")
    ses.create_email_identity(EmailIdentity=SENDER)
    sandbox.admin("POST", "mail", {"verify": SENDER})
    yield STACK
    cloudformation = sandbox.client("cloudformation")
    protect(cloudformation, STACK, against_deletion=False)
    cloudformation.delete_stack(StackName=STACK)
    ses.delete_email_identity(EmailIdentity=SENDER)


def test_a_mail_that_bounces_is_known_by_its_record_and_without_a_sender_there_is_none_of_it(
    sandbox: Sandbox, stack: str, packaged: Package
) -> None:
    outputs = deploy(sandbox.client, packaged, stack, {"MailSender": SENDER}, pace=QUICK)
    ses, now = sandbox.client("sesv2"), datetime.now(UTC)
    mails = DynamoMails(sandbox.client("dynamodb"), outputs["LabsTableName"])
    record = Mail(mail_id(BOUNCE, "x"), "jane", BOUNCE, "s", now, now + timedelta(minutes=15))
    mails.begin_mail(record, now)
    mailer = SesMailer(ses, SENDER, f"{stack}-mails", time.sleep)
    mailer.send(Letterhead(record.id, BOUNCE, "s", "text", "<p>html</p>"))
    assert state_of(mails, record.id) is MailState.BOUNCED
    assert mails.bounced_address(BOUNCE) is not None

    outputs = deploy(sandbox.client, packaged, stack, {"MailSender": ""}, pace=QUICK)
    assert ses.list_configuration_sets().get("ConfigurationSets", []) == []
    assert not [name for name in resources(sandbox, stack) if "Mail" in name]


def state_of(mails: DynamoMails, record: str) -> MailState | None:
    """After SES's events have arrived, by SNS and the function."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        mail = mails.mail(record)
        if mail is not None and mail.state is MailState.BOUNCED:
            break
        time.sleep(0.2)
    return mail.state if mail else None


def resources(sandbox: Sandbox, stack: str) -> list[str]:
    pages = sandbox.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    found: list[Any] = [each for page in pages for each in page["StackResourceSummaries"]]
    return [each["LogicalResourceId"] for each in found if each["ResourceStatus"] != "DELETE_COMPLETE"]


def test_nothing_of_mail_is_made_without_the_condition(packaged: Package) -> None:
    template = json.loads(json.dumps(packaged.template))
    mail = {name: said for name, said in template["Resources"].items() if "Mail" in name and name != "AlarmsMail"}
    assert {"MailSet", "MailSetEvents", "MailEventsTopic", "TakeMailEvent", "TakeMailEventRole"} <= set(mail)
    assert {name for name, said in mail.items() if said.get("Condition") != "SendsMail"} == set()
