"""A small state machine: interprets an ASL file over the Python functions, without waiting, on fakes.

Supports the features in this project's files: Task, Choice, Wait, Parallel, Map, Pass, Succeed, Fail, Parameters, ResultPath,
Retry, Catch. Payloads go through JSON, as on AWS. `before` is called ahead of each invocation and may raise an error that kills
a Lambda.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.runner import run_step, run_watch_step
from tests.paths import PROJECT

STATEMACHINES = PROJECT / "statemachine"
LAB_WORKFLOWS = ("provision", "update", "hibernate", "wake", "teardown", "verify_deletion")
WORKFLOWS = (*LAB_WORKFLOWS, "watch_support", "curfew")
_MOST_STATES = 20_000
#: The maximum size of a payload between states.
_MOST_BYTES = 256 * 1024


class LambdaDied(Exception):
    """The process was killed; `name` is the error that Step Functions sees."""

    def __init__(self, name: str = "Lambda.Unknown") -> None:
        self.name = name
        super().__init__(name)


class ExecutionStopped(BaseException):
    """Somebody stopped the execution: no Retry and no Catch sees it."""


class StepFailed(Exception):
    """An error in Step Functions: a name and a cause."""

    def __init__(self, name: str, cause: str) -> None:
        self.name, self.cause = name, cause
        super().__init__(f"{name}: {cause}")


def definition(workflow: str) -> dict[str, Any]:
    """The ASL document of a workflow."""
    document: dict[str, Any] = json.loads((STATEMACHINES / f"{workflow}.asl.json").read_text())
    return document


_document = cache(definition)


@cache
def functions_of(workflow: str) -> dict[str, str]:
    """Token -> function name, derived: `${ProvisionCreateStack}` is provision.create_stack."""
    module = importlib.import_module(f"chalicelib.workflows.{workflow}")
    own = [name for name, thing in vars(module).items() if getattr(thing, "__module__", "") == module.__name__]
    return {"${" + camel(workflow) + camel(name) + "}": name for name in own if not name.startswith("_")}


def camel(name: str) -> str:
    """`create_stack` -> `CreateStack`."""
    return "".join(part.capitalize() for part in name.split("_"))


@dataclass
class Machine:
    """Runs executions of one workflow. `waited`: the total seconds of all waits, `path`: every state entered, `output`: the
    last execution's, `cause`: the cause in its Fail state. `passes` is called with the seconds of each Wait or Retry.
    """

    workflow: str
    deps: Deps
    before: Callable[[str], None] = lambda function: None
    after: Callable[[str], None] = lambda function: None
    passes: Callable[[int], None] = lambda seconds: None
    waited: int = 0
    path: list[str] = field(default_factory=list)
    output: dict[str, Any] = field(default_factory=dict)
    cause: str = ""
    execution: dict[str, Any] = field(default_factory=dict)
    name: str = "an-execution"

    def run(self, payload: Mapping[str, object]) -> str:
        """Run to the end; return the last state's name. Raises StepFailed only when nothing catches."""
        document = _document(self.workflow)
        self.execution = {"Execution.Name": self.name, "Execution.Input": json.loads(json.dumps(payload))}
        name, self.output = self._walk(document["StartAt"], document["States"], json.loads(json.dumps(payload)))
        return name

    def _walk(self, name: str, states: Mapping[str, Any], data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        while True:
            self.path.append(name)
            assert len(self.path) < _MOST_STATES, f"{self.workflow} does not end"
            state = states[name]
            following: str | None
            match state["Type"]:
                case "Succeed":
                    return name, data
                case "Fail":
                    self.cause = state["Cause"] if "Cause" in state else _formatted(data, state["CausePath"])
                    return name, data
                case "Pass":
                    data, following = state.get("Result", _given(state.get("Parameters", {}), data)), state.get("Next")
                case "Choice":
                    following = self._choose(state, data)
                case "Wait":
                    self.waited += _seconds(data, state["SecondsPath"])
                    self.passes(_seconds(data, state["SecondsPath"]))
                    following = state["Next"]
                case _:
                    data, following = self._act(state, data)
            if following is None:
                return name, data
            name = following

    def _choose(self, state: Mapping[str, Any], data: Mapping[str, Any]) -> str:
        for rule in state["Choices"]:
            if any(_at(data, test["Variable"]) == test["StringEquals"] for test in rule.get("Or", [rule])):
                return str(rule["Next"])
        return str(state["Default"])

    def _act(self, state: Mapping[str, Any], data: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
        tries = [0] * len(state.get("Retry", []))
        while True:
            try:
                result = {"Parallel": self._parallel, "Map": self._map, "Task": self._task}[state["Type"]](state, data)
                return _put(data, state.get("ResultPath", "$"), result), state.get("Next")
            except StepFailed as failure:
                pause = _pause_before_retry(state.get("Retry", []), failure.name, tries)
                if pause is not None:
                    self.passes(pause)
                    continue
                caught = _catcher(state.get("Catch", []), failure.name)
                if caught is None:
                    raise
                message = {"Error": failure.name, "Cause": failure.cause}
                return _put(data, caught.get("ResultPath", "$"), message), caught["Next"]

    def _parallel(self, state: Mapping[str, Any], data: dict[str, Any]) -> list[dict[str, Any]]:
        """Branches one after the other: each sees the result of the one before, which is one possible order."""
        return [self._walk(b["StartAt"], b["States"], json.loads(json.dumps(data)))[1] for b in state["Branches"]]

    def _map(self, state: Mapping[str, Any], data: dict[str, Any]) -> list[dict[str, Any]]:
        """Items one after the other. Their answers must be small: one payload holds them all."""
        inner, items = state["ItemProcessor"], _at(data, state["ItemsPath"])
        assert len(json.dumps(data)) < _MOST_BYTES, f"{self.workflow}: the payload before a Map is too large"
        selected = [_given(state["ItemSelector"], data, {"Map.Item.Value": item}) for item in items]
        return [self._walk(inner["StartAt"], inner["States"], each)[1] for each in selected]

    def _task(self, state: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
        function = functions_of(self.workflow)[state["Resource"]]
        event = _given(state["Parameters"], data, self.execution)
        run: Callable[..., dict[str, object]] = run_step if self.workflow in LAB_WORKFLOWS else run_watch_step
        step = getattr(importlib.import_module(f"chalicelib.workflows.{self.workflow}"), function)
        try:
            self.before(function)
            answer: dict[str, Any] = json.loads(json.dumps(run(self.deps, step, event)))
            self.after(function)
        except LambdaDied as death:
            raise StepFailed(death.name, "The process was killed.") from death
        except AssertionError:  # The test's own error: no Catch may take it for a failed step.
            raise
        except Exception as error:  # The Lambda runtime reports every exception this way.
            cause = json.dumps({"errorMessage": str(error), "errorType": type(error).__name__})
            raise StepFailed(type(error).__name__, cause) from error
        return answer


def _pause_before_retry(retriers: list[Any], name: str, tries: list[int]) -> int | None:
    """Seconds until the next try, without jitter; None after the last one."""
    for n, retrier in enumerate(retriers):
        if name in retrier["ErrorEquals"] or "States.ALL" in retrier["ErrorEquals"]:
            tries[n] += 1
            if tries[n] > retrier["MaxAttempts"]:
                return None
            seconds: int = retrier["IntervalSeconds"] * retrier["BackoffRate"] ** (tries[n] - 1)
            return min(seconds, int(retrier["MaxDelaySeconds"]))
    return None


def _catcher(catchers: list[Any], name: str) -> Any:
    return next((c for c in catchers if name in c["ErrorEquals"] or "States.ALL" in c["ErrorEquals"]), None)


def _given(parameters: Mapping[str, Any], data: Any, context: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Parameters with their paths replaced by the values; `$$.` reads the context."""
    found = {k: v for k, v in parameters.items() if not k.endswith(".$")}
    for key, path in parameters.items():
        if key.endswith(".$"):
            within = context[path.removeprefix("$$.")] if context and path.startswith("$$.") else _at(data, path)
            found[key.removesuffix(".$")] = within
    return found


def _formatted(data: Mapping[str, Any], intrinsic: str) -> str:
    """The text of `States.Format('… {} …', $.path, ...)`."""
    found = re.fullmatch(r"States\.Format\('([^']*)', (.*)\)", intrinsic)
    assert found is not None, intrinsic
    return found[1].format(*(_at(data, path) for path in found[2].split(", ")))


def _at(data: Any, path: str) -> Any:
    for part in path.removeprefix("$").strip(".").split("."):
        data = data[part] if part else data
    return data


def _put(data: dict[str, Any], path: str | None, result: Any) -> dict[str, Any]:
    if path is None:
        return data
    return {**data, path.removeprefix("$."): result} if path != "$" else result


def _seconds(data: Any, path: str) -> int:
    seconds = _at(data, path)
    assert isinstance(seconds, int), f"{path} is {seconds!r}"
    assert seconds > 0, f"{path} is {seconds}"
    return seconds
