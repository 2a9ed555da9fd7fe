"""Mails in the one table, by the id that goes with each as a tag, and the latest news of addresses that bounced.

| item     | pk                 | sk     | expires_at |
|----------|--------------------|--------|------------|
| mail     | MAIL#<id>          | MAIL   | 90 days    |
| bounced  | ADDRESS#<address>  | BOUNCE |            |
| forgiven | ADDRESS#<address>  | BOUNCE | 90 days    |

`as_of`: the instant of the news. A forgiven address has no `why`; its record keeps late events of an earlier bounce out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.aws.dynamodb.codec import item_of
from chalicelib.aws.dynamodb.keys import Item, expiry, key, number, text
from chalicelib.aws.dynamodb.table import InTable
from chalicelib.domain.core.sentence import from_kept, to_kept
from chalicelib.domain.errors.saving import changed_record, until_saved
from chalicelib.domain.notices.mail import Mail, begun

_KEPT = timedelta(days=90)


class DynamoMails(InTable):
    """Implements the MailStore port."""

    def mail(self, mail_id: str) -> Mail | None:
        return self._table.load(Mail, _mail_key(mail_id))

    def begin_mail(self, mail: Mail, now: datetime) -> tuple[Mail, bool]:
        """Written first and read only if it exists: a new mail is one call. Raises StaleLab."""
        if self._save(mail, None):
            return mail, True

        def attempt() -> tuple[Mail, bool] | None:
            stored = self.mail(mail.id)
            mine = begun(mail, stored, now)
            if mine is None and stored is not None:
                return stored, False
            saved = self._save(mine, stored) if mine else None
            return (saved, True) if saved else None

        return until_saved(f"The mail {mail.id}", attempt)

    def change_mail(self, mail_id: str, change: Callable[[Mail], Mail]) -> Mail | None:
        """Repeats if another writer was first. Raises StaleLab."""
        return changed_record(f"The mail {mail_id}", lambda: self.mail(mail_id), change, self._save)

    def bounced_address(self, address: str) -> str | None:
        item = self._table.get(_address_key(address))
        return None if item is None or "why" not in item else from_kept(json.loads(item["why"]["S"]))

    def note_bounced_address(self, address: str, why: str, at: datetime) -> None:
        words = text(json.dumps(to_kept(why or "bounced")))
        self._hear(address, at, "attribute_not_exists(pk) OR as_of < :as_of", why=words)

    def forgive_address(self, address: str, at: datetime) -> None:
        self._hear(address, at, "as_of <= :as_of", expires_at=expiry(at + _KEPT))

    def forget_address(self, address: str) -> None:
        self._table.delete(_address_key(address))

    def _hear(self, address: str, at: datetime, condition: str, **news: Item) -> None:
        """Replace the news of an address if the condition holds."""
        as_of = number(int(at.timestamp() * 1000))
        item = {**_address_key(address), "as_of": as_of, **news}
        self._table.put_if(item, condition, ExpressionAttributeValues={":as_of": as_of})

    def _save(self, mail: Mail, stored: Mail | None) -> Mail | None:
        """Replace the record that was read; return None if another writer was first."""
        saved = replace(mail, version=stored.version + 1) if stored else mail
        expires_at = expiry(saved.begun_at + _KEPT)
        item = item_of(_mail_key(mail.id), saved, expires_at=expires_at, version=number(saved.version))
        return saved if self._table.put_version(item, stored.version if stored else None) else None


def _mail_key(mail_id: str) -> Item:
    return key(f"MAIL#{mail_id}", "MAIL")


def _address_key(address: str) -> Item:
    return key(f"ADDRESS#{address.casefold()}", "BOUNCE")
