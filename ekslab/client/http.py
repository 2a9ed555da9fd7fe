"""One signed HTTP exchange. Credentials are found as by the AWS command line.

botocore and http are imported by the first call, not before: `--help` and refusals of the command line need none of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from ekslab.words import t

#: Seconds that one exchange may take.
TIMEOUT = 30.0


class NoCredentials(Exception):
    """No AWS credentials were found to sign with."""


class NoAnswer(Exception):
    """No answer, or an answer that is not this service's; the message says why."""


class _Fields(dict[str, Any]):
    """An answer's fields. A missing one means that another service answered."""

    def __missing__(self, name: str) -> Any:
        raise NoAnswer(t("what answers there is no ekslab: its answer has no {name}", name=name))


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, refusals included. `body` is the parsed JSON, or the text if it is not JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def ok(self) -> bool:
        """Whether the service accepted the request."""
        return self.status < 400


class Transport(Protocol):
    """Sends one request and returns its answer. Raises NoAnswer."""

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request, once."""
        ...


class SignedHttp:
    """The transport to a real installation. `region` is the API's own; None takes it from the URL, else from the AWS
    configuration."""

    def __init__(self, url: str, region: str | None = None, profile: str | None = None) -> None:
        """Make the transport; the first call looks for credentials."""
        self._url, self._region, self._profile = url.rstrip("/"), region, profile
        self._credentials: Any = None

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request. Raises NoAnswer, and NoCredentials (also for a profile that is not there)."""
        import http.client
        import urllib.error
        import urllib.request

        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        request = AWSRequest(method=method, url=self._url + path, data=body, headers=dict(headers or {}))
        # Frozen for each call: a session's credentials are renewed during a long watch.
        SigV4Auth(self._frozen(), "execute-api", self._region).add_auth(request)
        signed = {str(name): str(value) for name, value in request.headers.items()}
        sent = urllib.request.Request(request.url, data=body, method=method, headers=signed)
        try:
            with urllib.request.urlopen(sent, timeout=TIMEOUT) as answer:
                return _answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.headers, error.read())
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(str(getattr(error, "reason", error)) or type(error).__name__) from error

    def _frozen(self) -> Any:
        from botocore.exceptions import BotoCoreError, MissingDependencyException

        try:
            if self._credentials is None:
                self._credentials = self._found()
            return self._credentials.get_frozen_credentials()
        except MissingDependencyException as error:
            message = t(
                '{reason} For credentials of `aws login`, install it: pip install "ekslab[login]" (botocore[crt]).',
                reason=error,
            )
            raise NoCredentials(t("No AWS credentials: {message}", message=message)) from error
        except BotoCoreError as error:
            raise NoCredentials(t("No AWS credentials: {reason}", reason=error)) from error

    def _found(self) -> Any:
        import botocore.session

        session = botocore.session.Session(profile=self._profile)
        own = self._region or _region_in(self._url) or session.get_config_variable("region")
        self._region = own or "us-east-1"
        credentials = session.get_credentials()
        if not credentials:
            raise NoCredentials(
                t("No AWS credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE.")
            )
        return credentials


def _answer(status: int, headers: Any, raw: bytes) -> Answer:
    named = {name.lower(): value for name, value in headers.items()}
    text = raw.decode("utf-8", "replace")
    kind = named.get("content-type", "")
    try:
        body = json.loads(text, object_hook=_Fields) if "json" in kind else text
    except (json.JSONDecodeError, RecursionError):
        body = text
    answer = Answer(status, named, body)
    if answer.ok and text and ("html" in kind or not kind or ("json" in kind and not isinstance(body, dict))):
        raise NoAnswer(t("what answers there is no ekslab: {status} {kind}", status=status, kind=kind).rstrip())
    return answer


def _region_in(url: str) -> str | None:
    parts = (urlsplit(url).hostname or "").split(".")
    return parts[2] if len(parts) > 3 and parts[1] == "execute-api" else None
