"""The people of a sandbox: learners and administrators as IAM users, and a way to call a signed HTTP API as one.

Each may invoke the REST API (the application checks permissions there) and describe clusters, as
`aws eks update-kubeconfig` does. A person's ARN is the application's `requestContext.identity`.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials

from emulator.core.settings import REGION
from emulator.process import Credentials, Sandbox

TIMEOUT = 120.0
"""Seconds. On AWS the API answers within 29; with fifty callers on two cores it may take longer."""

MAY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"},
        {"Effect": "Allow", "Action": ["eks:DescribeCluster", "eks:ListClusters"], "Resource": "*"},
    ],
}


@dataclass(frozen=True, slots=True)
class Person:
    """An IAM user with its credentials."""

    name: str
    arn: str
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class People:
    """The people of a new sandbox."""

    learner: Person
    other_learner: Person
    administrator: Person


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An HTTP answer with any status; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON; raises a ValueError if it is not JSON."""
        return json.loads(self.body)


def make_people(sandbox: Sandbox) -> People:
    """Make the three people of a sandbox; call it once per sandbox."""
    return People(*(make_person(sandbox, name) for name in ("learner", "other-learner", "administrator")))


def make_person(sandbox: Sandbox, name: str) -> Person:
    """Make one IAM user who may call the REST API. Raises EntityAlreadyExistsException if the user exists."""
    iam = sandbox.client("iam")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    iam.put_user_policy(UserName=name, PolicyName="labs", PolicyDocument=json.dumps(MAY))
    return Person(name, arn, sandbox.credentials_for(name))


def signed_request(
    method: str,
    url: str,
    credentials: Credentials,
    region: str = REGION,
    body: bytes | str | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpAnswer:
    """Send one request to an API Gateway API, signed by SigV4, and return the answer, refusals included.

    Raises URLError when nobody answers.
    """
    data = body.encode() if isinstance(body, str) else body
    request = AWSRequest(method=method, url=url, data=data, headers=dict(headers or {}))
    who = BotocoreCredentials(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    SigV4Auth(who, "execute-api", region).add_auth(request)
    sent = urllib.request.Request(url, data=data, method=method, headers=dict(request.headers.items()))
    try:
        with urllib.request.urlopen(sent, timeout=TIMEOUT) as answer:
            return _answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return _answer(error.code, error.headers, error.read())


def _answer(status: int, headers: Any, body: bytes) -> HttpAnswer:
    return HttpAnswer(status, {name.lower(): value for name, value in headers.items()}, body)
