"""Pending and verified identities of SES v2.

`POST /_emulator/mail {"verify": "example.com"}` confirms one, in place of its owner's click or DNS records.

Sources: botocore's model (VerificationStatus, VerifiedForSendingStatus); SES developer guide, "Verified identities".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from email.utils import parseaddr
from typing import Any

from ministack.services import ses, ses_v2
from ministack.services.cloudformation import provisioners

_PENDING, _VERIFIED = "PENDING", "SUCCESS"


def install() -> None:
    """Make the identities of a stack pending, too."""
    apply = provisioners._ses_email_identity_apply

    def apply_pending(identity: str, properties: Mapping[str, Any]) -> Any:
        is_new = identity not in ses_v2._identities
        stored = apply(identity, properties)
        if is_new:
            _set(identity, _PENDING)
        return stored

    provisioners._ses_email_identity_apply = apply_pending


def created(given: Mapping[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """The answer to CreateEmailIdentity, whose identity is pending."""
    _set(str(given["EmailIdentity"]), _PENDING)
    return answer | {"VerifiedForSendingStatus": False}


def described(name: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer to GetEmailIdentity with the members of the model that ministack lacks."""
    kept = {
        "IdentityType",
        "FeedbackForwardingStatus",
        "DkimAttributes",
        "MailFromAttributes",
        "Tags",
        "ConfigurationSetName",
    }
    return {key: value for key, value in answer.items() if key in kept and value != ""} | {
        "VerifiedForSendingStatus": _status(name) == _VERIFIED,
        "VerificationStatus": _status(name),
    }


def listed(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer to ListEmailIdentities with each one's status."""
    for one in answer.get("EmailIdentities", []):
        one["VerificationStatus"] = _status(one["IdentityName"])
        one["SendingEnabled"] = one["VerificationStatus"] == _VERIFIED
    return answer


def refusal(given: Mapping[str, Any]) -> tuple[str, str] | None:
    """The reason that this identity can't be created: the code and the message."""
    name = str(given.get("EmailIdentity", ""))
    if name in ses_v2._identities:
        return "AlreadyExistsException", f"Email identity {name} already exist."
    return None


def verify(name: str) -> Mapping[str, str]:
    """Confirm an identity of the calling account and region. A ValueError says that there is none."""
    if name not in ses_v2._identities:
        raise ValueError(f"no such identity: {name}; there is: {json.dumps(sorted(ses_v2._identities))}")
    _set(name, _VERIFIED)
    return {"identity": name, "status": _VERIFIED}


def sending_identity(sender: str) -> str:
    """The identity of a sender's address: the address itself, or its domain or a parent of it."""
    address = parseaddr(sender)[1]
    if address in ses_v2._identities:
        return address
    names = {name.lower(): name for name in ses_v2._identities if "@" not in name}
    domain = address.rpartition("@")[2].lower()
    return next((names[each] for each in ses._domain_and_parents(domain) if each in names), address)


def _status(name: str) -> str:
    stored = ses_v2._identities.get(name) or {}
    return str(stored.get("VerificationStatus", _VERIFIED if stored.get("VerifiedForSendingStatus") else _PENDING))


def _set(name: str, status: str) -> None:
    stored = ses_v2._identities[name]
    stored["VerificationStatus"], stored["VerifiedForSendingStatus"] = status, status == _VERIFIED
    if name in ses._identities:
        ses._identities[name]["VerificationStatus"] = "Success" if status == _VERIFIED else "Pending"
