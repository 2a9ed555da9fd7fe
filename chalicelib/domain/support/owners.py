"""The owner of a watched cluster: from its tags, else from its account's registration. Tag values are cleaned: people type them.

The scan calls it. Anybody with the right to tag may write these tags, so no tag silences another: everyone named in one gets
notices, and the first by the installation's precedence is the owner, who may also act.
Tag keys are compared without case, dashes, underscores or colons: Owner, owner, OwnerContact, owner-contact ...
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from chalicelib.domain.core.names import as_tag_value
from chalicelib.domain.core.recipients import people_in
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.identity.callers import Caller, identity_of

#: Tags for persons first; the service's own tag last, since it knows the owners of labs without tags.
OWNER_TAGS = ("ownercontact", "owneremail", "owner", "contact", "maintainer", "ekslabowner")
TEAM_TAGS = ("ekslabteam", "teamcontact", "teamemail", "team", "squad", "costcenter", "costcentre")
#: Values that name nobody.
_NOBODY = frozenset({"", "-", "?", "none", "null", "n/a", "na", "tbd", "todo", "unknown", "nobody", "owner", "team"})
_LONGEST = 256


def answerable(
    tags: Mapping[str, str], registration: Registration | None, precedence: tuple[str, ...] = OWNER_TAGS
) -> tuple[str | None, str | None]:
    """The owner and the team; None where neither tags nor registration name one."""
    plain = _plain(tags)
    owner = _first(plain, precedence) or (cleaned(registration.owner or "") if registration else None)
    owner = people_in(owner)[0] if owner else None
    team = _first(plain, TEAM_TAGS) or (cleaned(registration.team or "") if registration else None)
    return owner, team


def other_owners(tags: Mapping[str, str], owner: str | None) -> tuple[str, ...]:
    """Everyone else whom an owner tag names, once each, in the order of OWNER_TAGS; one tag may name several. They get notices."""
    plain, known = _plain(tags), {(owner or "").casefold(), as_tag_value(owner or "").casefold()}
    named = (one for name in OWNER_TAGS if (value := plain.get(name)) for one in people_in(value))
    return tuple({value.casefold(): value for value in named if value.casefold() not in known}.values())


def precedence_of(names: Iterable[str]) -> tuple[str, ...]:
    """The owner tags, those that an installation prefers first. Raises ValueError for any other tag."""
    wanted = [_key(name) for name in names]
    if unknown := [name for name in wanted if name not in OWNER_TAGS]:
        raise ValueError(f"OwnerTags: {unknown[0]} is none of {', '.join(OWNER_TAGS)}.")
    return tuple(dict.fromkeys((*wanted, *OWNER_TAGS)))


def cleaned(text: str) -> str | None:
    """One line without control characters, `mailto:` or surrounding blanks; None for words that name nobody."""
    line = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())
    line = re.sub(r"(?i)^([<> \"']|mailto:)+", "", line)[:_LONGEST].rstrip("<> \"'")
    return None if line.lower() in _NOBODY else line


def _plain(tags: Mapping[str, str]) -> Mapping[str, str | None]:
    return {_key(key): cleaned(value) for key, value in sorted(tags.items(), reverse=True)}


def _key(tag: str) -> str:
    return re.sub(r"[^a-z]", "", tag.lower())


def _first(tags: Mapping[str, str | None], names: Iterable[str]) -> str | None:
    return next((value for name in names if (value := tags.get(name))), None)


def answers_for(caller: Caller, owner: str | None) -> bool:
    """Whether this caller is the owner, by the whole identity or by the assigned name."""
    if not owner:
        return False
    return identity_of(owner).casefold() in {caller.identity.casefold(), (caller.given_name or "").casefold()}


def may_see(caller: Caller, owner: str | None, lab_id: str | None) -> bool:
    """Whether this caller sees a watched cluster: a lab's cluster like the lab, any other cluster everyone.

    An owner read from a tag has `_` in place of characters that tag values can't have.
    """
    if lab_id is None or caller.sees_all:
        return True
    known = owner is not None and (caller.may_see(owner) or owner == as_tag_value(caller.identity))
    return known or answers_for(caller, owner)


def may_change(caller: Caller, owner: str | None) -> bool:
    """Whether this caller may acknowledge, snooze and change the support policy."""
    return caller.is_admin or (answers_for(caller, owner) and not caller.is_viewer)
