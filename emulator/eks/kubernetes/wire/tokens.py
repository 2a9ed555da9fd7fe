"""The owner of a bearer token: `k8s-aws-v1.` and a presigned STS GetCallerIdentity, which STS itself answers.

The cluster's name is a signed header of that request, so a token for one cluster is no good for another.
"""

from __future__ import annotations

import base64
import binascii
import re
import urllib.request
from dataclasses import dataclass
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlsplit

from emulator.eks.http.call import principal_arn

_PREFIX = "k8s-aws-v1."
_ALLOWED_PARAMETERS = re.compile(r"Action|Version|X-Amz-[A-Za-z-]+")


@dataclass(frozen=True, slots=True)
class Login:
    """The owner of a token: the IAM principal, the ARN and the unique id from STS, and the signing key."""

    principal: str
    arn: str
    user_id: str
    access_key: str

    @property
    def session(self) -> str:
        """The session's name, "" for a user."""
        return self.arn.rpartition("/")[2] if ":assumed-role/" in self.arn else ""


def login_of(token: str, cluster: str, sts_endpoint: str) -> Login | None:
    """Return the token's owner; None for an invalid token."""
    url = _presigned_url(token)
    if url is None:
        return None
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    signed = query.get("X-Amz-SignedHeaders", [""])[0].split(";")
    if query.get("Action") != ["GetCallerIdentity"] or "x-k8s-aws-id" not in signed:
        return None
    if not all(_ALLOWED_PARAMETERS.fullmatch(name) for name in query):
        return None
    headers = {"Host": parts.netloc, "x-k8s-aws-id": cluster}
    request = urllib.request.Request(f"{sts_endpoint}/?{parts.query}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read().decode()
    except HTTPError:
        return None
    arn, user_id = re.search(r"<Arn>([^<]+)</Arn>", text), re.search(r"<UserId>([^<]+)</UserId>", text)
    key = query.get("X-Amz-Credential", [""])[0].partition("/")[0]
    return Login(principal_arn(arn[1]), arn[1], user_id[1] if user_id else "", key) if arn else None


def _presigned_url(token: str) -> str | None:
    if not token.startswith(_PREFIX):
        return None
    text = token.removeprefix(_PREFIX)
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
