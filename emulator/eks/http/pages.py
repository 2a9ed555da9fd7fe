"""Pages of a list: `maxResults` and `nextToken`, the same for every List operation."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from emulator.eks.http.call import Call
from emulator.eks.http.errors import invalid_parameter

_MOST = 100


def page(call: Call, member: str, items: Sequence[Any]) -> dict[str, Any]:
    """Return the output with one page of the items in `member`, and a nextToken where more follow."""
    start = _start(call.given.get("nextToken"))
    end = start + int(call.given.get("maxResults", _MOST))
    following = base64.b64encode(str(end).encode()).decode() if end < len(items) else None
    return {member: list(items[start:end]), "nextToken": following}


def _start(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.b64decode(token, validate=True))
    except (binascii.Error, ValueError) as wrong:
        raise invalid_parameter("The nextToken is not one that EKS gave") from wrong
