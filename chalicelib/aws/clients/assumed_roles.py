"""Clients of other accounts: one assumed role each, renewed before it expires or when AWS rejects its credentials.

A client is created at its first call, so building the adapters over it is cheap, and a role that can't be assumed shows
where it is used, as an error of `sts:AssumeRole` in AWS's words.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.credentials import Credentials

from chalicelib.aws.clients.calls import call
from chalicelib.aws.clients.errors import STALE

SESSION_NAME = "ekslab"
#: Credentials this near their expiry are no longer used.
_MARGIN = timedelta(minutes=5)

#: Creates a boto3 client from a service, a region and sts:AssumeRole's `Credentials`.
NewClient = Callable[[str, str, Mapping[str, Any]], Any]
#: The ARN of the role to assume, read at every use. May raise the registry's errors.
Role = Callable[[], str]


class AssumedClients:
    """Clients by role, service and region. `external_id` is passed with every role, if configured.

    `session_policy` is the ARN of a managed policy that limits the role's permissions in our sessions.
    """

    def __init__(
        self,
        sts: Any,
        new_client: NewClient,
        now: Callable[[], datetime],
        external_id: str | None = None,
        session_policy: str | None = None,
    ) -> None:
        self._sts, self._new_client, self._now = sts, new_client, now
        self._extra: dict[str, Any] = {"ExternalId": external_id} if external_id else {}
        if session_policy:
            self._extra["PolicyArns"] = [{"arn": session_policy}]
        self._credentials: dict[str, Mapping[str, Any]] = {}
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._lock = threading.RLock()

    def of(self, role: Role, service: str, region: str) -> AssumedClient:
        """A client that assumes the role when it is first called."""
        return AssumedClient(self, role, service, region)

    def current(self, role_arn: str, service: str, region: str) -> Any:
        """The currently valid client. Raises AccessDenied and other errors of sts:AssumeRole."""
        with self._lock:
            credentials = self.credentials(role_arn)
            known = (role_arn, service, region)
            if known not in self._clients:
                made = self._new_client(service, region, credentials)
                made.meta.events.register("after-call", self._minding(role_arn, credentials))
                self._clients[known] = made
            return self._clients[known]

    def credentials(self, role_arn: str) -> Mapping[str, Any]:
        """The role's credentials, valid for some minutes at least. Raises AccessDenied and other errors of sts:AssumeRole."""
        with self._lock:
            held = self._credentials.get(role_arn)
            if held is None or held["Expiration"].astimezone(UTC) - _MARGIN <= self._now():
                self._forget(role_arn)
                answer = call(
                    self._sts, "sts:AssumeRole", RoleArn=role_arn, RoleSessionName=SESSION_NAME, **self._extra
                )
                self._credentials[role_arn] = answer["Credentials"]
            return self._credentials[role_arn]

    def _minding(self, role_arn: str, credentials: Mapping[str, Any]) -> Callable[..., None]:
        """Botocore's event handler that drops credentials which AWS calls stale, so that the retry gets new ones."""

        def after_call(parsed: Mapping[str, Any], **_event: Any) -> None:
            if parsed.get("Error", {}).get("Code") in STALE:
                with self._lock:
                    if self._credentials.get(role_arn) is credentials:
                        self._forget(role_arn)

        return after_call

    def _forget(self, role_arn: str) -> None:
        self._credentials.pop(role_arn, None)
        self._clients = {known: client for known, client in self._clients.items() if known[0] != role_arn}


class AssumedClient:
    """Stands in for the boto3 client of one service."""

    def __init__(self, clients: AssumedClients, role: Role, service: str, region: str) -> None:
        self._clients, self._role, self._which = clients, role, (service, region)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clients.current(self._role(), *self._which), name)


class AssumedSession:
    """Stands in for a boto3 session's credentials, with which tokens for clusters are signed."""

    def __init__(self, clients: AssumedClients, role: Role) -> None:
        self._clients, self._role = clients, role

    def get_credentials(self) -> Credentials:
        """The currently valid ones. Raises AccessDenied."""
        held = self._clients.credentials(self._role())
        return Credentials(held["AccessKeyId"], held["SecretAccessKey"], held["SessionToken"])
