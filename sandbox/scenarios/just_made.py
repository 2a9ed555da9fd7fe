"""Waits, as controllers and people do, until EC2 knows a new resource (EC2's guide, "Eventual consistency")."""

from typing import Any

#: EC2's codes for a group or an instance that it does not know, or not yet.
_UNKNOWN = ("InvalidGroup.NotFound", "InvalidInstanceID.NotFound")
_SECONDS, _TIMES = 0.5, 60


def patient(client: Any) -> Any:
    """The client, with retries while EC2 does not know a resource yet."""
    client.meta.events.register("needs-retry.ec2", _ask_again)
    return client


def _ask_again(response: Any, attempts: int, **_: Any) -> float | None:
    """Seconds until the next attempt; None for no attempt."""
    code = response[1].get("Error", {}).get("Code") if response is not None else None
    return _SECONDS if code in _UNKNOWN and attempts < _TIMES else None
