"""Clients for calls that AWS services make in a customer's account, such as EKS creating groups and instances.

They talk to the emulator's own endpoint with the account's root credentials (the emulator takes any twelve digits as
the access key of that account's root). Call them from worker threads only: on the event loop they would deadlock.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar
from typing import Any

import boto3
from botocore.config import Config

from emulator.core.actors import HEADER, Actor

ROOT_SECRET = "test"
_actor: ContextVar[Actor | None] = ContextVar("as whom a client calls", default=None)


class AwsClients:
    """boto3 clients by service, account and region, each made once and shared by all callers."""

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url
        self._session = boto3.session.Session()
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str, account: str, region: str, actor: Actor | None = None) -> Any:
        """Return the boto3 client of this service in this account, with the identity of its root or of an actor."""
        key = (service, account, region)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._new_client(*key)
            client = self._clients[key]
        return client if actor is None else _ActingClient(client, actor)

    def _new_client(self, service: str, account: str, region: str) -> Any:
        client = self._session.client(
            service,
            endpoint_url=self.endpoint_url,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key=ROOT_SECRET,
            config=Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 2}),
        )
        client.meta.events.register("before-call", _say_who_calls)
        return client


class _ActingClient:
    """A client whose calls carry an actor: each node has an actor of its own."""

    def __init__(self, client: Any, actor: Actor) -> None:
        self._client, self._by = client, actor

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if name not in self._client.meta.method_to_api_mapping:
            return found

        def call(**parameters: Any) -> Any:
            token = _actor.set(self._by)
            try:
                return found(**parameters)
            finally:
                _actor.reset(token)

        return call


def _say_who_calls(params: dict[str, Any], **_: Any) -> None:
    if (actor := _actor.get()) is not None:
        params["headers"][HEADER] = actor.header()
