"""Reads external-dns' TXT registry: the owner of each record of a zone. Pure.

Beside every record external-dns writes a TXT record that names the owner id. Older versions give it the record's own
name; newer ones prefix the record's type: `a-app.example.com`, `cname-app.example.com` (also for
an alias to a load balancer). A name with a new one is judged by the new ones only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from chalicelib.domain.core.deferred import dataclass, pattern

#: The types that external-dns creates, in its spelling.
MADE_TYPES = ("A", "AAAA", "CNAME", "MX", "NS", "SRV", "NAPTR")
_OWNER = pattern(r"^heritage=external-dns,(?:.*,)?external-dns/owner=([^,]+)(?:,|$)")


@dataclass(frozen=True)
class ZoneRecord:
    """One record set: its absolute name, type, set identifier (or empty), TXT values, and whether it is an alias."""

    name: str
    type: str
    set_id: str = ""
    values: tuple[str, ...] = ()
    is_alias: bool = False


def record_id(zone_id: str, record: ZoneRecord) -> str:
    """`<zone id>|<name>|<type>`, with `|<set identifier>` where the record has one."""
    return "|".join([zone_id, record.name, record.type, *([record.set_id] if record.set_id else [])])


def record_arn(partition: str, record_id: str) -> str:
    """Route 53 gives records no ARN: this one is unique over all zones."""
    return f"arn:{partition}:route53:::hostedzone/{record_id.replace('|', '/')}"


def owner_in(values: Iterable[str]) -> str | None:
    """The one owner id that TXT values name; None if they name none, or do not agree."""
    found = {match.group(1) for value in values if (match := _OWNER.match(_text(value)))}
    return found.pop() if len(found) == 1 else None


def owners(records: Iterable[ZoneRecord]) -> Mapping[ZoneRecord, str]:
    """The owner of every record whose owner is certain: the TXT records themselves, and the records they describe."""
    every = tuple(records)
    registry = {(r.name, r.set_id): owner for r in every if r.type == "TXT" and (owner := owner_in(r.values))}
    certain = {r: owner for r in every if r.type == "TXT" and (owner := owner_in(r.values))}
    for record in every:
        owner = _owner_of(record, registry) if record.type in MADE_TYPES else None
        if owner is not None:
            certain[record] = owner
    return certain


def spoken_for(txt: ZoneRecord, records: Iterable[ZoneRecord]) -> tuple[ZoneRecord, ...]:
    """The records that this TXT record may describe: they must be deleted before it."""
    names = {(name, record) for record in records for name in (record.name, *_new_names(record))}
    return tuple(
        record
        for name, record in names
        if name == txt.name and record.set_id == txt.set_id and record.type in MADE_TYPES
    )


def is_below(name: str, subdomain: str | None) -> bool:
    """Whether a record lies inside a subdomain; its apex does not."""
    return subdomain is not None and _bare(name).endswith(f".{_bare(subdomain)}")


def overlap(one: str, other: str) -> bool:
    """Whether two domains are the same, or one lies inside the other."""
    return _bare(one) == _bare(other) or is_below(one, other) or is_below(other, one)


def _bare(name: str) -> str:
    return name.rstrip(".").lower()


def _owner_of(record: ZoneRecord, registry: Mapping[tuple[str, str], str]) -> str | None:
    news = {
        name for kind in MADE_TYPES for name in [f"{kind.lower()}-{record.name}"] if (name, record.set_id) in registry
    }
    if not news:
        return registry.get((record.name, record.set_id))
    said = {registry[name, record.set_id] for name in _new_names(record) if name in news}
    return said.pop() if len(said) == 1 else None


def _new_names(record: ZoneRecord) -> tuple[str, ...]:
    """The names that a newer TXT record for this one may have."""
    own = f"{record.type.lower()}-{record.name}"
    return (own, f"cname-{record.name}") if record.is_alias else (own,)


def _text(value: str) -> str:
    """The text of a TXT value: its quoted pieces joined, Route 53's escapes undone."""
    pieces = re.findall(r'"((?:[^"\\]|\\.)*)"', value) or [value]
    joined = "".join(pieces)
    return re.sub(r"\\([0-7]{3}|.)", lambda m: chr(int(m[1], 8)) if len(m[1]) == 3 else m[1], joined)
