"""Clients for every account, made lazily: with the service's own role at home, with the registered role elsewhere.

Part of `wiring/deps.py`. A client calls AWS only when first used.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.config import Config

from chalicelib.aws.clients.assumed_roles import AssumedClient, AssumedClients, AssumedSession
from chalicelib.aws.kubernetes.token import ClusterTokens
from chalicelib.aws.system.clock import SystemClock
from chalicelib.settings import Settings, load_settings

if TYPE_CHECKING:
    from chalicelib.aws.clients.registered_roles import MemberRoles
    from chalicelib.aws.dynamodb.support.store import DynamoFleetStore

#: Adaptive retries relieve a throttled account; short timeouts leave a Lambda time to report; a scan has a connection a thread.
CONFIG = Config(
    retries={"mode": "adaptive", "max_attempts": 6}, connect_timeout=5, read_timeout=25, max_pool_connections=20
)


#: For optional reads: no lab's night waits for a price.
BRIEFLY = Config(retries={"mode": "standard", "max_attempts": 2}, connect_timeout=2, read_timeout=5)
#: Several threads may use a client at once, but only one may create it.
_MAKING = threading.Lock()


class LazyClient:
    """A client of AWS that is created when first used."""

    def __init__(self, service: str, region: str, config: Config = CONFIG) -> None:
        self._service, self._region, self._config = service, region, config
        self._client: Any = None

    def __getattr__(self, name: str) -> Any:
        with _MAKING:
            if self._client is None:
                self._client = _session().create_client(self._service, region_name=self._region, config=self._config)
        return getattr(self._client, name)


@cache
def _session() -> Any:
    """The one session: it reads credentials and models once. Plain botocore, which loads faster than boto3."""
    return botocore.session.get_session()


@cache
def get_settings() -> Settings:
    """The settings of this process."""
    return load_settings()


@cache
def client(account: str, region: str, service: str, role_arn: str | None = None) -> LazyClient | AssumedClient:
    """A client of the service's own account, else of this function's role in the account (or of `role_arn`)."""
    if role_arn is None and _is_home(account):
        return LazyClient(service, region)
    role = partial(_own_role, account) if role_arn is None else lambda: role_arn
    return _assumed().of(role, service, region)


def tokens(account: str, region: str) -> ClusterTokens:
    """Creates tokens for clusters of an account."""
    role = partial(_own_role, account)
    return ClusterTokens(_session() if _is_home(account) else AssumedSession(_assumed(), role), region)


def view_tokens(account: str, region: str) -> ClusterTokens:
    """Creates tokens of the read-only role for clusters of an account."""
    return ClusterTokens(AssumedSession(_assumed(), partial(view_role, account)), region)


def view_role(account: str) -> str:
    """The ARN of the role that labs' clusters let read: one without AWS permissions at home, the registered one elsewhere.

    Raises AccessDenied if there is none.
    """
    return get_settings().lab_view_role_arn if _is_home(account) else _member_roles().role_of(account)


def stack_role(account: str) -> str:
    """The ARN of the role that CloudFormation uses for labs' stacks. Raises AccessDenied if there is none."""
    return get_settings().lab_stack_role_arn if _is_home(account) else _member_roles().stack_role_of(account)


def _own_role(account: str) -> str:
    """The ARN of the role that this function assumes in a member account: the reading one, or the one that creates labs."""
    roles = _member_roles()
    return roles.labs_role_of(account) if get_settings().member_role == "labs" else roles.role_of(account)


def _is_home(account: str) -> bool:
    return account == get_settings().account


@cache
def _assumed() -> AssumedClients:
    settings = get_settings()
    sts = LazyClient("sts", settings.region)
    return AssumedClients(sts, _assumed_client, SystemClock().now, settings.external_id, settings.session_policy)


@cache
def _member_roles() -> MemberRoles:
    from chalicelib.aws.clients.registered_roles import MemberRoles

    return MemberRoles(fleet_store().registrations, SystemClock().now)


@cache
def fleet_store() -> DynamoFleetStore:
    """The registry and the fleet of this process."""
    from chalicelib.aws.dynamodb.support.store import DynamoFleetStore

    settings = get_settings()
    return DynamoFleetStore(LazyClient("dynamodb", settings.region), settings.table)


def _assumed_client(service: str, region: str, credentials: Mapping[str, Any]) -> Any:
    with _MAKING:
        return _session().create_client(
            service,
            region_name=region,
            config=CONFIG,
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )
