"""The links of a mail that acknowledge or snooze a deadline: signed as a keep-link is (`keep_link.py`).

A link names one person, by a hash of the name, one cluster and one deadline of it, and ends after two weeks.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.message import Block, Link, para
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.keep_link import LONGEST, KnownKeys, SigningKey, read_claims, sign_claims
from chalicelib.domain.errors.tree import LinkInvalid

#: Says how the rest is to be read, and is signed with it: no other link is one of these.
_FORM = "m1"
#: How long a link is good for. Keys are replaced after thirty days, and the one before is still accepted.
GOOD_FOR = timedelta(days=14)


class MailAction(StrEnum):
    """What a button does."""

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
    """The link by which one recipient answers for a deadline of a cluster."""
    return MailLink(action, hashed(recipient), f"{key.account}/{key.region}/{key.name}", hashed(deadline_id))


def hashed(text: str) -> str:
    """A name or an id, in any case of letters, as it stands in a link."""
    return hashlib.sha256(text.casefold().encode()).hexdigest()[:16]


def mail_path(link: MailLink, now: datetime, key: SigningKey) -> str | None:
    """The path below the API's address; None if names are so long that it would be none that is read again."""
    expires_at = int((now + GOOD_FOR).timestamp())
    token = sign_claims(_FORM, [str(link.action), link.who, link.cluster, link.deadline, expires_at], key)
    return f"/mail/{link.action}/{token}" if len(token) < LONGEST else None


def read_mail_link(action: str, token: str, keys: KnownKeys, now: datetime) -> MailLink:
    """What a link says, which must be what its path says. Raises LinkInvalid, LinkExpired."""
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
    """What a mail shows of them: what each does, and the link that does it."""
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
