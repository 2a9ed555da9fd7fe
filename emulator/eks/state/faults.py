"""Injected faults: rules, set at run time, that make an operation fail as AWS's do.

A rule names its calls (`operation` and `cluster`, both shell patterns), their number (from call `after` on, `times` calls, by
default all), and one effect:

- `error` {code, message?, status?, ...members}: the call is refused, nothing happens.
- `lostAnswer` true: the call is carried out and then answered 500 ServerException.
- `outcome` {status?, issue?, error?, durationSeconds?}: the call is accepted; its operation ends in this status with
  this health issue (resources) or this error (updates), or merely takes longer.
- `unsupportedZones` [zone, ...]: clusters may not be put into these zones.
- `delaySeconds`: the answer takes this much longer, in this machine's seconds.

Besides the model's operations, a rule may name `KubernetesApi`, whose lost answers simulate a dead API server, `ForcedUpgrade`,
and `GetMetricData` (CloudWatch's for clusters) and `LookupEvents` (CloudTrail's), which can be refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from emulator.eks.http import model
from emulator.eks.http.errors import EksError

_EFFECTS = {"error", "lostAnswer", "outcome", "unsupportedZones", "delaySeconds"}
_MATCHERS = {"operation", "cluster", "times", "after"}
_STATUS_OF_UNMODELLED = {"AccessDeniedException": 403, "ThrottlingException": 429, "NotImplementedException": 501}
_BESIDE_THE_MODEL = ("ForcedUpgrade", "GetMetricData", "KubernetesApi", "LookupEvents")
_ISSUE_CODES = ("ClusterIssueCode", "NodegroupIssueCode", "AddonIssueCode", "FargateProfileIssueCode")


@dataclass(slots=True)
class FaultRule:
    """One rule and how many calls it has seen."""

    operation: str = "*"
    cluster: str = "*"
    times: int | None = None
    after: int = 0
    error: dict[str, Any] | None = None
    lost_answer: bool = False
    outcome: dict[str, Any] | None = None
    unsupported_zones: list[str] = field(default_factory=list)
    delay_seconds: float = 0.0
    seen: int = 0

    def fires(self, operation: str, cluster: str) -> bool:
        """Count a call that this rule is for, and return whether it applies."""
        if not (fnmatchcase(operation, self.operation) and fnmatchcase(cluster, self.cluster)):
            return False
        self.seen += 1
        past = self.seen - self.after
        return past > 0 and (self.times is None or past <= self.times)


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: list[FaultRule] = []

    def set_rules(self, rules: Iterable[dict[str, Any]]) -> None:
        """Replace all rules; ValueError if a rule is invalid."""
        self._rules = [_rule(given) for given in rules]

    def add(self, rule: dict[str, Any]) -> None:
        """Put one more rule in force; ValueError as in set_rules."""
        self._rules.append(_rule(rule))

    def clear(self) -> None:
        """Remove all rules."""
        self._rules = []

    def refuse(self, operation: str, cluster: str) -> None:
        """Raise the error of the first rule that forbids this call."""
        for rule in self._rules:
            if rule.error and rule.fires(operation, cluster):
                extra = {key: value for key, value in rule.error.items() if key not in ("code", "message", "status")}
                code = rule.error["code"]
                status = rule.error.get("status") or _status(code)
                raise EksError(code, rule.error.get("message", "A fault was asked for."), status, **extra)

    def loses_answer(self, operation: str, cluster: str) -> bool:
        """Tell whether the answer to this call never arrives."""
        return any(rule.lost_answer and rule.fires(operation, cluster) for rule in self._rules)

    def delay(self, operation: str, cluster: str) -> float:
        """Return how many seconds this call takes longer."""
        return sum(rule.delay_seconds for rule in self._rules if rule.delay_seconds and rule.fires(operation, cluster))

    def outcome(self, operation: str, cluster: str) -> dict[str, Any]:
        """Return the planned outcome of this call's operation, {} for success."""
        for rule in self._rules:
            if rule.outcome and rule.fires(operation, cluster):
                return rule.outcome
        return {}

    def unsupported_zones(self, cluster: str) -> set[str]:
        """Return the zones this cluster may not be put into."""
        rules = [rule for rule in self._rules if rule.unsupported_zones and rule.fires("CreateCluster", cluster)]
        return {zone for rule in rules for zone in rule.unsupported_zones}


def _rule(given: dict[str, Any]) -> FaultRule:
    unknown = set(given) - _EFFECTS - _MATCHERS
    effects = _EFFECTS & set(given)
    if unknown or len(effects) != 1:
        raise ValueError(f"a fault has one effect of {sorted(_EFFECTS)}; unknown: {sorted(unknown)}")
    operation = given.get("operation", "*")
    known = [*model.service().operation_names, *_BESIDE_THE_MODEL]
    if not any(fnmatchcase(name, operation) for name in known):
        raise ValueError(f"no EKS operation is called {operation}")
    _check_issue(given.get("outcome") or {})
    return FaultRule(
        operation=operation,
        cluster=given.get("cluster", "*"),
        times=given.get("times"),
        after=given.get("after", 0),
        error=_checked_error(given.get("error")),
        lost_answer=bool(given.get("lostAnswer")),
        outcome=given.get("outcome"),
        unsupported_zones=list(given.get("unsupportedZones") or []),
        delay_seconds=float(given.get("delaySeconds", 0)),
    )


def _checked_error(error: dict[str, Any] | None) -> dict[str, Any] | None:
    if error is not None and not error.get("status"):
        _status(error.get("code", ""))
    return error


def _check_issue(outcome: dict[str, Any]) -> None:
    known = {code for name in _ISSUE_CODES for code in model.enum(name)}
    issue = outcome.get("issue")
    if issue and issue.get("code") not in known:
        raise ValueError(f"the EKS model has no issue code {issue.get('code')}")
    error = outcome.get("error")
    if error and error.get("errorCode") not in model.enum("ErrorCode"):
        raise ValueError(f"the EKS model has no error code {error.get('errorCode')}")


def _status(code: str) -> int:
    if model.is_error(code):
        return model.error_status(code)
    if code in _STATUS_OF_UNMODELLED:
        return _STATUS_OF_UNMODELLED[code]
    raise ValueError(f"the EKS model has no exception {code!r}: give a status with it")
