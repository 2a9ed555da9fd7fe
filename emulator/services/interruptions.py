"""Interrupt calls of functions: refuse them, lose their answers, or end the function that makes them.

A rule names whose calls (`role`: how the role's name begins), which (`action`, e.g. "eks:CreateCluster", or "*"), about what
(`about`: words of which one must stand in the request's path or body; none for all), whether only those that change something
(`writes`), the effect on them (`effect`) and how often each pair of role and action meets it (`times`). Rules act behind IAM:
what policies deny is not interrupted.

Sources of the codes: each service's "Common Errors" page (Throttling, ThrottlingException, InternalFailure), EC2's error codes
(RequestLimitExceeded, InternalError), and Lambda's Runtime.ExitError for a process that ended before it answered.
"""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import unquote_plus

from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.services import ses_v2

from emulator.iam.requests import role_of

Handler = Callable[[str, str, Any, bytes, Any], Awaitable[Any]]

_THROTTLED = {
    "ec2": ("RequestLimitExceeded", 503),
    "dynamodb": ("ThrottlingException", 400),
    "eks": ("ThrottlingException", 429),
    "lambda": ("TooManyRequestsException", 429),
    "s3": ("SlowDown", 503),
    "sesv2": ("TooManyRequestsException", 429),
    "sns": ("Throttled", 429),
    "states": ("ThrottlingException", 400),
}
_QUERY_THROTTLED = ("Throttling", 400)
_FAILED = {"ec2": "InternalError", "s3": "InternalError", "dynamodb": "InternalServerError", "eks": "ServerException"}
_READS = ("Get", "List", "Describe", "Query", "Scan", "BatchGet", "Lookup", "AssumeRole")

_asked: ContextVar[tuple[str, str, str]] = ContextVar("asked", default=("", "", ""))
"""Role, action and principal of the request that this context handles: the first permission that it requested."""


class Effect(StrEnum):
    """The effect on a call."""

    THROTTLED = "throttled"
    FAILED = "failed"
    FAILED_AFTER = "failed-after"
    DENIED = "denied"
    CUT = "cut"
    LOST = "lost"
    KILLED = "killed"

    @property
    def comes_after(self) -> bool:
        """Whether the interruption comes after the call was carried out."""
        return self in (Effect.FAILED_AFTER, Effect.LOST, Effect.KILLED)


@dataclass(frozen=True, slots=True)
class Rule:
    """The calls to interrupt, the effect, and the number of interruptions for each pair of role and action."""

    effect: Effect
    role: str = ""
    action: str = "*"
    about: tuple[str, ...] = ()
    times: int = 1
    writes: bool = False

    def names(self, role: str, action: str, request: str) -> bool:
        """Whether a call is one of those."""
        named = role.startswith(self.role) and self.action in ("*", action)
        if self.writes and action.partition(":")[2].startswith(_READS):
            return False
        return named and (not self.about or any(word in request for word in self.about))


class Interruptions:
    """The rules of this emulator, and how often each interrupted which role."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: tuple[Rule, ...] = ()
        self._struck: Counter[tuple[Rule, str, str]] = Counter()

    def set_rules(self, given: list[Mapping[str, Any]]) -> None:
        """Replace the rules; raises ValueError for one that can't be read."""
        rules = tuple(_rule(each) for each in given)
        with self._lock:
            self._rules, self._struck = rules, Counter()

    def add_rules(self, given: list[Mapping[str, Any]]) -> None:
        """Add rules; raises ValueError for one that can't be read."""
        rules = tuple(_rule(each) for each in given)
        with self._lock:
            self._rules += rules

    def struck(self) -> list[Mapping[str, Any]]:
        """The interruptions since the rules were set."""
        with self._lock:
            counted = sorted(self._struck.items(), key=lambda each: each[0][1:])
        return [
            {"effect": rule.effect, "role": role, "action": action, "times": times}
            for (rule, role, action), times in counted
        ]

    def take(self, role: str, action: str, request: str) -> Effect | None:
        """Return the effect on this call, and count it."""
        with self._lock:
            for rule in self._rules:
                if rule.names(role, action, request) and self._struck[rule, role, action] < rule.times:
                    self._struck[rule, role, action] += 1
                    return rule.effect
        return None

    @property
    def idle(self) -> bool:
        """Whether there is no rule."""
        return not self._rules


def install() -> Interruptions:
    """Put rules, none at first, before every service of this process's emulator, behind IAM: call it last."""
    interruptions = Interruptions()
    evaluate = iam_evaluator.evaluate

    def evaluate_and_remember(context: Any, *policies: Any) -> Any:
        if not _asked.get()[0] and (role := role_of(context.principal_arn)):
            _asked.set((role, context.action, context.principal_arn))
        return evaluate(context, *policies)

    iam_evaluator.evaluate = evaluate_and_remember
    for service, handle in list(app.SERVICE_HANDLERS.items()):
        app.SERVICE_HANDLERS[service] = _interrupted(service, handle, interruptions)
    ses_v2.handle_request = _interrupted("sesv2", ses_v2.handle_request, interruptions)
    return interruptions


def _interrupted(service: str, handle: Handler, interruptions: Interruptions) -> Handler:
    async def handle_interrupted(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        role, action, principal = _asked.get()
        if interruptions.idle or not role:
            return await handle(method, path, headers, body, query)
        effect = interruptions.take(role, action, unquote_plus(f"{path} {body.decode(errors='replace')}"))
        if effect is None:
            return await handle(method, path, headers, body, query)
        answer = await handle(method, path, headers, body, query) if effect.comes_after else None
        match effect:
            case Effect.KILLED:
                await asyncio.to_thread(_end_functions_of, role)
                return answer
            case Effect.CUT | Effect.LOST:
                # Fewer bytes than were promised: the connection breaks before the answer is whole.
                return 200, {"Content-Type": "text/plain", "Content-Length": "4096"}, b""
            case _:
                return _refusal(effect, service, action, principal, headers)

    return handle_interrupted


def _refusal(effect: Effect, service: str, action: str, principal: str, headers: Any) -> Any:
    given = {"headers": headers, "resource_arn": "*"}
    if effect is Effect.DENIED:
        return iam_actions.access_denied_response(service, action, principal, str(uuid.uuid4()), **given)
    code, status, message = _FAILED.get(service, "InternalFailure"), 500, "An internal error occurred."
    if effect is Effect.THROTTLED:
        (code, status), message = _THROTTLED.get(service, _QUERY_THROTTLED), "Rate exceeded"
    given |= {"error_code": code, "message": message}
    answer = iam_actions.access_denied_response(service, action, principal, str(uuid.uuid4()), **given)
    return status, *answer[1:]


def _end_functions_of(role: str) -> None:
    with lambda_runtime._lock:
        busy = [worker for workers in lambda_runtime._workers.values() for worker in workers if worker.in_use]
    for worker in busy:
        if str(worker.config.get("Role", "")).endswith(f"/{role}") and worker._proc is not None:
            worker._proc.kill()


def _rule(given: Mapping[str, Any]) -> Rule:
    match given:
        case {"effect": str(effect), **more} if set(more) <= {"role", "action", "about", "times", "writes"}:
            return Rule(**{**more, "effect": Effect(effect), "about": tuple(given.get("about", ()))})
    raise ValueError('say {"effect": "lost", "role": "functions-", "action": "*", "about": ["lab-1"], "times": 1}')
