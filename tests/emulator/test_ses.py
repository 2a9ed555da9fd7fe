"""SES v2: permitted senders, refusals, events of a mail. Sources: botocore's model of sesv2; SES developer guide; service
authorization reference.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.process import Credentials, Sandbox

SENDER = "lab@mail.example.com"
DOMAIN = "mail.example.com"
SET = "mails"
SIMPLE = {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "text"}, "Html": {"Data": "<p>text</p>"}}}
Events = list[dict[str, Any]]


@pytest.fixture(scope="module")
def queue(sandbox: Sandbox) -> Iterator[str]:
    """A verified domain and a configuration set whose events a topic passes on to a queue."""
    ses, sns, sqs = (sandbox.client(name) for name in ("sesv2", "sns", "sqs"))
    ses.create_email_identity(EmailIdentity=DOMAIN)
    sandbox.admin("POST", "mail", {"verify": DOMAIN})
    topic = sns.create_topic(Name="mail-events")["TopicArn"]
    url: str = sqs.create_queue(QueueName="mail-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [allow | {"Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    ses.create_configuration_set(ConfigurationSetName=SET)
    kinds = ["SEND", "DELIVERY", "BOUNCE", "COMPLAINT", "REJECT"]
    destination = {"Enabled": True, "MatchingEventTypes": kinds, "SnsDestination": {"TopicArn": topic}}
    ses.create_configuration_set_event_destination(
        ConfigurationSetName=SET, EventDestinationName="topic", EventDestination=destination
    )
    yield url
    ses.delete_configuration_set(ConfigurationSetName=SET)
    ses.delete_email_identity(EmailIdentity=DOMAIN)


def send(ses: Any, to: str, **more: Any) -> str:
    given = {"FromEmailAddress": f"Lab <{SENDER}>", "ConfigurationSetName": SET, "Content": {"Simple": SIMPLE}} | more
    found: str = ses.send_email(Destination={"ToAddresses": [to]}, **given)["MessageId"]
    return found


def events_of(
    sandbox: Sandbox, queue: str, message_id: str, kinds: list[str], others: list[str] | None = None
) -> Events:
    """Its events, once all awaited ones came; those of other mails are left out, their ids go into `others`."""
    sqs, found, until = sandbox.client("sqs"), Events(), time.monotonic() + 20
    while len(found) < len(kinds) and time.monotonic() < until:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1, MaxNumberOfMessages=10).get(
            "Messages", []
        ):
            event = json.loads(json.loads(message["Body"])["Message"])
            if event["mail"]["messageId"] == message_id:
                found.append(event)
            elif others is not None:
                others.append(event["mail"]["messageId"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert sorted(event["eventType"] for event in found) == sorted(kinds)
    return found


def refusal(call: Any, **given: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**given)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def mails(sandbox: Sandbox) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = sandbox.admin("GET", "mails")["mails"]
    return found


def test_an_identity_is_pending_until_it_is_confirmed(sandbox: Sandbox) -> None:
    ses, name = sandbox.client("sesv2"), "new@example.net"
    assert ses.create_email_identity(EmailIdentity=name)["VerifiedForSendingStatus"] is False
    found = ses.get_email_identity(EmailIdentity=name)
    assert (found["VerificationStatus"], found["VerifiedForSendingStatus"]) == ("PENDING", False)
    code, message = refusal(
        ses.send_email,
        FromEmailAddress=name,
        Destination={"ToAddresses": ["success@simulator.amazonses.com"]},
        Content={"Simple": SIMPLE},
    )
    assert (code, message.endswith(f"{sandbox.region.upper()}: {name}")) == ("MessageRejected", True)
    sandbox.admin("POST", "mail", {"verify": name})
    found = ses.get_email_identity(EmailIdentity=name)
    assert (found["VerificationStatus"], found["VerifiedForSendingStatus"]) == ("SUCCESS", True)
    assert refusal(ses.create_email_identity, EmailIdentity=name)[0] == "AlreadyExistsException"


def test_an_identity_of_a_stack_is_pending_too(sandbox: Sandbox) -> None:
    resource = {"Type": "AWS::SES::EmailIdentity", "Properties": {"EmailIdentity": "stack.example.net"}}
    stacks = sandbox.client("cloudformation")
    stacks.create_stack(StackName="identity", TemplateBody=json.dumps({"Resources": {"Identity": resource}}))
    stacks.get_waiter("stack_create_complete").wait(StackName="identity", WaiterConfig={"Delay": 1})
    found = sandbox.client("sesv2").get_email_identity(EmailIdentity="stack.example.net")
    assert found["VerificationStatus"] == "PENDING"
    listed = sandbox.client("sesv2").list_email_identities()["EmailIdentities"]
    assert {each["IdentityName"]: each["VerificationStatus"] for each in listed}["stack.example.net"] == "PENDING"


def test_headers_tags_and_the_configuration_set_are_kept(sandbox: Sandbox, queue: str) -> None:
    headers = [{"Name": "List-Unsubscribe", "Value": "<https://example.com/unsubscribe>"}]
    tags, simple = [{"Name": "mail", "Value": "abc-1"}], SIMPLE | {"Headers": headers}
    to = "success@simulator.amazonses.com"
    message_id = send(sandbox.client("sesv2"), to, Content={"Simple": simple}, EmailTags=tags)
    assert "@" not in message_id
    (kept,) = (each for each in mails(sandbox) if each["MessageId"] == message_id)
    assert (kept["Headers"], kept["EmailTags"], kept["ConfigurationSetName"]) == (headers, tags, SET)
    assert (kept["Subject"], kept["BodyText"], kept["BodyHtml"]) == ("Hello", "text", "<p>text</p>")
    mail = events_of(sandbox, queue, message_id, ["Send", "Delivery"])[0]["mail"]
    assert mail["tags"]["mail"] == ["abc-1"]
    assert mail["tags"]["ses:configuration-set"] == [SET]
    assert headers[0]["Value"] in {each["value"] for each in mail["headers"]}


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"ConfigurationSetName": "nowhere"}, "NotFoundException"),
        ({"EmailTags": [{"Name": "mail", "Value": "a b"}]}, "BadRequestException"),
        ({"EmailTags": [{"Name": "mail", "Value": "x" * 257}]}, "BadRequestException"),
        ({"Content": {"Simple": SIMPLE | {"Headers": [{"Name": "X-A", "Value": "a\r\nBcc: b"}]}}}, "BadRequestException"),
        ({"Destination": {"ToAddresses": ["nobody"]}}, "BadRequestException"),
        ({"Destination": {"ToAddresses": ["학생@example.com"]}}, "BadRequestException"),
        ({"Destination": {"ToAddresses": []}}, "BadRequestException"),
        ({"Destination": {"ToAddresses": [f"a{n}@example.com" for n in range(51)]}}, "BadRequestException"),
        ({"Content": {"Simple": {"Subject": {"Data": "x"}, "Body": {}}}}, "BadRequestException"),
        ({"FromEmailAddress": "lab@elsewhere.example.org"}, "MessageRejected"),
    ],
)  # fmt: skip
def test_what_ses_refuses_of_a_mail(sandbox: Sandbox, queue: str, more: Mapping[str, Any], code: str) -> None:
    given = {"FromEmailAddress": SENDER, "ConfigurationSetName": SET, "Content": {"Simple": SIMPLE}}
    given |= {"Destination": {"ToAddresses": ["success@simulator.amazonses.com"]}} | dict(more)
    assert refusal(sandbox.client("sesv2").send_email, **given)[0] == code


@pytest.mark.parametrize(
    ("to", "kinds", "detail"),
    [
        ("success", ["Send", "Delivery"], {"recipients": ["success+1@simulator.amazonses.com"]}),
        ("bounce", ["Send", "Bounce"], {"bounceType": "Permanent", "bounceSubType": "General"}),
        ("complaint", ["Send", "Delivery", "Complaint"], {"complaintSubType": None}),
        ("suppressionlist", ["Send", "Bounce"], {"bounceType": "Permanent", "bounceSubType": "Suppressed"}),
    ],
)
def test_the_simulator_s_addresses_have_their_events(
    sandbox: Sandbox, queue: str, to: str, kinds: list[str], detail: Mapping[str, Any]
) -> None:
    message_id = send(sandbox.client("sesv2"), f"{to}+1@simulator.amazonses.com")
    last = {event["eventType"]: event for event in events_of(sandbox, queue, message_id, kinds)}[kinds[-1]]
    assert last["mail"]["sourceArn"].endswith(f"identity/{DOMAIN}")
    assert last[kinds[-1].lower()].items() >= detail.items()


def test_a_virus_is_rejected(sandbox: Sandbox, queue: str) -> None:
    virus = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    content = {"Simple": SIMPLE | {"Body": {"Text": {"Data": virus}}}}
    message_id = send(sandbox.client("sesv2"), "success@simulator.amazonses.com", Content=content)
    (event,) = events_of(sandbox, queue, message_id, ["Reject"])
    assert event["reject"] == {"reason": "Bad content"}


def test_who_bounces_is_on_the_suppression_list_and_gets_no_more(sandbox: Sandbox, queue: str) -> None:
    ses, gone = sandbox.client("sesv2"), "gone@example.com"
    sandbox.admin("POST", "mail", {"address": gone, "outcome": "bounce"})
    events_of(sandbox, queue, send(ses, gone), ["Send", "Bounce"])
    assert ses.get_suppressed_destination(EmailAddress=gone)["SuppressedDestination"]["Reason"] == "BOUNCE"
    sandbox.admin("POST", "mail", {"address": gone, "outcome": "delivery"})
    events = events_of(sandbox, queue, send(ses, gone), ["Send", "Bounce"])
    assert {each["bounce"]["bounceSubType"] for each in events if "bounce" in each} == {"OnAccountSuppressionList"}
    ses.delete_suppressed_destination(EmailAddress=gone)
    assert refusal(ses.get_suppressed_destination, EmailAddress=gone)[0] == "NotFoundException"
    events_of(sandbox, queue, send(ses, gone), ["Send", "Delivery"])


def test_the_suppression_list_is_written_by_hand_as_well(sandbox: Sandbox, queue: str) -> None:
    ses, angry = sandbox.client("sesv2"), "angry@example.com"
    ses.put_suppressed_destination(EmailAddress=angry, Reason="COMPLAINT")
    listed = ses.list_suppressed_destinations()["SuppressedDestinationSummaries"]
    assert angry in {each["EmailAddress"] for each in listed}
    events = events_of(sandbox, queue, send(ses, angry), ["Send", "Complaint"])
    assert {each["complaint"]["complaintSubType"] for each in events if "complaint" in each} == {
        "OnAccountSuppressionList"
    }
    ses.delete_suppressed_destination(EmailAddress=angry)


def test_the_sandbox_takes_mails_to_verified_addresses_only(sandbox: Sandbox, queue: str) -> None:
    ses = sandbox.client("sesv2")
    given = {"MailType": "TRANSACTIONAL", "WebsiteURL": "https://example.com"}
    ses.put_account_details(ProductionAccessEnabled=False, **given)
    try:
        account = ses.get_account()
        assert (account["ProductionAccessEnabled"], account["SendQuota"]["Max24HourSend"]) == (False, 200.0)
        with pytest.raises(ClientError, match="not verified"):
            send(ses, "learner@example.com")
        assert send(ses, "success@simulator.amazonses.com")
    finally:
        ses.put_account_details(ProductionAccessEnabled=True, **given)


@pytest.mark.parametrize(
    ("allowed", "passes"),
    [
        (["identity/mail.example.com", "configuration-set/mails"], True),
        (["identity/mail.example.com"], False),
        (["configuration-set/mails"], False),
        (["identity/example.com", "configuration-set/mails"], False),
        (["*"], True),
    ],
)  # fmt: skip
def test_the_identity_and_the_configuration_set_are_allowed_both(
    sandbox: Sandbox, queue: str, allowed: list[str], passes: bool
) -> None:
    iam, place = sandbox.client("iam"), f"arn:aws:ses:{sandbox.region}:{sandbox.account}"
    resources = [each if each == "*" else f"{place}:{each}" for each in allowed]
    statement = {"Effect": "Allow", "Action": "ses:SendEmail", "Resource": resources}
    iam.create_user(UserName="sender")
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="sender", PolicyName="send", PolicyDocument=document)
    key = iam.create_access_key(UserName="sender")["AccessKey"]
    ses = sandbox.client("sesv2", credentials=Credentials(key["AccessKeyId"], key["SecretAccessKey"]))
    try:
        if passes:
            assert send(ses, "success@simulator.amazonses.com")
        else:
            with pytest.raises(ClientError, match="AccessDenied"):
                send(ses, "success@simulator.amazonses.com")
    finally:
        iam.delete_access_key(UserName="sender", AccessKeyId=key["AccessKeyId"])
        iam.delete_user_policy(UserName="sender", PolicyName="send")
        iam.delete_user(UserName="sender")


def test_a_topic_that_lets_nobody_publish_hears_nothing(sandbox: Sandbox, queue: str) -> None:
    ses, sns = sandbox.client("sesv2"), sandbox.client("sns")
    topic = ses.get_configuration_set_event_destinations(ConfigurationSetName=SET)["EventDestinations"][0]
    arn, others = topic["SnsDestination"]["TopicArn"], list[str]()
    before = sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]
    deny = {"Effect": "Deny", "Principal": {"Service": "ses.amazonaws.com"}, "Action": "sns:Publish", "Resource": arn}
    closed = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=closed)
    unheard = send(ses, "success@simulator.amazonses.com")
    time.sleep(0.2)  # A second of AWS is a hundredth here.
    sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=before)
    message_id = send(ses, "success@simulator.amazonses.com")
    events_of(sandbox, queue, message_id, ["Send", "Delivery"], others)
    assert unheard not in others
