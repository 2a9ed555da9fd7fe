"""Reads an administrator's roster: rows to people, with each row's faults by row and column. Looks nothing up.

Columns: `iamUser` (a name), `identityCenter` (a user name of IAM Identity Center), `arn`, `address`, `language`, `timeZone`. A row
has at least one identity, and an address. An export (`cells_of`) adds `confirmed` and `since`, which are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, error
from chalicelib.domain.identity.addresses import has_unseen, read_address
from chalicelib.domain.identity.person import Language, Person, identity_key
from chalicelib.domain.identity.user_pools import pool_user
from chalicelib.domain.requests.schedule_input import no_such_zone

MOST_ROWS = 2000
COLUMNS = ("iamUser", "identityCenter", "arn", "address", "language", "timeZone")
#: Columns that only an export has.
PASSED_OVER = ("confirmed", "since")
_NAMING = COLUMNS[:3]
#: Source: IAM's user names, and the session names that Identity Center gives; both are STS's RoleSessionName or narrower.
_NAME = pattern(r"[\w+=,.@-]{1,64}", re.ASCII)
_ARN = pattern(r"arn:aws[a-z-]*:(iam::\d{12}:user|sts::\d{12}:assumed-role)/[\x21-\x7e]{1,200}", re.ASCII)
_LONGEST = 300


@dataclass(frozen=True)
class Row:
    """One valid row. `where`: its position for the writer. `language`, `zone`: None if not given."""

    where: str
    identities: tuple[str, ...]
    address: str
    language: Language | None = None
    zone: str | None = None

    @property
    def keys(self) -> frozenset[str]:
        """The keys of its identities and address."""
        return frozenset(map(identity_key, self.identities))


@dataclass(frozen=True)
class RosterRules:
    """`account`, `partition`: for names that are no ARNs. `zones`: the known time zones."""

    account: str
    partition: str
    zones: frozenset[str]


def cells_of(person: Person, rules: RosterRules) -> dict[str, str] | None:
    """The row that reads as this person, with the first identity of each column; None for a person whom no row can hold.

    A row holds no person without an address, and no identity that is in none of its columns.
    """
    address = person.address or person.asked
    named: dict[str, str] = {}
    for identity in person.identities:
        column, cell = _cell(identity, rules)
        named.setdefault(column, cell)
    named.pop("", None)
    if address is None or not named:
        return None
    return {**named, "address": address, "language": str(person.language or ""), "timeZone": person.zone or ""}


def _cell(identity: str, rules: RosterRules) -> tuple[str, str]:
    """The column of an identity and its cell there. A name stands for an identity only if it is read as the same one."""
    name = identity.rpartition("/")[2]
    for column, form in _forms(rules).items():
        if _NAME.fullmatch(name) and identity_key(form.format(name)) == identity_key(identity):
            return column, name
    return ("arn", identity) if _is_arn(identity) else ("", "")


def read_rows(
    rows: Sequence[tuple[str, Mapping[str, str]]], rules: RosterRules
) -> tuple[tuple[Row, ...], tuple[Finding, ...]]:
    """The valid rows by position, and the faults of all."""
    found: list[Finding] = []
    read = [_row(where, cells, rules, found) for where, cells in rows]
    right = tuple(row for row in read if row is not None)
    return right, (*found, *_twice(right))


def _row(where: str, cells: Mapping[str, str], rules: RosterRules, found: list[Finding]) -> Row | None:
    wrong = len(found)
    found += [
        error(f"{where}, {name}", "unseen-character", "It holds a character that nobody sees, such as a line break.")
        for name, text in cells.items()
        if has_unseen(text)
    ]
    found += [
        error(f"{where}, {name}", "too-long", "A cell has at most {longest} characters.", longest=_LONGEST)
        for name, text in cells.items()
        if len(text) > _LONGEST
    ]
    if len(found) > wrong:
        return None
    plain = {name: text.strip() for name, text in cells.items()}
    identities = tuple(_identities(where, plain, rules, found))
    address, why = read_address(plain.get("address", ""))
    if address is None:
        message = why if plain.get("address") else Sentence("It is empty: where is mail to reach them?")
        found.append(error(f"{where}, address", "invalid-address", message))
    language, zone = _language(where, plain, found), _zone(where, plain, rules, found)
    return Row(where, identities, address, language, zone) if address and len(found) == wrong else None


def _identities(where: str, cells: Mapping[str, str], rules: RosterRules, found: list[Finding]) -> Iterator[str]:
    for column, form in _forms(rules).items():
        name = cells.get(column, "")
        if name and not _NAME.fullmatch(name):
            found.append(
                error(f"{where}, {column}", "invalid-name", "{name} is no name that AWS gives.", name=name[:60])
            )
        elif name:
            yield form.format(name)
    arn = cells.get("arn", "")
    if arn and not _is_arn(arn):
        message = Sentence(
            "An ARN here is that of an IAM user, of a user pool's user, or of a session: "
            "`arn:aws:sts::<account>:assumed-role/<role>/<session>`."
        )
        found.append(error(f"{where}, arn", "invalid-arn", message))
    elif arn:
        yield arn
    if not any(cells.get(column) for column in _NAMING):
        found.append(error(f"{where}, iamUser", "missing", "Name one of {names}.", names=", ".join(_NAMING)))


def _forms(rules: RosterRules) -> dict[str, str]:
    """The identity of a name, by its column."""
    return {
        "iamUser": f"arn:{rules.partition}:iam::{rules.account}:user/{{}}",
        "identityCenter": f"arn:{rules.partition}:sts::{rules.account}:directory/{{}}",
    }


def _is_arn(text: str) -> bool:
    return _ARN.fullmatch(text) is not None or pool_user(text) is not None


def _language(where: str, cells: Mapping[str, str], found: list[Finding]) -> Language | None:
    text = cells.get("language", "").lower()
    if text and text not in tuple(Language):
        found.append(
            error(f"{where}, language", "unknown-language", "Languages are {names}.", names=", ".join(Language))
        )
        return None
    return Language(text) if text else None


def _zone(where: str, cells: Mapping[str, str], rules: RosterRules, found: list[Finding]) -> str | None:
    text = cells.get("timeZone", "")
    if not text or text in rules.zones:
        return text or None
    found.append(error(f"{where}, timeZone", "unknown-time-zone", no_such_zone(text)))
    return None


def _twice(rows: Sequence[Row]) -> Iterator[Finding]:
    """Errors for two rows with the same identity, or the same address."""
    first: dict[str, str] = {}
    for row in rows:
        for key in (*sorted(row.keys), f"address/{row.address.lower()}"):
            if key in first:
                what = Sentence("address") if key.startswith("address/") else Sentence("identity")
                shown = key.partition("/")[2]
                message = Sentence(
                    "{shown} is in {row} already: one {what} is one person's, in one row.",
                    shown=shown,
                    row=first[key],
                    what=what,
                )
                yield error(f"{row.where}, {what}", "duplicate", message)
            else:
                first[key] = row.where
