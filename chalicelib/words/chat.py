"""A message in AWS's schema for custom notifications, which Amazon Q Developer in chat applications shows in Slack and Teams.

Called by the notifier for the chat topic. Schema version 1.0, source `custom`; texts are cut for a channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import assert_never

from chalicelib.domain.core.language import Language
from chalicelib.domain.core.message import (
    Block,
    Bullets,
    Commands,
    Heading,
    Link,
    Message,
    Ordered,
    Paragraphs,
    Rows,
    Severity,
    plain_block,
)
from chalicelib.domain.core.sentence import Sentence, Words, said
from chalicelib.words.catalogues import words_of
from chalicelib.words.letters import letter_of_body

#: Longest texts for a channel, in characters; the mail has the rest.
_TITLE, _DESCRIPTION, _SUMMARY = 250, 4_000, 250
_FENCE = "```"
_SIGN = {
    Severity.INFO: ":information_source:",
    Severity.WARNING: ":warning:",
    Severity.URGENT: ":rotating_light:",
    Severity.CRITICAL: ":rotating_light:",
}


def chat_document(message: Message, language: Language) -> dict[str, object]:
    """The notification as a JSON object. One thread per recipient, so that a channel keeps a deadline's mails together."""
    words = words_of(language)
    subject = said(message.letter.subject, words) if message.letter else message.subject
    return {
        "version": "1.0",
        "source": "custom",
        "id": _id(message),
        "content": {
            "textType": "client-markdown",
            "title": _cut(f"{_SIGN[message.severity]} {subject}", _TITLE),
            "description": _description(message, words),
            "nextSteps": _next_steps(message),
            "keywords": ["EKS", message.severity.value, message.kind],
        },
        "metadata": {
            "threadId": f"ekslab-{message.recipient}",
            "summary": _cut(subject, _SUMMARY),
            "eventType": message.kind,
            "additionalContext": _context(message),
        },
    }


def _description(message: Message, words: Words) -> str:
    """The letter as markdown, with whole lines."""
    blocks = (message.letter or letter_of_body(message)).blocks
    text = "\n\n".join(_markdown(block, words) for block in blocks)
    if len(text) <= _DESCRIPTION:
        return text
    kept = text[: _DESCRIPTION - len(f"\n{_FENCE}\n...")]
    kept = kept.rpartition("\n")[0] or kept
    return kept + (f"\n{_FENCE}" if kept.count(_FENCE) % 2 else "") + "\n..."


def _markdown(block: Block, words: Words) -> str:
    match block:
        case Paragraphs(texts):
            return "\n".join(said(text, words) for text in texts if text)
        case Commands(lines):
            return "\n".join([_FENCE, *lines, _FENCE])
        case Link():
            # It acts for its one recipient.
            return said(Sentence("The link is in the message to its recipient."), words)
        case Bullets(heading, texts):
            return "\n".join([f"*{said(heading, words)}*", *(f"- {said(text, words)}" for text in texts)])
        case Heading(text):
            return f"*{said(text, words)}*"
        case Rows() | Ordered():
            return f"{_FENCE}\n{plain_block(block, words)}\n{_FENCE}"
        case _:
            assert_never(block)


def _next_steps(message: Message) -> list[str]:
    keys = list(dict.fromkeys(key for key, _ in message.notice_ids))
    return [f"`ekslab describe cluster {key.account}/{key.region}/{key.name}`" for key in keys[:5]]


def _context(message: Message) -> Mapping[str, str]:
    wording = {
        "severity": message.severity.value,
        "account": message.account,
        "owner": message.owner,
        "recipient": message.recipient,
        "days": str(message.days),
    }
    return {name: text for name, text in wording.items() if text}


def _id(message: Message) -> str:
    """The notices' name; for a message without notices, a hash of its text."""
    if not message.notice_ids:
        return f"ekslab-{message.kind}-{sha256(f'{message.recipient} {message.body}'.encode()).hexdigest()[:16]}"
    return f"ekslab-{'-'.join(part for _, part in message.notice_ids[:1])}-{len(message.notice_ids)}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
