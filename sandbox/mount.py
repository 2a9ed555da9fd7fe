"""Put the sandbox's parts into the emulator: our EKS, named Lambda errors, faithful EC2 and CloudFormation.

Every part replaces or wraps one service handler *behind* the emulator's IAM enforcement, so that a call to it needs
the same permission as on AWS. Import this only in the sandbox's own process, with its environment already set.
"""

from collections.abc import Mapping
from typing import Any

from ministack import app as ministack

from sandbox import lambda_errors
from sandbox.admin import AsgiApp, Route, with_admin_routes
from sandbox.settings import Settings


def mounted_app(settings: Settings, url: str) -> AsgiApp:
    """Return the ASGI application of the whole sandbox, listening at `url`."""
    lambda_errors.install()
    routes: dict[tuple[str, str], Route] = {("GET", "health"): lambda _: _health(settings, url)}
    return with_admin_routes(ministack.app, routes)


def _health(settings: Settings, url: str) -> Mapping[str, Any]:
    return {"url": url, "region": settings.region, "account": settings.account, "scale": settings.scale}
