"""A message as chat channels take it: the custom notification schema of Amazon Q Developer in chat applications (once AWS Chatbot).

Published as it stands to a topic that such a channel listens to. A thread is kept for each recipient and account.
"""

from __future__ import annotations

import json

from chalicelib.domain.notices import Message, Severity

#: Chats cut long texts where it hurts; what is left out stands in the mail.
MOST_CHARACTERS = 3000
_SIGNS = {
    Severity.INFO: ":information_source:",
    Severity.WARNING: ":warning:",
    Severity.URGENT: ":rotating_light:",
    Severity.CRITICAL: ":fire:",
}


def chat_message(message: Message) -> str:
    """The JSON text to publish."""
    content = {
        "textType": "client-markdown",
        "title": f"{_SIGNS[message.severity]} {message.subject}",
        "description": _short(message.body),
        "keywords": [message.kind, str(message.severity)],
    }
    metadata = {
        "threadId": f"ekslab-{message.account}-{message.recipient}",
        "summary": message.subject,
        "eventType": message.kind,
        "relatedResources": [key.name for key in dict.fromkeys(key for key, _ in message.notice_ids)],
        "additionalContext": {"account": message.account, "owner": message.owner, "days": str(message.days)},
    }
    return json.dumps({"version": "1.0", "source": "custom", "content": content, "metadata": metadata})


def _short(text: str) -> str:
    if len(text) <= MOST_CHARACTERS:
        return text
    whole_lines = text[:MOST_CHARACTERS].rpartition("\n")[0] or text[:MOST_CHARACTERS]
    return f"{whole_lines}\n... the rest is in the mail."
