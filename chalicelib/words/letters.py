"""A message in its reader's language: subject, plain text, HTML and a chat's markdown, of one letter.

Called by what sends mail. In HTML every text is escaped: names, tags and AWS's words are other people's. Styles stand in
the template, since mail programs drop style sheets.
"""

from __future__ import annotations

import unicodedata
from html import escape
from typing import assert_never

from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.core.language import Language
from chalicelib.domain.core.message import Block, Bullets, Commands, Letter, Link, Message, Paragraphs, plain_text
from chalicelib.domain.core.sentence import Words, said
from chalicelib.words.catalogues import words_of

_CODE = pattern("`([^`\n]+)`")
_BODY = (
    "margin:0;padding:24px 16px;background:#f3f4f7;color:#1c2330;"
    "font:16px/1.55 -apple-system,'Apple SD Gothic Neo','Malgun Gothic','Segoe UI',sans-serif"
)
_CARD = "max-width:560px;margin:0 auto;padding:24px;background:#fff;border:1px solid #dde1e8;border-radius:12px"
_HEADING = "margin:0 0 16px;font-size:20px;line-height:1.3"
_SECTION = "margin:24px 0 8px;font-size:16px"
_PARAGRAPH = "margin:0 0 16px"
_LIST = "margin:0 0 16px;padding-left:20px"
_COMMANDS = "margin:0 0 16px;padding:12px;background:#f3f4f7;border-radius:6px;font-size:14px;white-space:pre-wrap"
_BUTTON = (
    "display:inline-block;padding:12px 24px;background:#0b57c2;color:#fff;border-radius:8px;"
    "font-weight:600;text-decoration:none"
)


@dataclass(frozen=True)
class Written:
    """A message as it is sent to one person."""

    language: Language
    subject: str
    text: str
    html: str


def written(message: Message, language: Language) -> Written:
    """The message in a language; one without a letter is in English, whatever its reader speaks."""
    letter = message.letter
    if letter is None:
        return Written(Language.EN, message.subject, message.body, _html_of_text(message.subject, message.body))
    words = words_of(language)
    subject = said(letter.subject, words)
    return Written(language, subject, plain_text(letter, words), html_of(letter, words))


def html_of(letter: Letter, words: Words) -> str:
    """A whole document in HTML."""
    return _document(
        words.language, said(letter.subject, words), "\n".join(_html(block, words) for block in letter.blocks)
    )


def chat_of(letter: Letter, words: Words) -> str:
    """The letter as markdown of a channel. Links are left out: a link acts for the one person whom it was sent to."""
    shown = [block for block in letter.blocks if not isinstance(block, Link)]
    return "\n\n".join(_markdown(block, words) for block in shown)


def _html_of_text(subject: str, body: str) -> str:
    return _document(Language.EN, subject, f'<pre style="{_COMMANDS}">{escape(body)}</pre>')


def _document(language: Language, subject: str, content: str) -> str:
    title = escape(unicodedata.normalize("NFC", subject))
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{title}</title>\n</head>\n<body style="{_BODY}">\n<div style="{_CARD}">\n'
        f'<h1 style="{_HEADING}">{title}</h1>\n{content}\n</div>\n</body>\n</html>\n'
    )


def _html(block: Block, words: Words) -> str:
    match block:
        case Paragraphs(texts):
            return f'<p style="{_PARAGRAPH}">' + "<br>\n".join(_inline(text, words) for text in texts if text) + "</p>"
        case Commands(lines):
            return f'<pre style="{_COMMANDS}">{escape(chr(10).join(lines))}</pre>'
        case Link(url, label):
            return f'<p style="{_PARAGRAPH}"><a href="{escape(url)}" style="{_BUTTON}">{_inline(label, words)}</a></p>'
        case Bullets(heading, texts):
            items = "\n".join(f"<li>{_inline(text, words)}</li>" for text in texts)
            return f'<h2 style="{_SECTION}">{_inline(heading, words)}</h2>\n<ul style="{_LIST}">\n{items}\n</ul>'
        case _:
            assert_never(block)


def _inline(text: str, words: Words) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(said(text, words)))


def _markdown(block: Block, words: Words) -> str:
    match block:
        case Paragraphs(texts):
            return "\n".join(said(text, words) for text in texts if text)
        case Commands(lines):
            return "\n".join(["```", *lines, "```"])
        case Link():
            return ""
        case Bullets(heading, texts):
            return "\n".join([f"*{said(heading, words)}*", *(f"- {said(text, words)}" for text in texts)])
        case _:
            assert_never(block)
