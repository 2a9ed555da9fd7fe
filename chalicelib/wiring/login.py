"""Builds the user pool by which browsers sign in, when it is first asked for something. Part of `wiring/deps.py`."""

from __future__ import annotations

from chalicelib.aws.cognito.user_pool import CognitoUserPool
from chalicelib.aws.system.clock import SystemClock
from chalicelib.settings import Settings
from chalicelib.wiring.clients import BRIEFLY, LazyClient


def user_pool_of(settings: Settings) -> CognitoUserPool:
    """Of an installation with a browser login."""
    login = settings.login
    if login is None:
        raise LookupError("There is no browser login here.")
    client = LazyClient("cognito-idp", settings.region, BRIEFLY)
    return CognitoUserPool(client, login.pool_arn, login.url, SystemClock().now)
