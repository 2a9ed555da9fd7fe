"""Who answers for a cluster: what its tags say, else its account's registration. Tags are people's own text, so they are cleaned.

Called by the scan. Anyone who may tag may write any of these tags, so that none silences another: whoever a tag names hears,
and the first of the installation's precedence is the owner, who may also act.
Tag keys are compared without case, dashes, underscores or colons: Owner, owner, OwnerContact, owner-contact ...
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from chalicelib.domain.core.names import as_tag_value
from chalicelib.domain.core.recipients import people_in
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.identity.callers import Caller, identity_of

#: Nearest to a person first; what this service writes itself, last: of labs it knows the owner without tags.
OWNER_TAGS = ("ownercontact", "owneremail", "owner", "contact", "maintainer", "ekslabowner")
TEAM_TAGS = ("ekslabteam", "teamcontact", "teamemail", "team", "squad", "costcenter", "costcentre")
#: What people write where they know nobody.
_NOBODY = frozenset({"", "-", "?", "none", "null", "n/a", "na", "tbd", "todo", "unknown", "nobody", "owner", "team"})
_LONGEST = 256


def answerable(
    tags: Mapping[str, str], registration: Registration | None, precedence: tuple[str, ...] = OWNER_TAGS
) -> tuple[str | None, str | None]:
    """The owner and the team, each None where neither tags nor registration name one."""
    plain = _plain(tags)
    owner = _first(plain, precedence) or (cleaned(registration.owner or "") if registration else None)
    owner = people_in(owner)[0] if owner else None
    team = _first(plain, TEAM_TAGS) or (cleaned(registration.team or "") if registration else None)
    return owner, team


def other_owners(tags: Mapping[str, str], owner: str | None) -> tuple[str, ...]:
    """Everyone else whom a tag names as an owner, several in one tag among them: they hear as well. In the usual order, once."""
    plain, known = _plain(tags), {(owner or "").casefold(), as_tag_value(owner or "").casefold()}
    named = (one for name in OWNER_TAGS if (value := plain.get(name)) for one in people_in(value))
    return tuple({value.casefold(): value for value in named if value.casefold() not in known}.values())


def precedence_of(names: Iterable[str]) -> tuple[str, ...]:
    """The owner tags in the order that an installation wants; the rest comes after. Raises ValueError for one that is none."""
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
    """Whether this caller is the owner: by the whole identity, or by a name that was given to them."""
    if not owner:
        return False
    return identity_of(owner).casefold() in {caller.identity.casefold(), (caller.given_name or "").casefold()}


def may_see(caller: Caller, owner: str | None, lab_id: str | None) -> bool:
    """Whether a watched cluster is there for this caller: a lab's for those who see the lab, any other for everyone.

    An owner that was read off a tag has `_` in the place of what tags can't hold.
    """
    if lab_id is None or caller.sees_all:
        return True
    known = owner is not None and (caller.may_see(owner) or owner == as_tag_value(caller.identity))
    return known or answers_for(caller, owner)


def may_change(caller: Caller, owner: str | None) -> bool:
    """Whether this caller may acknowledge, snooze and change the support policy."""
    return caller.is_admin or (answers_for(caller, owner) and not caller.is_viewer)
