"""The text of mails: paragraphs with a good layout at any line width."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.core.wording import WIDTH, paragraph, width


@pytest.mark.parametrize("before", range(60, 90))
def test_no_line_begins_with_a_percent_sign(before: int) -> None:
    message = paragraph("x" * before + " CPU 3 % (baseline 3 %), no load-balancer traffic for hours and hours", "  ")
    assert message.count("3 %") == 2
    assert "\N{NO-BREAK SPACE}" not in message
    assert all(len(line) <= max(WIDTH, before + 2) for line in message.splitlines())


@given(st.text() | st.text(st.characters(max_codepoint=127)))
def test_a_text_takes_the_columns_of_its_signs(text: str) -> None:
    """Also of short ones."""
    signs = unicodedata.normalize("NFC", text)
    joined = [sign for sign in signs if unicodedata.combining(sign) or unicodedata.category(sign) in ("Cf", "Mn", "Me")]
    wide = [s for s in signs if s not in joined and unicodedata.east_asian_width(s) in ("W", "F")]
    assert width(text) == len(signs) - len(joined) + len(wide)
    assert width("랩 e\N{COMBINING ACUTE ACCENT}") == 4
