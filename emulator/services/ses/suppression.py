"""The account's suppression list: its addresses get no mail, and the sender gets an event.

Sources: botocore's model; SES developer guide, "Using the Amazon SES account-level suppression list" (both reasons are on for
accounts since November 2019; addresses come onto it by hard bounces and complaints; a configuration set can say otherwise).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import ses_v2

from emulator.core.clock import EmulatorClock

Refused = tuple[str, str, int]
Answer = dict[str, Any] | Refused

_REASONS = ("BOUNCE", "COMPLAINT")
_addresses = AccountRegionScopedDict()
_settings = AccountRegionScopedDict()
_ONE = re.compile(r"^/suppression/addresses/(.+)$")


def respond(clock: EmulatorClock, method: str, path: str, given: Mapping[str, Any]) -> Answer | None:
    """Answer a request about the list: the members, or (code, message, status); None for other questions."""
    one = _ONE.match(path)
    match method, path:
        case "PUT", "/account/suppression":
            _settings["reasons"] = list(given.get("SuppressedReasons") or [])
            return {}
        case "PUT", "/suppression/addresses":
            return _put(clock, given)
        case "GET", "/suppression/addresses":
            return {"SuppressedDestinationSummaries": [dict(each) for each in _addresses.values()]}
        case "GET" | "DELETE", _ if one:
            return _one(method, unquote(one[1]).lower())
    return None


def add(clock: EmulatorClock, address: str, reason: str) -> None:
    """Put an address on the list."""
    now = clock.now().timestamp()
    _addresses[address.lower()] = {"EmailAddress": address.lower(), "Reason": reason, "LastUpdateTime": now}


def reasons(configuration_set: str = "") -> list[str]:
    """The reasons for which addresses are put on the list and held back."""
    options = (ses_v2._config_sets.get(configuration_set) or {}).get("SuppressionOptions") or {}
    own = options.get("SuppressedReasons")
    return list(own if own is not None else _settings.get("reasons", list(_REASONS)))


def reason_of(address: str, configuration_set: str) -> str | None:
    """The reason that this address gets no mail; None if it gets mail."""
    found = (_addresses.get(address.lower()) or {}).get("Reason")
    return found if found in reasons(configuration_set) else None


def _put(clock: EmulatorClock, given: Mapping[str, Any]) -> Answer:
    address, reason = str(given.get("EmailAddress", "")), given.get("Reason")
    if reason not in _REASONS or "@" not in address:
        return "BadRequestException", "Invalid email address or reason.", 400
    add(clock, address, str(reason))
    return {}


def _one(method: str, address: str) -> Answer:
    found = _addresses.get(address)
    if found is None:
        return "NotFoundException", f"Email address {address} does not exist on your suppression list.", 404
    if method == "DELETE":
        _addresses.pop(address)
        return {}
    return {"SuppressedDestination": dict(found)}
