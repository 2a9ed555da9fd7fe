"""For how long a step waits out an answer that will be another one: throttling, a fault of AWS's, what is not yet known.

Pure: the error, the workflow and how many answers in a row were waited out decide. Throttling has no end of its own: it
never fails a lab. The seconds are spread by the lab's id, so that fifty labs do not ask again in the same moment.
"""

from __future__ import annotations

import zlib

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.errors.not_yet_known import is_not_yet_known
from chalicelib.domain.errors.tree import AccessDenied, AwsRefused, EkslabError, Throttled, Transient

#: The longest pause before the second half of it, which the lab's id decides.
_LONGEST = 120
#: How many answers in a row are waited out before they are believed.
UNAVAILABLE_ANSWERS, UNKNOWN_ANSWERS, DENIED_ANSWERS = 24, 24, 12


@dataclass(frozen=True)
class Pause:
    """Look again in so many seconds; `why` is for the person watching."""

    seconds: int
    why: str


def pause_for(error: EkslabError, workflow: str, lab_id: str, waits: int) -> Pause | None:
    """How to wait the answer out; None when it is to be believed. `waits`: how many in a row were waited out before."""
    if isinstance(error, Throttled):
        return Pause(_spread(lab_id, waits, 15), "AWS asks us to slow down.")
    if isinstance(error, Transient):
        return _unless(waits >= UNAVAILABLE_ANSWERS, Pause(_spread(lab_id, waits, 5), f"Asked again soon: {error}"))
    if isinstance(error, AwsRefused) and is_not_yet_known(error, workflow):
        most = DENIED_ANSWERS if isinstance(error, AccessDenied) else UNKNOWN_ANSWERS
        words = f"Just made, perhaps not known everywhere yet: {error.message}"
        return _unless(waits >= most, Pause(10, words))
    return None


def _unless(out: bool, pause: Pause) -> Pause | None:
    return None if out else pause


def _spread(lab_id: str, waits: int, first: int) -> int:
    """From the pause up to twice of it; pauses double until `_LONGEST`."""
    least = min(first * 2 ** min(waits, 10), _LONGEST)
    return int(least + zlib.crc32(f"{lab_id}-{waits}".encode()) % least)
