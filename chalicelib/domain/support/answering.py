"""Who may see and change what is kept of a cluster: administrators, and whoever its tags or registration name as its owner.

Owners are texts that people wrote (a mail address, a user's name, an ARN), callers are ARNs: they meet here and nowhere
else. A bare name is enough only where the caller could not choose it: IAM gave it to a user, Identity Center to a session.
"""

from __future__ import annotations

from chalicelib.domain.core.names import as_tag_value
from chalicelib.domain.identity.callers import Caller, identity_of


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
