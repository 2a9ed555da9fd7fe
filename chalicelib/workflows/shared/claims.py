"""Of runs at the same time, one sends a mail that no entry of a plan is marked for: it claims the mail before it sends.

A claim is good for longer than a function lives: if the run dies between the claim and its mail, a later one sends it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.ports.deps import Deps

_LONG = timedelta(minutes=5)


def claims(deps: Deps, what: str, now: datetime, by: str = "") -> bool:
    """Whether this run is the one that sends `what`. `by`: an execution, whose retries go on with what it claimed."""
    return deps.store.claim(what, by or deps.new_id(), now, now + _LONG)
