"""SES in memory: sent mails with their events, and the records of mails.

`account.fail("send_mail", …)` and `account.lose_answer(…)` are crashes before and after SES took it. `outcomes`: by address,
the result of its mails (`bounce`, `soft-bounce`, `complaint`, `silence`; `refused`: SES rejects them; delivered otherwise).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.domain.errors.tree import AwsRefused
from chalicelib.domain.notices.mail import Addressee, Mail, MailEvent, MailEventKind, begun
from chalicelib.ports.mail import Letterhead, Mailing
from chalicelib.words.letters import written
from tests.fakes.account import Account, port
from tests.fakes.world import FakeWorld

_KINDS = {
    "bounce": (MailEventKind.SENT, MailEventKind.REFUSED),
    "soft-bounce": (MailEventKind.SENT, MailEventKind.DELAYED_FOR_GOOD),
    "complaint": (MailEventKind.SENT, MailEventKind.DELIVERED, MailEventKind.REFUSED),
    "silence": (MailEventKind.SENT,),
    "delivery": (MailEventKind.SENT, MailEventKind.DELIVERED),
}


def not_verified(identity: str) -> AwsRefused:
    """SES's sandbox error for a sender or recipient that is not verified."""
    words = "Email address is not verified. The following identities failed the check in region AP-NORTHEAST-2: "
    return AwsRefused("ses:SendEmail", "MessageRejected", words + identity)


@dataclass
class FakeMailer:
    """Implements the Mailer port. `sent`: in order, each with SES's id; `trouble`: from `troubles`."""

    account: Account
    sent: list[tuple[str, Letterhead]] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=dict)
    trouble: tuple[str, ...] = ()
    asked: int = 0
    port_name: str = "mailer"

    def send(self, letter: Letterhead) -> str:
        self.asked += 1
        return self._take(letter)

    @port
    def _take(self, letter: Letterhead) -> str:
        if self.outcomes.get(letter.address) == "refused":
            raise not_verified(letter.address)
        self.sent.append((f"ses-{len(self.sent) + 1}", letter))
        return self.sent[-1][0]

    def troubles(self) -> tuple[str, ...]:
        return self.trouble

    def to(self, address: str) -> list[Letterhead]:
        return [letter for _, letter in self.sent if letter.address == address]

    def events(self, at: datetime) -> Iterator[MailEvent]:
        """All of SES's events about sent mails so far, in order."""
        for message_id, letter in self.sent:
            for kind in _KINDS[self.outcomes.get(letter.address, "delivery")]:
                why = "the mail server refused it" if "REFUSED" in kind.name or "DELAYED" in kind.name else ""
                addresses = () if kind is MailEventKind.SENT else (letter.address,)
                yield MailEvent(letter.tag, message_id, kind, addresses, at, why)


@dataclass
class FakeMailStore:
    """Implements the MailStore port."""

    account: Account
    mails: dict[str, Mail] = field(default_factory=dict)
    bounced: dict[str, str] = field(default_factory=dict)
    as_of: dict[str, datetime] = field(default_factory=dict)
    port_name: str = "mail_store"

    @port
    def mail(self, mail_id: str) -> Mail | None:
        return self.mails.get(mail_id)

    @port
    def begin_mail(self, mail: Mail, now: datetime) -> tuple[Mail, bool]:
        stored = self.mails.get(mail.id)
        mine = begun(mail, stored, now)
        if mine is None and stored is not None:
            return stored, False
        self.mails[mail.id] = saved = replace(mail, version=stored.version + 1) if stored else mail
        return saved, True

    @port
    def change_mail(self, mail_id: str, change: Callable[[Mail], Mail]) -> Mail | None:
        stored = self.mails.get(mail_id)
        if stored is None:
            return None
        changed = change(stored)
        if changed != stored:
            self.mails[mail_id] = changed = replace(changed, version=stored.version + 1)
        return changed

    @port
    def bounced_address(self, address: str) -> str | None:
        return self.bounced.get(address.casefold())

    @port
    def note_bounced_address(self, address: str, why: str, at: datetime) -> None:
        folded = address.casefold()
        if folded not in self.as_of or self.as_of[folded] < at:
            self.bounced[folded], self.as_of[folded] = why, at

    @port
    def forgive_address(self, address: str, at: datetime) -> None:
        folded = address.casefold()
        if folded in self.as_of and self.as_of[folded] <= at:
            self.bounced.pop(folded, None)
            self.as_of[folded] = at

    @port
    def forget_address(self, address: str) -> None:
        self.bounced.pop(address.casefold(), None)
        self.as_of.pop(address.casefold(), None)


@dataclass
class FakeMailing:
    """`addresses`: people's, by the recipient's name or ARN; `muted` and `languages`: theirs, by address; `looked_up`: the
    number of look-ups.
    """

    mailer: FakeMailer
    store: FakeMailStore
    addresses: dict[str, str]
    muted: dict[str, tuple[str, ...]] = field(default_factory=dict)
    languages: dict[str, str] = field(default_factory=dict)
    looked_up: int = 0

    def addressees_of(self, names: Sequence[str]) -> Mapping[str, Addressee]:
        self.looked_up += 1
        return {name: self._addressee(self.addresses[name]) for name in names if name in self.addresses}

    def _addressee(self, address: str) -> Addressee:
        language, muted = self.languages.get(address, "en"), self.muted.get(address, ())
        return Addressee(address, language, person=f"person-of-{address}", muted=muted)


def with_mail(world: FakeWorld, addresses: dict[str, str]) -> FakeMailing:
    """Enable mail to these people in a world."""
    fake = FakeMailing(FakeMailer(world.account), FakeMailStore(world.account), addresses)
    mailing = Mailing(fake.mailer, fake.store, fake.addressees_of, written, lambda _: ())
    world.deps = replace(world.deps, mail=mailing)
    return fake
