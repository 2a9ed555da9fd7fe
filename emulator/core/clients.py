"""AWS's own hands: clients for what EKS does in a customer's account by itself, such as making groups and instances.

They talk to the emulator's own endpoint with the account's root credentials (the emulator takes any twelve digits as
the access key of that account's root). Call them from worker threads only: on the event loop they would wait for
themselves.
"""

from __future__ import annotations

import threading
from typing import Any

import boto3
from botocore.config import Config

from emulator.core.actors import HEADER, Actor

ROOT_SECRET = "test"


class AwsClients:
    """boto3 clients by service, account and region, each made once."""

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url
        self._clients: dict[tuple[str, str, str, Actor | None], Any] = {}
        self._lock = threading.Lock()

    def client(self, service: str, account: str, region: str, actor: Actor | None = None) -> Any:
        """Return the boto3 client of this service in this account: as its root, or as what AWS does it as there."""
        key = (service, account, region, actor)
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._new_client(service, account, region, actor)
            return self._clients[key]

    def _new_client(self, service: str, account: str, region: str, actor: Actor | None) -> Any:
        client = boto3.session.Session().client(
            service,
            endpoint_url=self.endpoint_url,
            region_name=region,
            aws_access_key_id=account,
            aws_secret_access_key=ROOT_SECRET,
            config=Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 2}),
        )
        if actor is not None:
            value = actor.header()
            client.meta.events.register("before-call", lambda params, **_: params["headers"].update({HEADER: value}))
        return client
