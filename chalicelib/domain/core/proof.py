"""Proofs that a resource is the lab's: their grades, and a creator as CloudTrail names it. Kept on the ledger."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass


class Proof(StrEnum):
    """The proofs that allow a deletion. None of them can be written by a user (ADR 12)."""

    ANSWER = "answer"
    STACK = "stack"
    AWS = "aws"
    OWN_VPC = "own-vpc"
    CREATOR = "creator"
    SUBDOMAIN = "subdomain"


@dataclass(frozen=True)
class Creator:
    """The creator of a resource. `role_id` (AROA…) and `issuer` (without scheme) are unique; `principal` is only displayed.

    `linked`: a service-linked role, which all share and which proves nothing.
    """

    principal: str
    at: datetime
    role_id: str = ""
    issuer: str = ""
    linked: bool = False
