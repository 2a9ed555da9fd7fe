"""Korean's rules beside its catalogue: dates and times, and the form of a particle after a slot.

Translators write both forms, as in 을(를) or (으)로. The form is chosen if the last sound before it is known: of Hangul and
of digits. A name in Latin letters is followed by a Korean noun; a test finds unresolved particles.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from gettext import NullTranslations
from zoneinfo import ZoneInfo

from chalicelib.domain.core.deferred import pattern
from chalicelib.domain.core.language import Language
from chalicelib.domain.core.sentence import ENGLISH, Style

#: The written form -> after a consonant, after a vowel.
PARTICLES = {
    "은(는)": ("은", "는"),
    "이(가)": ("이", "가"),
    "을(를)": ("을", "를"),
    "과(와)": ("과", "와"),
    "(으)로": ("으로", "로"),
    "(이)라": ("이라", "라"),
}
#: An amount is read with its currency last: dollar, which ends in a vowel.
_DOLLARS = pattern(r"\$[\d,.]+$")
_PARTICLE = pattern("|".join(re.escape(written) for written in PARTICLES))
_WEEKDAYS = "월화수목금토일"
#: The final consonant of each digit's name: 영 일 이 삼 사 오 육 칠 팔 구; empty after a vowel.
_DIGITS = dict(zip("0123456789", ("ㅇ", "ㄹ", "", "ㅁ", "", "", "ㄱ", "ㄹ", "ㄹ", ""), strict=True))
_SIGNS = {"%": ""}
_FIRST, _LAST, _FINALS, _RIEUL = 0xAC00, 0xD7A3, 28, 8
_CLOSING = "\"'`*\N{RIGHT DOUBLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\N{RIGHT CORNER BRACKET}"


class Korean:
    """Korean in the polite form of notices (합니다), with a catalogue."""

    language = Language.KO

    def __init__(self, catalogue: NullTranslations) -> None:
        self.gettext, self.ngettext = catalogue.gettext, catalogue.ngettext

    def moment(self, at: datetime, zone: str, style: Style) -> str:
        """`11월 29일(일) 오전 4:53 KST`."""
        local = at.astimezone(ZoneInfo(zone))
        day = f"{local.month}월 {local.day}일({_WEEKDAYS[local.weekday()]})"
        clock = f"{'오전' if local.hour < 12 else '오후'} {local.hour % 12 or 12}:{local:%M}"
        match style:
            case Style.LOCAL | Style.BOTH:
                return f"{day} {clock} {zone_name(local)}"
            case Style.CLOCK:
                return clock
            case Style.SHORT:
                return f"{day} {clock}"
            case Style.DAY:
                return f"{local.year}년 {day}"
            case Style.MONTH:
                return f"{local.year}년 {local.month}월"
            case Style.DATE:
                return f"{local.year}년 {local.month}월 {local.day}일"
            case Style.SECOND:
                return ENGLISH.moment(at, zone, style)
            case Style.MINUTE | Style.INSTANT:
                return f"{local.year}년 {day} {clock} {zone_name(local)}"

    def listed(self, parts: Sequence[str], last: str) -> str:
        """With commas; `또는` before the last of alternatives."""
        if last == "or" and len(parts) > 1:
            return f"{', '.join(parts[:-1])} 또는 {parts[-1]}"
        return ", ".join(parts)

    def finished(self, text: str) -> str:
        """Composed, with its particles chosen."""
        return with_particles(unicodedata.normalize("NFC", text))


def zone_name(local: datetime) -> str:
    """`KST`; `UTC+8` for a zone without an abbreviation."""
    name = local.strftime("%Z")
    if name[:1] not in "+-":
        return name
    return f"UTC{name[0]}{int(name[1:3])}" + (f":{name[3:]}" if name[3:].strip("0") else "")


def with_particles(text: str) -> str:
    """Each particle in the form that the text before it requires; unchanged if that is unknown."""
    done, begun = "", 0
    for found in _PARTICLE.finditer(text):
        done += text[begun : found.start()]
        done += _fitting(found[0], last_sound(done))
        begun = found.end()
    return done + text[begun:]


def _fitting(written: str, sound: str | None) -> str:
    if sound is None:
        return written
    consonant, vowel = PARTICLES[written]
    ends_in_rieul = written == "(으)로" and sound == "ㄹ"
    return vowel if not sound or ends_in_rieul else consonant


def last_sound(text: str) -> str | None:
    """The final consonant of a spoken text; empty for a vowel, None if unknown.

    Quotation marks are silent, and so is text in brackets.
    """
    text = text.rstrip(_CLOSING)
    while text.endswith(")") and "(" in text:
        text = text.rpartition("(")[0].rstrip(_CLOSING)
    last = text[-1:]
    if _DOLLARS.search(text):
        return ""
    if last in _DIGITS or last in _SIGNS:
        return _DIGITS.get(last, "")
    if last and _FIRST <= ord(last) <= _LAST:
        final = (ord(last) - _FIRST) % _FINALS
        return "ㄹ" if final == _RIEUL else "x" if final else ""
    return None
