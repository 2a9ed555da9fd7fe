"""The languages by their names, each with its catalogue. Only this module opens catalogues, at first use.

Translators edit `<language>.po`. Packaging compiles it to `<language>.mo` and omits the source
(`deployment/words.py`); tests compile it at their start.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import assert_never

from chalicelib.domain.core.language import Language
from chalicelib.domain.core.sentence import ENGLISH, Style, Words

FOLDER = Path(__file__).parent
#: Styles of an instant on a reader's clock. Days of UTC are AWS's own, and programs read UTC.
_CLOCKS = frozenset({Style.LOCAL, Style.BOTH, Style.CLOCK, Style.SHORT, Style.MINUTE})


class InZone:
    """A language for a reader in a time zone: instants in UTC are shown in theirs, those in a lab's own zone unchanged."""

    def __init__(self, words: Words, zone: str) -> None:
        self.language, self.gettext, self.ngettext = words.language, words.gettext, words.ngettext
        self.listed, self.finished = words.listed, words.finished
        self._words, self._zone = words, zone

    def moment(self, at: datetime, zone: str, style: Style) -> str:
        """An instant in its zone, or in the reader's. A bare clock of another zone than the reader's names its day and zone."""
        if style not in _CLOCKS:
            return self._words.moment(at, zone, style)
        bare = style in (Style.CLOCK, Style.SHORT) and zone != self._zone
        return self._words.moment(at, self._zone if zone == "UTC" else zone, Style.LOCAL if bare else style)


@cache
def words_of(language: Language, zone: str = "UTC") -> Words:
    """A language with its catalogue, read once a process. `zone`: the reader's, for times that have no zone of their own."""
    words = _catalogue(language)
    return words if zone == "UTC" else InZone(words, zone)


@cache
def _catalogue(language: Language) -> Words:
    match language:
        case Language.EN:
            return ENGLISH
        case Language.KO:
            from gettext import GNUTranslations

            from chalicelib.words.korean import Korean

            with (FOLDER / f"{language}.mo").open("rb") as file:
                return Korean(GNUTranslations(file))
        case _:
            assert_never(language)


def preferred(accepted: str | None) -> Language:
    """The preferred language of an `Accept-Language` header; English if we have none of them."""
    wanted = [_weighed(part) for part in (accepted or "").split(",")[:20]]
    known = [(weight, -place, tag) for place, (tag, weight) in enumerate(wanted) if tag in set(Language) and weight > 0]
    return Language(max(known)[2]) if known else Language.EN


def _weighed(part: str) -> tuple[str, float]:
    tag, _, weight = part.partition(";")
    digits = weight.strip().removeprefix("q=").strip()
    known = digits.replace(".", "", 1).isdecimal() and digits.isascii()
    return tag.strip().lower().partition("-")[0], float(digits) if known else 0.0 if weight.strip() else 1.0
