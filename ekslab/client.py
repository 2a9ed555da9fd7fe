"""One signed HTTP call. Credentials come from wherever the AWS command line would find them."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError

TIMEOUT = 30.0


class NoCredentials(Exception):
    """No AWS credentials were found to sign with."""


class NoAnswer(Exception):
    """Nobody answered, or somebody who is not this service; the message says why."""


class _Fields(dict[str, Any]):
    """An answer's fields. One that is missing says that somebody else answered."""

    def __missing__(self, name: str) -> Any:
        raise NoAnswer(f"what answers there is no ekslab: its answer has no {name}")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, refusals included. `body` is the parsed JSON, or the text where it is none."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def ok(self) -> bool:
        """The service did, or will do, what it was asked."""
        return self.status < 400


class Client:
    """Calls one installation. `region` is the API's own; None reads it off the URL, else the AWS configuration."""

    def __init__(self, url: str, region: str | None = None, profile: str | None = None) -> None:
        """Raises NoCredentials, also for a profile that is not there."""
        self._url = url.rstrip("/")
        try:
            session = botocore.session.Session(profile=profile)
            own = region or _region_in(url) or session.get_config_variable("region") or "us-east-1"
            credentials = session.get_credentials()
            frozen = credentials and credentials.get_frozen_credentials()
        except BotoCoreError as error:
            raise NoCredentials(f"No AWS credentials: {error}") from error
        if not frozen:
            raise NoCredentials(
                "No AWS credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
            )
        self._signer = SigV4Auth(frozen, "execute-api", own)

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request. Raises NoAnswer."""
        request = AWSRequest(method=method, url=self._url + path, data=body, headers=dict(headers or {}))
        self._signer.add_auth(request)
        sent = urllib.request.Request(
            request.url, data=body, method=method, headers={str(k): str(v) for k, v in request.headers.items()}
        )
        try:
            with urllib.request.urlopen(sent, timeout=TIMEOUT) as answer:
                return _answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.headers, error.read())
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(str(getattr(error, "reason", error)) or type(error).__name__) from error


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
        raise NoAnswer(f"what answers there is no ekslab: {status} {kind}".rstrip())
    return answer


def _region_in(url: str) -> str | None:
    parts = (urlsplit(url).hostname or "").split(".")
    return parts[2] if len(parts) > 3 and parts[1] == "execute-api" else None
