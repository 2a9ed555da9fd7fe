"""The role to assume in each account: registered by administrators, read again every few minutes.

The reading role is registered (`ekslab-member-read`); the names of the one for labs, and CloudFormation's, derive from it.
An unregistered account can't be entered; the error names who can register it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import AccessDenied
from chalicelib.domain.identity.accounts import Registration

_KEPT = timedelta(minutes=2)
#: The suffixes of the member template's role names.
READ, LABS, STACKS = "-read", "-labs", "-stacks"


class MemberRoles:
    """The registry's roles by account. `registrations` is FleetStore.registrations."""

    def __init__(self, registrations: Callable[[], Sequence[Registration]], now: Callable[[], datetime]) -> None:
        self._registrations, self._now = registrations, now
        self._roles: dict[str, str] = {}
        self._read_at: datetime | None = None
        self._lock = threading.Lock()

    def role_of(self, account: str) -> str:
        """The ARN of the reading role. Raises AccessDenied for an unregistered account, and the store's errors."""
        with self._lock:
            now = self._now()
            if self._read_at is None or now - self._read_at > _KEPT or account not in self._roles:
                self._roles = {known.account: known.role_arn for known in self._registrations() if known.role_arn}
                self._read_at = now
            if account not in self._roles:
                message = Sentence(
                    "Account {account} is not registered, so there is no role to assume in it.", account=account
                )
                raise AccessDenied("sts:AssumeRole", "AccountNotRegistered", message)
            return self._roles[account]

    def stack_role_of(self, account: str) -> str:
        """The ARN of the role that CloudFormation uses for labs' stacks there. Raises like `role_of`."""
        return self.role_of(account).removesuffix(READ) + STACKS

    def labs_role_of(self, account: str) -> str:
        """The ARN of the role that creates, changes and deletes labs there. Raises like `role_of`."""
        return self.role_of(account).removesuffix(READ) + LABS
