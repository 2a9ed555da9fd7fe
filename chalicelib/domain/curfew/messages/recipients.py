"""To whom a lab's mails go: the last part of its owner's name, which is how people subscribe."""

from __future__ import annotations

from chalicelib.domain.labs.lab import Lab

#: Who is told where no administrator is named and nobody owns the lab.
NOBODY = "administrators"


def recipient_of(lab: Lab, nobody: str) -> str:
    """The user's or the session's name; `nobody` (the administrators) for an adopted lab whose cluster names no owner."""
    return lab.owner.rpartition("/")[2].rpartition(":")[2] or nobody
