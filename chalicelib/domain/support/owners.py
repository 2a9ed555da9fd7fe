"""Who answers for a cluster: what its tags say, else its account's registration. Tags are people's own text, so they are cleaned.

Called by the scan. Tag keys are compared without case, dashes, underscores or colons: Owner, owner, OwnerContact, owner-contact ...
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from chalicelib.domain.identity.accounts import Registration

#: Nearest to a person first.
OWNER_TAGS = ("ekslabowner", "ownercontact", "owneremail", "owner", "contact", "maintainer")
TEAM_TAGS = ("ekslabteam", "teamcontact", "teamemail", "team", "squad", "costcenter", "costcentre")
#: What people write where they know nobody.
_NOBODY = frozenset({"", "-", "?", "none", "null", "n/a", "na", "tbd", "todo", "unknown", "nobody", "owner", "team"})
_LONGEST = 256


def answerable(tags: Mapping[str, str], registration: Registration | None) -> tuple[str | None, str | None]:
    """The owner and the team, each None where neither tags nor registration name one."""
    plain = {_key(key): cleaned(value) for key, value in sorted(tags.items(), reverse=True)}
    owner = _first(plain, OWNER_TAGS) or (cleaned(registration.owner or "") if registration else None)
    team = _first(plain, TEAM_TAGS) or (cleaned(registration.team or "") if registration else None)
    return owner, team


def cleaned(text: str) -> str | None:
    """One line without control characters, `mailto:` or surrounding blanks; None for words that name nobody."""
    line = " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", text).split())
    line = re.sub(r"(?i)^([<> \"']|mailto:)+", "", line)[:_LONGEST].rstrip("<> \"'")
    return None if line.lower() in _NOBODY else line


def _key(tag: str) -> str:
    return re.sub(r"[^a-z]", "", tag.lower())


def _first(tags: Mapping[str, str | None], names: Iterable[str]) -> str | None:
    return next((value for name in names if (value := tags.get(name))), None)
