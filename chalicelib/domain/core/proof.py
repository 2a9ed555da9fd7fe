"""How it is known that a thing is the lab's: the grades of proof, and a creator as CloudTrail names it. Kept on the ledger."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass


class Proof(StrEnum):
    """What lets a thing be deleted. Nothing that a user can write is among these (ADR 12)."""

    ANSWER = "answer"
    STACK = "stack"
    AWS = "aws"
    OWN_VPC = "own-vpc"
    CREATOR = "creator"
    SUBDOMAIN = "subdomain"


@dataclass(frozen=True)
class Creator:
    """Who asked AWS for a thing. `role_id` (AROA…) and `issuer` (without scheme) are unique; `principal` is only told.

    `linked`: a service-linked role, which is everybody's and never proves.
    """

    principal: str
    at: datetime
    role_id: str = ""
    issuer: str = ""
    linked: bool = False
