"""Decides how long a step retries answers that may change: throttling, server faults, eventual consistency.

Pure: the error, the workflow and the seconds waited in a row decide. AWS's lag is a time, so seconds count, not answers. Throttling
never fails a lab. The lab's id spreads the pauses, so that fifty labs do not call again in the same moment.
"""

from __future__ import annotations

import re
import zlib

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Said, Sentence, reason_of
from chalicelib.domain.errors.not_yet_known import is_not_yet_known
from chalicelib.domain.errors.tree import AwsRefused, EkslabError, Throttled, Transient

#: The longest first half of a pause; the lab's id decides the second half.
_LONGEST = 120
#: The longest pause for a resource that is not known yet: most are known within seconds, some within minutes.
_LONGEST_UNKNOWN = 30
#: Seconds in a row for which a fault, and a "not known" or a denial, is waited out before it is accepted.
#: Terraform's provider waits two minutes for IAM, EC2's guide says five, AWS's support has said fifteen
#: (hashicorp/terraform-provider-aws#44517).
UNAVAILABLE_SECONDS, UNKNOWN_SECONDS = 3600, 900
#: Parts of a refusal that differ each time: EC2's encoded message, and the request's id.
_EACH_TIME = re.compile(r"\s*Encoded authorization failure message: \S+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_JUST_MADE = Sentence("Just made, perhaps not known everywhere yet: {words}")


@dataclass(frozen=True)
class Pause:
    """Look again in `seconds`. `why` is for people, the same for the same refusal."""

    seconds: int
    why: str


@dataclass(frozen=True)
class Waited:
    """The seconds waited in a row so far, and the last answer."""

    seconds: int = 0
    why: str = ""

    def and_now(self, pause: Pause) -> Waited:
        """With this pause added. A different refusal starts the count again: it may be a new lag."""
        return Waited(pause.seconds + (0 if self.is_news(pause.why) else self.seconds), pause.why)

    def is_news(self, why: str) -> bool:
        """Whether the refusal differs from the last one."""
        return why.startswith(_JUST_MADE.message.partition("{")[0]) and why != self.why


def pause_for(error: EkslabError, workflow: str, lab_id: str, before: Waited) -> Pause | None:
    """The pause before the next try, after the time waited so far; None if the answer is final."""
    if isinstance(error, Throttled):
        return Pause(_spread(lab_id, before.seconds, 15), Sentence("AWS asks us to slow down."))
    if isinstance(error, Transient):
        pause = Pause(
            _spread(lab_id, before.seconds, 5), Sentence("Asked again soon: {reason}", reason=reason_of(error))
        )
        return _unless(before.seconds >= UNAVAILABLE_SECONDS, pause)
    if isinstance(error, AwsRefused) and is_not_yet_known(error, workflow):
        words = error.message if isinstance(error.message, Said) else _EACH_TIME.sub("", error.message)
        why = _JUST_MADE.with_slots(words=words)
        seconds = 0 if before.is_news(why) else before.seconds
        return _unless(seconds >= UNKNOWN_SECONDS, Pause(min(max(10, seconds // 5), _LONGEST_UNKNOWN), why))
    return None


def _unless(out: bool, pause: Pause) -> Pause | None:
    return None if out else pause


def _spread(lab_id: str, waited: int, first: int) -> int:
    """A pause between once and twice of the time waited so far, at most `_LONGEST`."""
    least = min(max(first, waited), _LONGEST)
    return int(least + zlib.crc32(f"{lab_id}-{waited}".encode()) % least)
