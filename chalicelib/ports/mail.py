"""The interfaces of mail to people: part of `ports/deps.py`, with the same guarantees."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.errors.tree import AwsRefused, Throttled

if TYPE_CHECKING:
    from chalicelib.domain.core.message import Message, Written
    from chalicelib.domain.notices.mail import Addressee, Mail, MailEvent
    from chalicelib.domain.notices.posts import Post, Waiting


@dataclass(frozen=True)
class Letterhead:
    """A mail in SES's form. `tag`: its record's id. `unsubscribe_url`: for optional mails, else empty."""

    tag: str
    address: str
    subject: str
    text: str
    html: str
    unsubscribe_url: str = ""


class Mailer(Protocol):
    """SES v2, from the installation's sender, with its configuration set."""

    def send(self, letter: Letterhead) -> str:
        """Request once, and return SES's message id.

        Raises Throttled and AwsRefused if SES refused it, AwsUnavailable if that is unknown.
        """

    def troubles(self) -> tuple[str, ...]:
        """Why mail does not reach people here (identity not verified, SES's sandbox, sending paused), a sentence each, with
        the command that fixes it. Empty without any."""


class MailStore(Protocol):
    """Mails by id, and addresses that bounced. Everything is strongly consistent."""

    def mail(self, mail_id: str) -> Mail | None:
        """None if no such mail was begun, or its record has expired (90 days)."""

    def begin_mail(self, mail: Mail, now: datetime) -> tuple[Mail, bool]:
        """Write the record unless SES was called already (`begun`). Return the stored record, and whether it is this one."""

    def change_mail(self, mail_id: str, change: Callable[[Mail], Mail]) -> Mail | None:
        """Load, change, save if unchanged since, else try again. An unchanged mail is not saved. None: no such mail."""

    def bounced_address(self, address: str) -> str | None:
        """Why mail to this address bounced for good, until `forgive_address`; None if it did not."""

    def note_bounced_address(self, address: str, why: str, at: datetime) -> None:
        """Record a bounce of `at`, ignoring case, unless a later bounce is known, or the address was forgiven since."""

    def forgive_address(self, address: str, at: datetime) -> None:
        """Mail reaches it: one arrived at `at`, or its reader confirmed it then. Bounces since are kept. Absent is fine."""

    def forget_address(self, address: str) -> None:
        """Delete the record of a forgotten person's address. Absent is fine."""


class PostStore(Protocol):
    """Posts by id. Everything is strongly consistent."""

    def add_post(self, post: Post) -> None:
        """Store it, unless it is there, pending or sent in the last two days."""

    def waiting(self, most: int | None = None, *, nightly: bool = True) -> Waiting:
        """The oldest `most` pending posts, or all; without `nightly`, only those that the five-minute run sends, too."""

    def post(self, post_id: str) -> Post | None:
        """By id, pending or sent. Raises Unreadable."""

    def change_post(self, post_id: str, change: Callable[[Post], Post]) -> Post | None:
        """Load, change, save if unchanged since, else try again. An unchanged post is not saved. None: no such post."""


@dataclass(frozen=True)
class Mailing:
    """Mail's ports. `addressee_of`: by a recipient's name, None without a confirmed address.

    `render`: messages as one mail in a language, for a reader in a time zone. `events_in`: SES's events in SNS's event to a Lambda,
    None for each untrusted one.
    """

    mailer: Mailer
    store: MailStore
    addressees_of: Callable[[Sequence[str]], Mapping[str, Addressee]]
    render: Callable[[Sequence[Message], str, str], Written]
    events_in: Callable[[Mapping[str, Any]], Iterable[MailEvent | None]]

    def addressee_of(self, name: str) -> Addressee | None:
        """The confirmed address of one recipient."""
        return self.addressees_of([name]).get(name)

    def send(
        self,
        fresh: Mail,
        addressee: Addressee,
        messages: Sequence[Message],
        clock: Callable[[], datetime],
        unsubscribe_url: str = "",
    ) -> Mail | None:
        """Send messages as the mail `fresh`, once: first its record is written, then SES is called, then the result is noted.

        None: it was requested before, and whether SES accepted it is unknown. Raises Throttled and AwsRefused if SES refused it,
        AwsUnavailable if SES did not answer.
        """
        from chalicelib.domain.notices.mail import MailState, accepted, given_back, worst_first

        mail, is_mine = self.store.begin_mail(fresh, fresh.begun_at)
        if not is_mine:
            return None if mail.state is MailState.SENDING else mail
        text = self.render(worst_first(messages), addressee.language, addressee.zone)
        letter = Letterhead(mail.id, mail.address, text.subject, text.text, text.html, unsubscribe_url)
        try:
            message_id = self.mailer.send(letter)
        except (Throttled, AwsRefused):
            self.store.change_mail(mail.id, lambda stored: given_back(stored, fresh.begun_at))
            raise
        sent = clock()
        return self.store.change_mail(mail.id, lambda stored: accepted(stored, message_id, sent)) or mail
