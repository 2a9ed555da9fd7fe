"""The text and the HTML of a mail: messages one after the other, the gravest first, each under its subject.

An indented line that is an address becomes a button, other indented lines are shown as code. Styles stand in the elements, for
mail programs drop style sheets. Every word of a message is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html import escape

from chalicelib.domain.core.deferred import pattern
from chalicelib.domain.core.message import Message

_LINK = pattern(r"  (https?://\S+)")
_BREAK = pattern(r"\n{2,}")
_FONT = "font-family:-apple-system,'Segoe UI',Roboto,'Apple SD Gothic Neo','Noto Sans KR',sans-serif"
_BUTTON = (
    "display:inline-block;padding:10px 16px;background:#0b5394;color:#ffffff;text-decoration:none;border-radius:4px"
)
_CODE = "background:#f3f3f3;color:#111111;padding:8px;white-space:pre-wrap;font-family:monospace"
#: What a button to a page of ours says, by the page.
_LABELS = {"keep": "Keep it", "acknowledge": "Acknowledge", "snooze": "Snooze"}


def rendered(messages: Sequence[Message], language: str = "en") -> tuple[str, str]:
    """Text and HTML. Of one message the text is its body."""
    text = messages[0].body if len(messages) == 1 else "\n".join(_titled(message) for message in messages)
    parts = [part for message in messages for part in (_heading(message), *_paragraphs(message.body))]
    return text, (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"></head>'
        f'<body style="margin:0;padding:16px;color:#111111;background:#ffffff;line-height:1.5;{_FONT}">'
        f'<div style="max-width:640px">{"".join(parts)}</div></body></html>'
    )


def _titled(message: Message) -> str:
    return f"{message.subject}\n{'=' * min(len(message.subject), 80)}\n\n{message.body}"


def _heading(message: Message) -> str:
    return f'<h2 style="font-size:18px;margin:24px 0 8px">{escape(message.subject)}</h2>'


def _paragraphs(body: str) -> Iterator[str]:
    for block in re.split(_BREAK.pattern, body.strip("\n")):
        if link := _LINK.fullmatch(block):
            url = link[1]
            label = next((said for page, said in _LABELS.items() if f"/{page}/" in url), url)
            yield f'<p><a style="{_BUTTON}" href="{escape(url)}">{escape(label)}</a></p>'
        elif all(line.startswith("  ") for line in block.splitlines()):
            yield f'<pre style="{_CODE}">{escape(block)}</pre>'
        else:
            yield f"<p>{'<br>'.join(escape(line) for line in block.splitlines())}</p>"
