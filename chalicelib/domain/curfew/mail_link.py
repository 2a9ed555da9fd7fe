"""The links of a mail that acknowledge or snooze a deadline: signed by `signed_links.py`.

A link names one person (by a hash of the name), one cluster and one of its deadlines, and expires after two weeks.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Block, Link, para
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.signed_links import LONGEST, KnownKeys, SigningKey, read_claims, sign_claims
from chalicelib.domain.errors.tree import LinkInvalid

#: The signed form of the token: it tells these links from all others.
_FORM = "m1"
#: The lifetime of a link. Keys are replaced after thirty days, and the previous one is still accepted.
GOOD_FOR = timedelta(days=14)


class MailAction(StrEnum):
    """The action of a button."""

    ACKNOWLEDGE = "acknowledge"
    SNOOZE = "snooze"


@dataclass(frozen=True)
class MailLink:
    """`who` and `deadline`: hashes of the recipient's name and of the deadline's id. `cluster`: as `account/region/name`."""

    action: MailAction
    who: str
    cluster: str
    deadline: str

    @property
    def key(self) -> ClusterKey:
        """The cluster that the link is about. Raises LinkInvalid for a link without one."""
        parts = self.cluster.split("/")
        if len(parts) != 3:
            raise LinkInvalid
        return ClusterKey(*parts)


def deadline_link(action: MailAction, recipient: str, key: ClusterKey, deadline_id: str) -> MailLink:
    """The link with which one recipient answers for a deadline of a cluster."""
    return MailLink(action, hashed(recipient), f"{key.account}/{key.region}/{key.name}", hashed(deadline_id))


def hashed(text: str) -> str:
    """The hash of a case-folded name or id, for a link."""
    return hashlib.sha256(text.casefold().encode()).hexdigest()[:16]


def mail_path(link: MailLink, now: datetime, key: SigningKey) -> str | None:
    """The path below the API's address; None if long names make a link that would be refused."""
    expires_at = int((now + GOOD_FOR).timestamp())
    token = sign_claims(_FORM, [str(link.action), link.who, link.cluster, link.deadline, expires_at], key)
    return f"/mail/{link.action}/{token}" if len(token) < LONGEST else None


def read_mail_link(action: str, token: str, keys: KnownKeys, now: datetime) -> MailLink:
    """The content of a link, which must match its path. Raises LinkInvalid, LinkExpired."""
    (said, *rest), _ = read_claims(_FORM, token, 4, keys, now)
    try:
        link = MailLink(MailAction(said), *rest)
    except ValueError as reason:
        raise LinkInvalid from reason
    if link.action != action:
        raise LinkInvalid
    return link


def mail_buttons(
    api_url: str, recipient: str, key: ClusterKey, deadline_id: str, now: datetime, signing: SigningKey
) -> tuple[Block, ...]:
    """The buttons of a mail: the effect of each, and its link."""
    said = {
        MailAction.ACKNOWLEDGE: (
            Sentence("If you know of it: its mails stop until the last week before it."),
            Sentence("Acknowledge"),
        ),
        MailAction.SNOOZE: (
            Sentence("If it can wait: its mails stop until the next one that matters."),
            Sentence("Snooze"),
        ),
    }
    paths = {action: mail_path(deadline_link(action, recipient, key, deadline_id), now, signing) for action in said}
    return tuple(
        block
        for action, path in paths.items()
        if path is not None
        for block in (para(said[action][0]), Link(f"{api_url}{path}", said[action][1]))
    )
