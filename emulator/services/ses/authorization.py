"""The authorization of SendEmail: IAM must allow the sending identity and the configuration set, each by its ARN.

Source: service authorization reference, "Amazon Simple Email Service v2", resource types of SendEmail.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ministack import app

from emulator.core.scope import scope
from emulator.services.ses.identities import sending_identity

_SENDING = "/v2/email/outbound-emails"


def install() -> None:
    """Install the authorization check."""
    asked_of_others = app._enforce_ses_v2

    def enforce(method: str, path: str, headers: Any, body: bytes, query: Any, request_id: str) -> Any:
        if not app.AUTH or method != "POST" or path.rstrip("/") != _SENDING:
            return asked_of_others(method, path, headers, body, query, request_id)
        for arn in _resources(body):
            given = {"resource_arn": arn, "named_resource": arn}
            denied = app._enforce_data_plane("sesv2", "ses:SendEmail", headers, query, request_id, **given)
            if denied:
                return denied
        return None

    app._enforce_ses_v2 = enforce


def _resources(body: bytes) -> Iterator[str]:
    account, region = scope()
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        given = {}
    identity = str(given.get("FromEmailAddressIdentityArn") or "")
    name = sending_identity(str(given.get("FromEmailAddress", "")))
    yield identity or f"arn:aws:ses:{region}:{account}:identity/{name}"
    if configuration_set := given.get("ConfigurationSetName"):
        yield f"arn:aws:ses:{region}:{account}:configuration-set/{configuration_set}"
