"""One signed HTTP call. Credentials come from wherever the AWS command line would find them."""

from __future__ import annotations

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

TIMEOUT = 30.0


class NoCredentials(Exception):
    """No AWS credentials were found to sign with."""


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
        session = botocore.session.Session(profile=profile)
        self._url = url.rstrip("/")
        self._region = region or _region_in(url) or session.get_config_variable("region") or "us-east-1"
        credentials = session.get_credentials()
        if credentials is None:
            raise NoCredentials(
                "No AWS credentials found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE."
            )
        self._signer = SigV4Auth(credentials.get_frozen_credentials(), "execute-api", self._region)

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request. Raises urllib.error.URLError when nobody answers."""
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


def _answer(status: int, headers: Any, raw: bytes) -> Answer:
    named = {name.lower(): value for name, value in headers.items()}
    text = raw.decode("utf-8", "replace")
    try:
        body = json.loads(text) if "json" in named.get("content-type", "") else text
    except json.JSONDecodeError:
        body = text
    return Answer(status, named, body)


def _region_in(url: str) -> str | None:
    parts = (urlsplit(url).hostname or "").split(".")
    return parts[2] if len(parts) > 3 and parts[1] == "execute-api" else None
