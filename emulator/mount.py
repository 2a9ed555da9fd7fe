"""Put the sandbox's parts into the emulator: our EKS, named Lambda errors, faithful EC2 and CloudFormation.

Every part replaces or wraps one service handler *behind* the emulator's IAM enforcement, so that a call to it needs
the same permission as on AWS. Import this only in the sandbox's own process, with its environment already set.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from ministack import app as ministack

from emulator import bill, cloudformation, cloudwatch, ec2
from emulator.clients import AwsSide
from emulator.clock import SandboxClock
from emulator.eks import Eks
from emulator.eks.clusters.found import found_from, instant, put_found
from emulator.eks.clusters.insights import put_insights
from emulator.eks.kubernetes import KubernetesServers
from emulator.iam import enforcement, requests
from emulator.lambdas import errors, service
from emulator.services import price_list, quotas, ssm_parameters, step_functions, tagging
from emulator.settings import Settings
from sandbox.admin_routes import AsgiApp, Route, with_admin_routes


def mounted_app(settings: Settings, url: str) -> AsgiApp:
    """Return the ASGI application of the whole sandbox, listening at `url`."""
    clock = SandboxClock(settings.scale)
    kubernetes = KubernetesServers()
    eks = Eks(clock=clock, aws=AwsSide(url), kubernetes=kubernetes)
    errors.install()
    service.install()
    step_functions.install()
    ec2.install(clock)
    cloudformation.install()
    ssm_parameters.install()
    quotas.install()
    price_list.install()
    tagging.install(eks)
    activities = cloudwatch.Activities(clock, eks.world)
    cloudwatch.install(activities, eks.faults)
    if not settings.real_kubernetes:
        ministack._loaded_modules["eks"] = eks
    enforcement.install()
    requests.install()
    bill.install()
    return with_admin_routes(ministack.app, _routes(settings, url, clock, eks, kubernetes, activities))


def _routes(
    settings: Settings,
    url: str,
    clock: SandboxClock,
    eks: Eks,
    kubernetes: KubernetesServers,
    activities: cloudwatch.Activities,
) -> dict[tuple[str, str], Route]:
    def health(_: Any) -> Mapping[str, Any]:
        facts = {name: getattr(settings, name) for name in ("region", "account", "scale")}
        return facts | {"url": url, "now": clock.now().isoformat()}

    def set_faults(rules: Any) -> Mapping[str, Any]:
        eks.faults.set_rules(rules or [])
        return {"rules": len(rules or [])}

    def add_faults(rules: Any) -> Mapping[str, Any]:
        for rule in rules or []:
            eks.faults.add(rule)
        return {"added": len(rules or [])}

    def set_clock(change: Any) -> Mapping[str, Any]:
        match change:
            case {"now": str(instant)}:
                clock.set(datetime.fromisoformat(instant))
            case {"advance": int() | float() as seconds}:
                clock.advance(timedelta(seconds=seconds))
            case _:
                raise ValueError('say {"now": "2026-11-26T00:00:00Z"} or {"advance": seconds}')
        return {"now": clock.now().isoformat()}

    def put_object(given: Any) -> Mapping[str, Any]:
        match given:
            case {"cluster": str(cluster), "plural": str(plural), "object": dict(found)}:
                account, region = given.get("account", settings.account), given.get("region", settings.region)
                return kubernetes.put(account, region, cluster, plural, found, given.get("owns", ()))
        raise ValueError('say {"cluster": name, "plural": "services", "object": {...}, "owns": [...]}')

    return {
        ("GET", "health"): health,
        ("POST", "kubernetes"): put_object,
        ("POST", "faults"): set_faults,
        ("PATCH", "faults"): add_faults,
        ("POST", "clock"): set_clock,
        ("POST", "activity"): partial(_set_activity, settings, activities),
        ("POST", "fleet"): partial(_put_fleet, settings, eks),
        ("POST", "insights"): partial(_put_insights, settings, eks),
        ("GET", "bill"): lambda _: bill.bill(),
        ("GET", "questions"): lambda _: requests.questions(),
        ("POST", "quotas"): lambda values: quotas.set_quotas(values or {}),
    }


def _put_fleet(settings: Settings, eks: Eks, clusters: Any) -> Mapping[str, Any]:
    found = [found_from(given, settings.account, settings.region) for given in clusters or []]
    for each in found:
        put_found(eks.world, each)
    return {"clusters": len(found)}


def _set_activity(settings: Settings, activities: cloudwatch.Activities, given: Any) -> Mapping[str, Any]:
    match given:
        case {"cluster": str(cluster), "profile": str(profile)}:
            place = (given.get("account", settings.account), given.get("region", settings.region), cluster)
            since = instant(given["since"]) if "since" in given else None
            return {"since": activities.set(place, profile, since).isoformat()}
        case {"cluster": str(), "caller": str(), "operation": str(), "at": str()}:
            place = (given.get("account", settings.account), given.get("region", settings.region), given["cluster"])
            return {"event": cloudwatch.record_call(place, given["caller"], given["operation"], instant(given["at"]))}
    raise ValueError('say {"cluster": name, "profile": "busy", "since": "2026-11-23T09:00:00Z"}')


def _put_insights(settings: Settings, eks: Eks, given: Any) -> Mapping[str, Any]:
    match given:
        case {"cluster": str(cluster), "insights": list(insights)}:
            place = (given.get("account", settings.account), given.get("region", settings.region), cluster)
            return {"insights": put_insights(eks.world, place, insights)}
    raise ValueError('say {"cluster": name, "insights": [{"name": ..., "insightStatus": {...}, ...}]}')
