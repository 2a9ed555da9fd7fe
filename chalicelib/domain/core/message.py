"""A message to people: subject, text and severity; and the letter that renders both, in any language."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from enum import StrEnum
from typing import assert_never

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.core.sentence import ENGLISH, Sentence, Words, said
from chalicelib.domain.core.wording import WIDTH, paragraph, width

#: SNS: UTF-8, fewer than 100 characters.
MOST_SUBJECT = 99
_MOST_COLUMN = 40


class Severity(StrEnum):
    """The severity of a message."""

    INFO = "info"
    WARNING = "warning"
    URGENT = "urgent"
    CRITICAL = "critical"


@dataclass(frozen=True)
class Paragraphs:
    """Texts, each starting on a new line."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class Commands:
    """Commands, or an output, line by line, untranslated."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Link:
    """An address with the label of its button. It may be the reader's secret: no channel shows it."""

    url: str
    label: str


@dataclass(frozen=True)
class Bullets:
    """A heading and its bullets."""

    heading: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Heading:
    """Starts a section of a letter."""

    text: str


@dataclass(frozen=True)
class Rows:
    """A table without a header."""

    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Ordered:
    """Steps in order: the task, the commands for it, and alternative commands."""

    steps: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]


Block = Paragraphs | Commands | Link | Bullets | Heading | Rows | Ordered


@dataclass(frozen=True)
class Letter:
    """A message before translation: a subject and blocks, whose texts are sentences (`sentence.py`)."""

    subject: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Written:
    """A message in the form in which it is sent to one person."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True)
class Message:
    """A message to one recipient: a subject that reads well plain (≤ 100 characters), a body, facts to filter by.

    `letter`: the source of subject and body, for readers of another language and for HTML.
    """

    recipient: str
    subject: str
    body: str
    kind: str
    severity: Severity
    account: str
    owner: str
    days: int = 0
    notice_ids: tuple[tuple[ClusterKey, str], ...] = ()
    letter: Letter | None = None


def para(*texts: str) -> Paragraphs:
    """One paragraph, of one or more lines."""
    return Paragraphs(texts)


def commands(*lines: str) -> Commands:
    """A block of commands."""
    return Commands(lines)


def letter_of(subject: str, blocks: Sequence[Block | None]) -> Letter:
    """The letter without empty blocks."""
    return Letter(subject, tuple(block for block in blocks if block is not None and _says(block)))


def message_of(
    letter: Letter, recipient: str, kind: str, severity: Severity, account: str = "", owner: str = ""
) -> Message:
    """The letter to one recipient, with its English subject and body."""
    return Message(
        recipient, subject_line(letter.subject), english_body(letter), kind, severity, account, owner, letter=letter
    )


def subject_line(text: str) -> str:
    """A subject that SNS accepts: one line of visible characters, 99 at most."""
    visible = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in text)
    line = " ".join(visible.split()) or "ekslab"
    return line if len(line) <= MOST_SUBJECT else f"{line[: MOST_SUBJECT - 3].rstrip()}..."


def english_body(letter: Letter) -> str:
    """The letter's plain text in the language of the code."""
    return plain_text(letter, ENGLISH)


def plain_text(letter: Letter, words: Words) -> str:
    """Wrapped paragraphs and indented commands, with an empty line between blocks."""
    return "\n\n".join(plain_block(block, words) for block in letter.blocks) + "\n"


def _says(block: Block) -> bool:
    return not isinstance(block, Paragraphs) or any(block.texts)


def plain_block(block: Block, words: Words) -> str:
    """One block as plain text."""
    match block:
        case Paragraphs(texts):
            return "\n".join(paragraph(said(text, words)) for text in texts if text)
        case Commands(lines):
            return "\n".join(f"  {line}" for line in lines)
        case Link(url, _):
            return f"  {url}"
        case Bullets(heading, texts):
            items = [paragraph(said(text, words), "    ", "  ") for text in texts]
            return "\n".join([f"{said(heading, words)}:", *items])
        case Heading(text):
            heading = said(text, words)
            return f"{heading}\n{'-' * min(width(heading), WIDTH)}"
        case Rows(rows):
            return "\n".join(_columns([[said(cell, words) for cell in row] for row in rows]))
        case Ordered(steps):
            return "\n".join(line for number, step in enumerate(steps, 1) for line in _step(number, step, words))
        case _:
            assert_never(block)


def _columns(rows: list[list[str]]) -> list[str]:
    """Each column as wide as its widest cell, up to 40; the last one unchanged."""
    widths = [min(max(map(width, column)), _MOST_COLUMN) for column in zip(*rows, strict=True)]
    padded = [
        [cell + " " * (most - width(cell)) for cell, most in zip(row[:-1], widths, strict=False)] + [row[-1]]
        for row in rows
    ]
    return ["  " + "  ".join(row) for row in padded]


def _step(number: int, step: tuple[str, tuple[str, ...], tuple[str, ...]], words: Words) -> list[str]:
    title, commands, others = step
    either = said(Sentence("or"), words)
    return [
        paragraph(said(title, words), "     ", f"  {number}. "),
        *(f"       {command}" for command in commands),
        *(f"    {either} {command}" for command in others),
    ]
