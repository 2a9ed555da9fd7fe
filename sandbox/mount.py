"""Put the sandbox's parts into the emulator: our EKS, named Lambda errors, faithful EC2 and CloudFormation.

Every part replaces or wraps one service handler *behind* the emulator's IAM enforcement, so that a call to it needs
the same permission as on AWS. Import this only in the sandbox's own process, with its environment already set.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from ministack import app as ministack

from sandbox import cloudformation, ec2, lambda_errors
from sandbox.admin import AsgiApp, Route, with_admin_routes
from sandbox.aws_side import AwsSide
from sandbox.clock import SandboxClock
from sandbox.eks import Eks
from sandbox.settings import Settings


def mounted_app(settings: Settings, url: str) -> AsgiApp:
    """Return the ASGI application of the whole sandbox, listening at `url`."""
    clock = SandboxClock(settings.scale)
    eks = Eks(clock=clock, aws=AwsSide(url), kubernetes=None)
    lambda_errors.install()
    ec2.install(clock)
    cloudformation.install()
    if not settings.real_kubernetes:
        ministack._loaded_modules["eks"] = eks
    return with_admin_routes(ministack.app, _routes(settings, url, clock, eks))


def _routes(settings: Settings, url: str, clock: SandboxClock, eks: Eks) -> dict[tuple[str, str], Route]:
    def health(_: Any) -> Mapping[str, Any]:
        facts = {name: getattr(settings, name) for name in ("region", "account", "scale")}
        return facts | {"url": url, "now": clock.now().isoformat()}

    def set_faults(rules: Any) -> Mapping[str, Any]:
        eks.faults.set_rules(rules or [])
        return {"rules": len(rules or [])}

    def set_clock(change: Any) -> Mapping[str, Any]:
        match change:
            case {"now": str(instant)}:
                clock.set(datetime.fromisoformat(instant))
            case {"advance": int() | float() as seconds}:
                clock.advance(timedelta(seconds=seconds))
            case _:
                raise ValueError('say {"now": "2026-11-26T00:00:00Z"} or {"advance": seconds}')
        return {"now": clock.now().isoformat()}

    return {("GET", "health"): health, ("POST", "faults"): set_faults, ("POST", "clock"): set_clock}
