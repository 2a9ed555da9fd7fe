"""SES v2's operations, completed by the refusals, records and answers that ministack lacks.

Sources: botocore's model of sesv2 (lengths and patterns of headers and tags, error codes); SES developer guide, "Service quotas"
(50 recipients) and "Moving out of the sandbox" (200 mails a day, one a second).
"""

from __future__ import annotations

import json
import re
import secrets
import uuid
from collections.abc import Awaitable, Callable, Mapping
from email.utils import parseaddr
from typing import Any

from ministack.core.iam_evaluator import request_caller_arn
from ministack.services import ses, ses_v2

from emulator.core.clock import EmulatorClock
from emulator.services.ses import events, identities, suppression

Handler = Callable[[str, str, Any, bytes, Any], Awaitable[Any]]

_MOST_RECIPIENTS, _MOST_TAGS, _MOST_HEADERS = 50, 50, 15
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_HEADER_NAME, _HEADER_VALUE = re.compile(r"[!-9;-@A-~]{1,126}"), re.compile(r"[ -~]{1,995}")


def install(clock: EmulatorClock) -> None:
    """Install this front end."""
    handle: Handler = ses_v2.handle_request

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        sub = path.rstrip("/").removeprefix("/v2/email")
        given = _json(body)
        match suppression.respond(clock, method, sub, given):
            case (code, message, status):
                return ses_v2._json_err(code, message, status)
            case dict(answer):
                return ses_v2.json_response(answer)
        if refused := _refusal(method, sub, given):
            return ses_v2._json_err(*refused)
        status, sent, content = await handle(method, path, headers, body, query)
        if status != 200:
            return status, sent, content
        caller = request_caller_arn(headers, query).split(":")[-1].split("/")
        answer = _completed(clock, method, sub, given | {"Caller": caller[1:2] or caller}, _json(content))
        return ses_v2.json_response(answer)

    ses_v2.handle_request = handle_request


def taken() -> list[Mapping[str, Any]]:
    """The mails that SES accepted in the calling account and region, oldest first."""
    return list(ses._sent_emails_list())


def _refusal(method: str, sub: str, given: Mapping[str, Any]) -> tuple[Any, ...] | None:
    match method, sub:
        case "POST", "/outbound-emails":
            return _unsendable(given)
        case "POST", "/identities":
            return identities.refusal(given)
    return None


def _completed(
    clock: EmulatorClock, method: str, sub: str, given: Mapping[str, Any], answer: dict[str, Any]
) -> dict[str, Any]:
    match method, sub:
        case "POST", "/outbound-emails":
            return {"MessageId": _kept(clock, given)}
        case "POST", "/identities":
            return identities.created(given, answer)
        case ("GET", "/identities") | ("POST", "/list-identities"):
            return identities.listed(answer)
        case "GET", _ if sub.startswith("/identities/"):
            return identities.described(answer["EmailIdentity"], answer)
        case "GET", "/account":
            return _account(answer)
    return answer


def _account(answer: dict[str, Any]) -> dict[str, Any]:
    answer["SuppressionAttributes"] = {"SuppressedReasons": suppression.reasons()}
    if not answer["ProductionAccessEnabled"]:
        answer["SendQuota"] |= {"Max24HourSend": 200.0, "MaxSendRate": 1.0}
    return answer


def _unsendable(given: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """The reason that SES refuses this mail: the code, the message and, where it is not 400, the status."""
    configuration_set = given.get("ConfigurationSetName")
    if configuration_set and configuration_set not in ses_v2._config_sets:
        return "NotFoundException", f"Configuration set <{configuration_set}> does not exist.", 404
    recipients = [one for each in (given.get("Destination") or {}).values() for one in each]
    if not 1 <= len(recipients) <= _MOST_RECIPIENTS:
        return "BadRequestException", f"Recipient count {len(recipients)} is not between 1 and {_MOST_RECIPIENTS}."
    if any(ses._missing_domain(one) for one in recipients):
        return "BadRequestException", "Missing final '@domain'"
    simple = (given.get("Content") or {}).get("Simple")
    if simple is not None and not (simple.get("Body") or {}).keys() & {"Text", "Html"}:
        return "BadRequestException", "A message has a text or an HTML body."
    if reason := _malformed(given.get("EmailTags") or [], (simple or {}).get("Headers") or []):
        return "BadRequestException", reason
    return None


def _malformed(tags: list[Mapping[str, str]], headers: list[Mapping[str, str]]) -> str | None:
    if len(tags) > _MOST_TAGS or len(headers) > _MOST_HEADERS:
        return f"A message has at most {_MOST_TAGS} tags and {_MOST_HEADERS} headers."
    for tag in tags:
        for part in ("Name", "Value"):
            if not _TAG.fullmatch(tag.get(part, "")):
                return f"Invalid tag {part.lower()} <{tag.get(part)}>: only alphanumeric ASCII characters, '_', '-' are allowed."
    for header in headers:
        name, value = header.get("Name", ""), header.get("Value", "")
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value) or len(name) + len(value) > 996:
            return f"Invalid header <{name}>: printable ASCII characters are allowed."
    return None


def _kept(clock: EmulatorClock, given: Mapping[str, Any]) -> str:
    """Store the members of the new mail that ministack leaves out; return its id in v2's form."""
    record = ses._sent_emails_list()[-1]
    record["MessageId"] = f"{secrets.token_hex(8)}-{uuid.uuid4()}-000000"
    record["Timestamp"] = clock.now().timestamp()
    record["Headers"] = list(((given.get("Content") or {}).get("Simple") or {}).get("Headers") or [])
    record["EmailTags"] = list(given.get("EmailTags") or [])
    record["ConfigurationSetName"] = given.get("ConfigurationSetName") or _default_set(record["Source"])
    record["ReplyTo"] = list(given.get("ReplyToAddresses") or [])
    record["BodyText"], record["BodyHtml"] = record["BodyText"] or "", record["BodyHtml"] or ""
    record["Caller"] = given["Caller"][0]
    events.publish_later(clock, record)
    return str(record["MessageId"])


def _default_set(sender: str) -> str:
    identity = ses_v2._identities.get(identities.sending_identity(parseaddr(sender)[1])) or {}
    return str(identity.get("ConfigurationSetName") or "")


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body) if body else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
