"""Mails in the one table, by the id that goes with each as a tag, and addresses that bounced.

| item    | pk                 | sk     | expires_at |
|---------|--------------------|--------|------------|
| mail    | MAIL#<id>          | MAIL   | 90 days    |
| bounced | ADDRESS#<address>  | BOUNCE |            |
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.items import SCHEMA, body_of, thing_of
from chalicelib.aws.dynamodb.keys import Item, key, number, text
from chalicelib.aws.dynamodb.labs.create import get
from chalicelib.aws.dynamodb.transactions import ATTEMPTS
from chalicelib.domain.core.sentence import from_kept, to_kept
from chalicelib.domain.errors.tree import AwsRefused, StaleLab
from chalicelib.domain.notices.mail import Mail, begun

_KEPT = timedelta(days=90)


class DynamoMails:
    """Implements the MailStore port; holds the boto3 `dynamodb` client."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def mail(self, mail_id: str) -> Mail | None:
        """One item."""
        item = get(self._client, self._table, _mail_key(mail_id))
        return None if item is None else thing_of(Mail, item)

    def begin_mail(self, mail: Mail, now: datetime) -> tuple[Mail, bool]:
        """Written first and read only if it is there: a new mail is one call. Raises StaleLab."""
        if self._save(mail, None):
            return mail, True
        for _ in range(ATTEMPTS):
            stored = self.mail(mail.id)
            mine = begun(mail, stored, now)
            if mine is None and stored is not None:
                return stored, False
            if mine is not None and (saved := self._save(mine, stored)):
                return saved, True
        raise StaleLab(f"The mail {mail.id} was saved by others {ATTEMPTS} times in a row.")

    def change_mail(self, mail_id: str, change: Callable[[Mail], Mail]) -> Mail | None:
        """Again when beaten to it. Raises StaleLab."""
        for _ in range(ATTEMPTS):
            stored = self.mail(mail_id)
            if stored is None:
                return None
            changed = change(stored)
            if changed == stored:
                return stored
            if saved := self._save(changed, stored):
                return saved
        raise StaleLab(f"The mail {mail_id} was saved by others {ATTEMPTS} times in a row.")

    def bounced_address(self, address: str) -> str | None:
        """One item."""
        item = get(self._client, self._table, _address_key(address))
        return None if item is None else from_kept(json.loads(item["why"]["S"]))

    def note_bounced_address(self, address: str, why: str) -> None:
        """Write or overwrite."""
        item = {**_address_key(address), "why": text(json.dumps(to_kept(why or "bounced")))}
        with translate("dynamodb:PutItem"):
            self._client.put_item(TableName=self._table, Item=item)

    def forgive_address(self, address: str) -> None:
        """Absent is fine."""
        with translate("dynamodb:DeleteItem"):
            self._client.delete_item(TableName=self._table, Key=_address_key(address))

    def _save(self, mail: Mail, stored: Mail | None) -> Mail | None:
        """Over what was seen; None when someone else was first."""
        saved = replace(mail, version=stored.version + 1) if stored else mail
        expiry = number(int((saved.begun_at + _KEPT).timestamp()))
        item = {**_mail_key(mail.id), "schema": number(SCHEMA), "body": text(body_of(saved)), "expires_at": expiry}
        guard: Item = {"ConditionExpression": "attribute_not_exists(pk)"}
        if stored is not None:
            guard = {"ConditionExpression": "#v = :seen", "ExpressionAttributeNames": {"#v": "version"}}
            guard["ExpressionAttributeValues"] = {":seen": number(stored.version)}
        try:
            with translate("dynamodb:PutItem"):
                self._client.put_item(TableName=self._table, Item={**item, "version": number(saved.version)}, **guard)
        except AwsRefused as refusal:
            if refusal.code != "ConditionalCheckFailedException":
                raise
            return None
        return saved


def _mail_key(mail_id: str) -> Item:
    return key(f"MAIL#{mail_id}", "MAIL")


def _address_key(address: str) -> Item:
    return key(f"ADDRESS#{address.casefold()}", "BOUNCE")
