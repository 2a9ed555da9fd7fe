"""Clients of other accounts: one role assumed for each, renewed before it ends.

A client is made at its first call, so building the adapters over it is cheap and a role that can't be assumed is found
where it is used, as an error of `sts:AssumeRole` in AWS's words.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.aws.errors import translate

SESSION_NAME = "ekslab-watch"
#: Credentials this near their end are not used any more.
_MARGIN = timedelta(minutes=5)

#: Makes a boto3 client from a service, a region and sts:AssumeRole's `Credentials`.
NewClient = Callable[[str, str, Mapping[str, Any]], Any]


class AssumedClients:
    """Clients by role, service and region. `external_id` is said to every role, where one is configured."""

    def __init__(
        self, sts: Any, new_client: NewClient, now: Callable[[], datetime], external_id: str | None = None
    ) -> None:
        self._sts, self._new_client, self._now = sts, new_client, now
        self._extra = {"ExternalId": external_id} if external_id else {}
        self._credentials: dict[str, Mapping[str, Any]] = {}
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._lock = threading.RLock()

    def of(self, role_arn: str, service: str, region: str) -> AssumedClient:
        """A client that assumes the role when it is first called."""
        return AssumedClient(self, role_arn, service, region)

    def current(self, role_arn: str, service: str, region: str) -> Any:
        """The client as it is good for now. Raises AccessDenied and what else sts:AssumeRole says."""
        with self._lock:
            self._renew(role_arn)
            known = (role_arn, service, region)
            if known not in self._clients:
                self._clients[known] = self._new_client(service, region, self._credentials[role_arn])
            return self._clients[known]

    def _renew(self, role_arn: str) -> None:
        held = self._credentials.get(role_arn)
        if held and held["Expiration"].astimezone(UTC) - _MARGIN > self._now():
            return
        with translate("sts:AssumeRole"):
            answer = self._sts.assume_role(RoleArn=role_arn, RoleSessionName=SESSION_NAME, **self._extra)
        self._credentials[role_arn] = answer["Credentials"]
        self._clients = {known: client for known, client in self._clients.items() if known[0] != role_arn}


class AssumedClient:
    """Looks like the boto3 client of one service."""

    def __init__(self, clients: AssumedClients, role_arn: str, service: str, region: str) -> None:
        self._clients, self._which = clients, (role_arn, service, region)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clients.current(*self._which), name)
