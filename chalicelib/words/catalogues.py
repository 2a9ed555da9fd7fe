"""The languages by their names, each with its catalogue. Only here are catalogues opened, at first use.

`<language>.po` is what translators edit. Packaging compiles it to `<language>.mo` and leaves the source out
(`deployment/words.py`); tests compile it as they begin.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import assert_never

from chalicelib.domain.core.language import Language
from chalicelib.domain.core.sentence import ENGLISH, Words

FOLDER = Path(__file__).parent


@cache
def words_of(language: Language) -> Words:
    """A language with its catalogue, read once a process."""
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
    """The language of an `Accept-Language` header that is wanted most; English where none of ours is."""
    wanted = [_weighed(part) for part in (accepted or "").split(",")[:20]]
    known = [(weight, -place, tag) for place, (tag, weight) in enumerate(wanted) if tag in set(Language) and weight > 0]
    return Language(max(known)[2]) if known else Language.EN


def _weighed(part: str) -> tuple[str, float]:
    tag, _, weight = part.partition(";")
    digits = weight.strip().removeprefix("q=").strip()
    known = digits.replace(".", "", 1).isdecimal() and digits.isascii()
    return tag.strip().lower().partition("-")[0], float(digits) if known else 0.0 if weight.strip() else 1.0
