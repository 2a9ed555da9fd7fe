"""Sends mail through SES v2: the port `Mailer`. Imported by the first mail, and by `GET /health` if mail is configured.

SES has no client token for SendEmail, so only requests that SES refused for their rate are repeated here:
the client must make one attempt a call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalicelib.aws.clients.calls import call
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import EkslabError, ResourceGone, Throttled
from chalicelib.ports.mail import Letterhead

#: The tag with the id of the mail's record.
TAG = "ekslab-mail"
#: Seconds before each retry after SES refused the rate: it accepted nothing then.
_PAUSES = (0.2, 0.5, 1.0)


class SesMailer:
    """`identity`: a verified one, an address or a domain. Needs ses:SendEmail on it and the set, GetEmailIdentity, GetAccount."""

    def __init__(self, sesv2: Any, identity: str, configuration_set: str, pause: Callable[[float], None]) -> None:
        self._ses, self._identity, self._set, self._pause = sesv2, identity, configuration_set, pause
        self._sender = identity if "@" in identity else f"ekslab@{identity}"

    def send(self, letter: Letterhead) -> str:
        """Send; retry only if SES refused the rate. Raises Throttled, AwsRefused, AwsUnavailable."""
        for seconds in _PAUSES:
            try:
                return self._send(letter)
            except Throttled:
                self._pause(seconds)
        return self._send(letter)

    def troubles(self) -> tuple[str, ...]:
        """Two calls. An unreadable answer is a trouble, too."""
        try:
            return tuple(filter(None, (self._identity_trouble(), self._account_trouble())))
        except EkslabError as error:
            return (
                Sentence(
                    "Amazon SES can't be asked about {identity}: {name}.",
                    identity=self._identity,
                    name=type(error).__name__,
                ),
            )

    def _send(self, letter: Letterhead) -> str:
        headers = []
        if letter.unsubscribe_url:
            headers = [
                {"Name": "List-Unsubscribe", "Value": f"<{letter.unsubscribe_url}>"},
                {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
            ]
        body = {"Text": _utf8(letter.text), "Html": _utf8(letter.html)}
        simple = {"Subject": _utf8(letter.subject), "Body": body, **({"Headers": headers} if headers else {})}
        answer = call(
            self._ses,
            "ses:SendEmail",
            FromEmailAddress=self._sender,
            Destination={"ToAddresses": [letter.address]},
            Content={"Simple": simple},
            EmailTags=[{"Name": TAG, "Value": letter.tag}],
            ConfigurationSetName=self._set,
        )
        return str(answer["MessageId"])

    def _identity_trouble(self) -> str:
        try:
            found = call(self._ses, "ses:GetEmailIdentity", EmailIdentity=self._identity)
        except ResourceGone:
            return Sentence(
                "Mail can't be sent: Amazon SES has no identity {identity} here. "
                "`aws sesv2 create-email-identity --email-identity {identity}` makes it; its owner confirms it.",
                identity=self._identity,
            )
        if found.get("VerifiedForSendingStatus"):
            return ""
        status = found.get("VerificationStatus", "not verified")
        return Sentence(
            "Mail can't be sent: the identity {identity} is {status}. `aws sesv2 get-email-identity --email-identity {identity}` "
            "shows what is to be done.",
            identity=self._identity,
            status=status,
        )

    def _account_trouble(self) -> str:
        account = call(self._ses, "ses:GetAccount")
        if not account.get("ProductionAccessEnabled"):
            return Sentence(
                "Mail reaches verified addresses only: the account is in Amazon SES's sandbox. "
                "`aws sesv2 put-account-details --production-access-enabled --mail-type TRANSACTIONAL --website-url URL` "
                "asks AWS to move it out."
            )
        if not account.get("SendingEnabled"):
            return Sentence(
                "Mail can't be sent: sending is paused in this account. `aws sesv2 "
                "put-account-sending-attributes --sending-enabled` goes on, once its reason is gone."
            )
        return ""


def _utf8(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}
