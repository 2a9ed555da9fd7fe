"""A message in AWS's schema for custom notifications, which Amazon Q Developer in chat applications shows in Slack and Teams.

Called by the notifier for the chat topic. Schema version 1.0, source `custom`; texts are cut for a channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from chalicelib.domain.core.message import Message, Severity

#: Longest texts for a channel, in characters; the mail has the rest.
_TITLE, _DESCRIPTION, _SUMMARY = 250, 4_000, 250
_SIGN = {
    Severity.INFO: ":information_source:",
    Severity.WARNING: ":warning:",
    Severity.URGENT: ":rotating_light:",
    Severity.CRITICAL: ":rotating_light:",
}


def chat_document(message: Message) -> dict[str, object]:
    """The notification as a JSON object. One thread per recipient, so that a channel keeps a deadline's mails together."""
    head, _, rest = message.body.partition("\n\n")
    table = rest.partition("\n\n")[0]
    return {
        "version": "1.0",
        "source": "custom",
        "id": _id(message),
        "content": {
            "textType": "client-markdown",
            "title": _cut(f"{_SIGN[message.severity]} {message.subject}", _TITLE),
            "description": _cut(f"{head}\n```\n{table}\n```" if table else head, _DESCRIPTION),
            "nextSteps": _next_steps(message),
            "keywords": ["EKS", message.severity.value, message.kind],
        },
        "metadata": {
            "threadId": f"ekslab-{message.recipient}",
            "summary": _cut(message.subject, _SUMMARY),
            "eventType": message.kind,
            "additionalContext": _context(message),
        },
    }


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
    fenced = text.endswith("\n```")
    end = "...\n```" if fenced else "..."
    return text if len(text) <= most else f"{text[: most - len(end)]}{end}"
