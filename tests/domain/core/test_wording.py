"""Words of mails: paragraphs that read well wherever their lines end."""

from __future__ import annotations

import pytest

from chalicelib.domain.core.wording import WIDTH, paragraph


@pytest.mark.parametrize("before", range(60, 90))
def test_no_line_begins_with_a_percent_sign(before: int) -> None:
    message = paragraph("x" * before + " CPU 3 % (baseline 3 %), no load-balancer traffic for hours and hours", "  ")
    assert message.count("3 %") == 2
    assert "\N{NO-BREAK SPACE}" not in message
    assert all(len(line) <= max(WIDTH, before + 2) for line in message.splitlines())
