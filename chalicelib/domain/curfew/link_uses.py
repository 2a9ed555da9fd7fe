"""How often one link may be used in a minute: a good link must not become a way to keep everyone's page busy.

Counted in the process, before anything is asked of AWS; only links that were found to be good count.
"""

from __future__ import annotations

from datetime import datetime, timedelta

#: Uses of one link in a window; a person needs two or three, mail scanners some more.
MOST = 30
WINDOW = timedelta(minutes=1)
#: Links of which uses are remembered at most; nobody has so many good ones at a time.
_LINKS = 5_000


class LinkUses:
    """Uses of links of late, by link."""

    def __init__(self) -> None:
        self._begun: dict[str, tuple[datetime, int]] = {}

    def spend(self, link: str, now: datetime) -> bool:
        """Count one use; False if there were too many of it."""
        begun, uses = self._begun.get(link, (now, 0))
        if now - begun >= WINDOW:
            begun, uses = now, 0
        if link not in self._begun and len(self._begun) >= _LINKS:
            self._begun.clear()
        self._begun[link] = (begun, uses + 1)
        return uses < MOST
