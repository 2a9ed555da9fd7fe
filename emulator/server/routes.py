"""The routes beside AWS's: look at the emulator, move its clock, make it fail, furnish its accounts.

`GET health` says where it is; `POST faults` replaces the rules by which EKS misbehaves, `PATCH` adds some; `interruptions`
refuses calls of functions, loses their answers or ends their callers (`services/interruptions.py`), `GET` counts them; `lag` makes
new resources unknown, denied or untagged for a while (`{"seed": 7, "seconds": 300}`, `{"seed": null}` ends it); `clock`
sets (`{"now": "2026-11-26T00:00:00Z"}`) or advances (`{"advance": seconds}`) the time by which AWS judges; `quotas` changes service
quotas, `account-plan` puts accounts on the free plan; `kubernetes` puts an object into a cluster; `fleet` adds older
clusters, `insights` EKS's findings about one; `activity` simulates people's use of one; `events` adds to
CloudTrail's history, `trail` says how late and how often it answers; `regions` names those that accounts opted in to;
`sessions` hands out credentials of a role, as an instance or a pod has them; `mail` confirms an identity that sends mail, or
says how a mailbox takes it, and `GET mails` lists SES's mails. `GET questions` shows the permissions that roles used, `bill` AWS's
bill.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from emulator import cloudtrail, cloudwatch
from emulator.core import bill
from emulator.core.clock import EmulatorClock
from emulator.core.settings import Settings
from emulator.eks import Eks
from emulator.eks.clusters.found import found_from, instant, put_found
from emulator.eks.clusters.insights import put_insights
from emulator.eks.kubernetes import KubernetesServers
from emulator.iam import regions, requests, sessions
from emulator.server.admin import Route
from emulator.services import account_plan, cost_explorer, quotas
from emulator.services.interruptions import Interruptions
from emulator.services.ses import events, front, identities

Answer = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parts:
    """The objects that the routes change."""

    settings: Settings
    url: str
    clock: EmulatorClock
    eks: Eks
    kubernetes: KubernetesServers
    activities: cloudwatch.Activities
    history: cloudtrail.History
    interruptions: Interruptions

    def place(self, given: Mapping[str, Any]) -> tuple[str, str, str]:
        """The account, the region and the name of the cluster that a request is about."""
        settings = self.settings
        return given.get("account", settings.account), given.get("region", settings.region), given["cluster"]


class Routes:
    """The routes, a method each; each takes the request's body and raises ValueError for one that it can't read."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def health(self, _: Any) -> Answer:
        """Where the emulator is and what time it is there."""
        parts = self._parts
        facts = {name: getattr(parts.settings, name) for name in ("region", "account", "scale")}
        return facts | {"url": parts.url, "now": parts.clock.now().isoformat()}

    def set_faults(self, rules: Any) -> Answer:
        """Replace the fault rules."""
        self._parts.eks.faults.set_rules(rules or [])
        return {"rules": len(rules or [])}

    def add_faults(self, rules: Any) -> Answer:
        """Add fault rules."""
        for rule in rules or []:
            self._parts.eks.faults.add(rule)
        return {"added": len(rules or [])}

    def set_interruptions(self, rules: Any) -> Answer:
        """Replace the rules by which calls of functions are interrupted."""
        self._parts.interruptions.set_rules(rules or [])
        return {"rules": len(rules or [])}

    def add_interruptions(self, rules: Any) -> Answer:
        """Add rules by which calls of functions are interrupted."""
        self._parts.interruptions.add_rules(rules or [])
        return {"added": len(rules or [])}

    def interruptions(self, _: Any) -> Answer:
        """The calls that were interrupted since the rules were set."""
        return {"interrupted": self._parts.interruptions.struck()}

    def set_lag(self, given: Any) -> Answer:
        """Make EKS, EC2, CloudFormation and IAM lag behind their writes, or no more; return how often they have so far."""
        lag = self._parts.eks.world.lag
        match given:
            case {"seed": int() | None as seed}:
                lag.set(seed, float(given.get("seconds", 300)))
                return {"seed": seed, "refused": lag.refused}
        raise ValueError('say {"seed": 7, "seconds": 300}, or {"seed": null}')

    def set_clock(self, change: Any) -> Answer:
        """Set the clock or move it on."""
        clock = self._parts.clock
        match change:
            case {"now": str(now)}:
                clock.set(datetime.fromisoformat(now))
            case {"advance": int() | float() as seconds}:
                clock.advance(timedelta(seconds=seconds))
            case _:
                raise ValueError('say {"now": "2026-11-26T00:00:00Z"} or {"advance": seconds}')
        return {"now": clock.now().isoformat()}

    def put_object(self, given: Any) -> Answer:
        """Put a Kubernetes object into a cluster."""
        match given:
            case {"cluster": str(), "plural": str(plural), "object": dict(found)}:
                return self._parts.kubernetes.put(*self._parts.place(given), plural, found, given.get("owns", ()))
        raise ValueError('say {"cluster": name, "plural": "services", "object": {...}, "owns": [...]}')

    def forget_objects(self, given: Any) -> Answer:
        """Forget the Kubernetes objects of a cluster that carry a label with any value."""
        match given:
            case {"cluster": str(), "label": str(label)}:
                return {"forgotten": self._parts.kubernetes.forget(*self._parts.place(given), label)}
        raise ValueError('say {"cluster": name, "label": "example.com/made-for"}')

    def put_fleet(self, clusters: Any) -> Answer:
        """Put clusters that were there before."""
        settings = self._parts.settings
        found = [found_from(given, settings.account, settings.region) for given in clusters or []]
        for each in found:
            put_found(self._parts.eks.world, each)
        return {"clusters": len(found)}

    def set_activity(self, given: Any) -> Answer:
        """Start a profile of activity in a cluster, or record a call to EKS about it."""
        match given:
            case {"cluster": str(), "profile": str(profile)}:
                since = instant(given["since"]) if "since" in given else None
                return {"since": self._parts.activities.set(self._parts.place(given), profile, since).isoformat()}
            case {"cluster": str(), "caller": str(caller), "operation": str(operation), "at": str(at)}:
                event = self._parts.history.record_call(self._parts.place(given), caller, operation, instant(at))
                return {"event": event}
        raise ValueError('say {"cluster": name, "profile": "busy", "since": "2026-11-23T09:00:00Z"}')

    def add_events(self, events: Any) -> Answer:
        """Add events to CloudTrail's history."""
        settings, history = self._parts.settings, self._parts.history
        return {"events": [cloudtrail.add_event(history, each, settings.account, settings.region) for each in events]}

    def set_trail(self, given: Any) -> Answer:
        """Set the delay of CloudTrail's events, and the wall seconds in which two look-ups are answered."""
        history = self._parts.history
        match given:
            case {"delaySeconds": int() | float() as delay}:
                history.delay = float(delay)
            case {"windowSeconds": int() | float() as window}:
                history.window = float(window)
            case _:
                raise ValueError('say {"delaySeconds": 300} or {"windowSeconds": 1}')
        return {"delaySeconds": history.delay, "windowSeconds": history.window}

    def hand_out_session(self, given: Any) -> Answer:
        """Hand out credentials of a role."""
        match given:
            case {"role": str(role), "session": str(session)}:
                account = given.get("account", self._parts.settings.account)
                return sessions.hand_out(account, role, session, given.get("issuer", ""))
        raise ValueError(
            'say {"role": name, "session": "i-0123456789abcdef0"}, with "issuer": URL for a service account'
        )

    def set_mail(self, given: Any) -> Answer:
        """Confirm an identity of SES, or set the outcome of mails to an address."""
        match given:
            case {"verify": str(identity)}:
                return identities.verify(identity)
            case {"address": str(address), "outcome": str(outcome)}:
                return events.set_outcome(address, outcome)
        raise ValueError('say {"verify": "example.com"} or {"address": "gone@example.com", "outcome": "bounce"}')

    def put_insights(self, given: Any) -> Answer:
        """Put EKS's insights about a cluster."""
        match given:
            case {"cluster": str(), "insights": list(insights)}:
                return {"insights": put_insights(self._parts.eks.world, self._parts.place(given), insights)}
        raise ValueError('say {"cluster": name, "insights": [{"name": ..., "insightStatus": {...}, ...}]}')


def routes(parts: Parts) -> dict[tuple[str, str], Route]:
    """Return the routes by method and name."""
    made = Routes(parts)
    return {
        ("GET", "health"): made.health,
        ("POST", "kubernetes"): made.put_object,
        ("DELETE", "kubernetes"): made.forget_objects,
        ("POST", "faults"): made.set_faults,
        ("PATCH", "faults"): made.add_faults,
        ("POST", "interruptions"): made.set_interruptions,
        ("PATCH", "interruptions"): made.add_interruptions,
        ("GET", "interruptions"): made.interruptions,
        ("POST", "lag"): made.set_lag,
        ("POST", "clock"): made.set_clock,
        ("POST", "activity"): made.set_activity,
        ("POST", "fleet"): made.put_fleet,
        ("POST", "insights"): made.put_insights,
        ("POST", "events"): made.add_events,
        ("POST", "trail"): made.set_trail,
        ("POST", "sessions"): made.hand_out_session,
        ("POST", "regions"): lambda names: regions.choose(names or []),
        ("GET", "bill"): lambda _: bill.bill(),
        ("GET", "questions"): lambda _: requests.questions(),
        ("POST", "mail"): made.set_mail,
        ("GET", "mails"): lambda _: {"mails": front.taken()},
        ("POST", "account-plan"): lambda plans: account_plan.set_plans(plans or {}),
        ("POST", "billed"): lambda given: cost_explorer.put_billed(given or {}),
        ("POST", "quotas"): lambda values: quotas.set_quotas(values or {}),
    }
