"""A message in its reader's language: subject, plain text and HTML, of one letter.

Called by the senders of mail. In HTML every text is escaped: names, tags and AWS's words are untrusted. Styles are in
the template, since mail programs drop style sheets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import assert_never

from chalicelib.domain.core.deferred import pattern
from chalicelib.domain.core.language import Language
from chalicelib.domain.core.message import (
    Block,
    Bullets,
    Commands,
    Heading,
    Letter,
    Link,
    Message,
    Ordered,
    Paragraphs,
    Rows,
    Written,
    plain_text,
)
from chalicelib.domain.core.sentence import Sentence, Words, said
from chalicelib.domain.core.wording import WIDTH, width
from chalicelib.words.catalogues import words_of

_ADDRESS = pattern(r"  (https?://\S+)")
_CODE = pattern("`([^`\n]+)`")
_BODY = (
    "margin:0;padding:24px 16px;background:#f3f4f7;color:#1c2330;word-break:keep-all;overflow-wrap:break-word;"
    "font:16px/1.55 -apple-system,'Apple SD Gothic Neo','Malgun Gothic','Segoe UI',sans-serif"
)
_CARD = "max-width:560px;margin:0 auto;padding:24px;background:#fff;border:1px solid #dde1e8;border-radius:12px"
_HEADING = "margin:0 0 16px;font-size:20px;line-height:1.3"
_SECTION = "margin:24px 0 8px;font-size:16px"
_PARAGRAPH = "margin:0 0 16px"
_CELL = "padding:2px 12px 2px 0;text-align:left;vertical-align:top"
_LIST = "margin:0 0 16px;padding-left:20px"
_COMMANDS = "margin:0 0 16px;padding:12px;background:#f3f4f7;border-radius:6px;font-size:14px;white-space:pre-wrap"
_BUTTON = (
    "display:inline-block;padding:12px 24px;background:#0b57c2;color:#fff;border-radius:8px;"
    "font-weight:600;text-decoration:none"
)


def written(messages: Sequence[Message], language: str, zone: str = "UTC") -> Written:
    """One or more messages as one mail, in their order, for a reader in a time zone. A message without a letter is in English."""
    words = words_of(Language(language), zone)
    letters = [message.letter or letter_of_body(message) for message in messages]
    texts = [message.body if message.letter is None else plain_text(message.letter, words) for message in messages]
    subjects = [said(letter.subject, words) for letter in letters]
    subject = subjects[0]
    if len(letters) > 1:
        texts = [f"{of}\n{'=' * min(width(of), WIDTH)}\n\n{text}" for of, text in zip(subjects, texts, strict=True)]
        subject = said(
            Sentence("{subject} (and {number} more)", subject=letters[0].subject, number=len(letters) - 1), words
        )
    return Written(subject, "\n".join(texts), html_of(letters, words))


def translated(message: Message, language: Language) -> Message:
    """The message with its subject and body in a language; one without a letter as it is."""
    if message.letter is None or language is Language.EN:
        return message
    words = words_of(language)
    return replace(message, subject=said(message.letter.subject, words), body=plain_text(message.letter, words))


def letter_of_body(message: Message) -> Letter:
    """The letter of a plain text: an indented address is a link, other indented lines are commands."""
    return Letter(message.subject, tuple(_block(block) for block in message.body.strip("\n").split("\n\n")))


def _block(text: str) -> Block:
    lines = tuple(text.splitlines())
    if len(lines) == 1 and (address := _ADDRESS.fullmatch(lines[0])):
        return Link(address[1], address[1])
    if all(line.startswith("  ") for line in lines):
        return Commands(tuple(line.removeprefix("  ") for line in lines))
    return Paragraphs(lines)


def html_of(letters: Sequence[Letter], words: Words) -> str:
    """A whole document in HTML, each letter under its subject."""
    parts: list[str] = []
    for letter in letters:
        parts.append(f'<h1 style="{_HEADING}">{escape(said(letter.subject, words))}</h1>')
        parts += (_html(block, words) for block in letter.blocks)
    return _document(words.language, said(letters[0].subject, words), "\n".join(parts))


def _document(language: Language, subject: str, content: str) -> str:
    title = escape(subject)
    return (
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{title}</title>\n</head>\n<body style="{_BODY}">\n<div style="{_CARD}">\n'
        f"{content}\n</div>\n</body>\n</html>\n"
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
        case Heading(text):
            return f'<h2 style="{_SECTION}">{_inline(text, words)}</h2>'
        case Rows(rows):
            return f'<table style="{_PARAGRAPH}">\n' + "\n".join(_row(row, words) for row in rows) + "\n</table>"
        case Ordered(steps):
            return f'<ol style="{_LIST}">\n' + "\n".join(_ordered(step, words) for step in steps) + "\n</ol>"
        case _:
            assert_never(block)


def _row(row: tuple[str, ...], words: Words) -> str:
    return "<tr>" + "".join(f'<td style="{_CELL}">{_inline(cell, words)}</td>' for cell in row) + "</tr>"


def _ordered(step: tuple[str, tuple[str, ...], tuple[str, ...]], words: Words) -> str:
    title, commands, others = step
    blocks = [f'<pre style="{_COMMANDS}">{escape(chr(10).join(lines))}</pre>' for lines in (commands, others) if lines]
    either = f"\n{_inline(Sentence('or'), words)}\n"
    return f"<li>{_inline(title, words)}\n{either.join(blocks)}</li>"


def _inline(text: str, words: Words) -> str:
    return _CODE.sub(r"<code>\1</code>", escape(said(text, words)))
