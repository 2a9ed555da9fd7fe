"""The proof of least privilege: without any one right, some request of a story is denied.

A question is an IAM request of a service role in a sandbox (emulator/iam/requests.py). The emulator's own evaluator answers it
again, with the function's policy as it is and with the policy less one right.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator

from tests.paths import PROJECT

CHALICE = PROJECT / ".chalice"
#: Questions of a whole run of the stories, one of a kind, for a proof without running them.
RECORDED = PROJECT / "tests/data/rights-asked.json"
#: Rights that no story uses, each with its reason.
UNASKED = PROJECT / "tests/data/rights-unasked.json"
#: Single actions of otherwise used rights, each with its reason.
UNASKED_ACTIONS = PROJECT / "tests/data/rights-unasked-actions.json"
_NAMES = {"AWS::StackName": "ekslab", "AWS::Partition": "aws", "AWS::Region": "*", "AWS::AccountId": "*"}
_NAMED_OTHERWISE = {
    "EventBus": "arn:aws:events:*:event-bus/ekslab-events",
    "LoginPool": "arn:aws:cognito-idp:*:userpool/*",
}


@dataclass(frozen=True)
class Question:
    """The requests of a function's role."""

    function: str
    action: str
    resource: str
    region: str
    context: Mapping[str, Any]


@dataclass(frozen=True)
class Right:
    """A statement of a function's policy, by its name in statements.json."""

    function: str
    statement: str


def questions_of(asked: Iterable[Mapping[str, Any]]) -> tuple[Question, ...]:
    """Those of functions' roles, without a state machine's and CloudFormation's."""
    functions = {f"ekslab-{_camel(name)}Role": name for name in functions_with_rights()}
    return tuple(
        Question(functions[role], each["action"], each["resource"], each["region"], each["context"])
        for each in asked
        if (role := each["role"].rpartition("-")[0]) in functions
    )


def functions_with_rights() -> tuple[str, ...]:
    """All, by the names of their policy files."""
    return tuple(sorted(path.stem for path in (CHALICE / "policies").glob("*.json")))


def rights_of(function: str) -> tuple[Right, ...]:
    """Every statement of its policy."""
    return tuple(Right(function, _by_sid()[said.sid]) for said in policy_of(function))


def unneeded_rights(questions: Iterable[Question]) -> set[Right]:
    """Those whose removal changes no answer to a question."""
    known = _by_function(questions)
    return {
        right
        for function in functions_with_rights()
        for right in rights_of(function)
        if not _matters(policy_of(function), without(function, right.statement), known.get(function, ()))
    }


def unneeded_actions(questions: Iterable[Question]) -> set[tuple[str, str]]:
    """(statement, action) of each action that no function with the statement needs."""
    known = _by_function(questions)
    all_of_them, needed = set(), set()
    for function in functions_with_rights():
        for said in policy_of(function):
            for action in said.actions:
                name = (_by_sid()[said.sid], action)
                all_of_them.add(name)
                if name not in needed and _matters(
                    policy_of(function), without(function, *name), known.get(function, ())
                ):
                    needed.add(name)
    return all_of_them - needed


def excused() -> set[Right]:
    """Those with a stated reason why no story uses them, or not every time."""
    return _excused(ever=False) | _excused(ever=True)


def excused_but_needed(questions: Iterable[Question]) -> set[Right]:
    """Those stated as never used that a story uses; or those that no function has."""
    held = {right for function in functions_with_rights() for right in rights_of(function)}
    return (_excused(ever=False) - unneeded_rights(questions)) | (excused() - held)


def never_needed(questions: Iterable[Question]) -> set[str]:
    """Statements that are stated as sometimes unused and were never used by any function."""
    unneeded = unneeded_rights(questions)
    needed = {right.statement for name in functions_with_rights() for right in rights_of(name) if right not in unneeded}
    return {right.statement for right in _excused(ever=True)} - needed


def excused_actions() -> set[tuple[str, str]]:
    """(statement, action) of those with a stated reason though no story uses them."""
    return {(said["statement"], said["action"]) for said in json.loads(UNASKED_ACTIONS.read_text())}


def without(function: str, statement: str, action: str | None = None) -> list[Any]:
    """Its policy less a statement, or less one action of it."""
    return [
        replace(said, actions=[each for each in said.actions if each != action])
        if _by_sid()[said.sid] == statement
        else said
        for said in policy_of(function)
        if _by_sid()[said.sid] != statement or (action is not None and said.actions != [action])
    ]


def is_allowed(question: Question, policy: list[Any]) -> bool:
    """The evaluator's answer."""
    asked = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:iam::111122223333:role/ekslab-{question.function}",
        principal_type="AssumedRole",
        principal_account="111122223333",
        action=question.action,
        resource_arn=question.resource,
        region=question.region,
        service_context=dict(question.context),
    )
    return bool(iam_evaluator.evaluate(asked, [policy]).decision == "Allow")


@cache
def policy_of(function: str) -> list[Any]:
    """The shipped policy, with names for CloudFormation's values."""
    document = json.loads((CHALICE / f"policies/{function}.json").read_text())
    parsed: list[Any] = iam_evaluator.parse_policy_document(filled(document))
    return parsed


def filled(document: dict[str, Any]) -> dict[str, Any]:
    """A function's policy with placeholder names for CloudFormation's values."""
    for said in document["Statement"]:
        for key in ("Resource", "Condition"):
            if key in said:
                said[key] = _filled(said[key])
    return document


def _excused(ever: bool) -> set[Right]:
    return {
        Right(function, said["statement"])
        for said in json.loads(UNASKED.read_text())
        if said.get("sometimes", False) is ever
        for function in (functions_with_rights() if said["functions"] == "all" else said["functions"])
    }


def _matters(whole: list[Any], less: list[Any], questions: Iterable[Question]) -> bool:
    return any(is_allowed(each, whole) and not is_allowed(each, less) for each in questions)


def _by_function(questions: Iterable[Question]) -> dict[str, list[Question]]:
    known: dict[str, list[Question]] = {}
    for question in questions:
        known.setdefault(question.function, []).append(question)
    return known


@cache
def _by_sid() -> Mapping[str, str]:
    names: Mapping[str, Any] = json.loads((CHALICE / "statements.json").read_text())
    return {re.sub(r"[^A-Za-z0-9]", "", name.title()): name for name in names}


def _filled(value: Any) -> Any:
    match value:
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{([\w:]+)(?:\.\w+)?\}", lambda found: _named(found[1]), text)
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return _named(name)
        case {"Fn::If": [_, there, _]}:
            return _filled(there)
        case {"StringEquals": dict(keys)} if any("Ref" in str(each) for each in keys.values()):
            # A parameter's value is not known here: any name works.
            return {"StringLike": _filled(keys)}
        case dict():
            return {key: _filled(each) for key, each in value.items()}
        case list():
            return [_filled(each) for each in value]
        case _:
            return value


def _named(name: str) -> str:
    if name in _NAMES:
        return _NAMES[name]
    return _NAMED_OTHERWISE.get(name) or (f"arn:aws:*{name}*" if name in _resources() else "*")


@cache
def _resources() -> frozenset[str]:
    return frozenset(json.loads((CHALICE / "resources.json").read_text())["Resources"])


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def recorded(path: Path = RECORDED) -> tuple[Question, ...]:
    """The stored questions of the repository."""
    return tuple(Question(*each) for each in json.loads(path.read_text()))


def record(questions: Iterable[Question], path: Path = RECORDED) -> None:
    """Store these in the repository instead: those that prove something, a line each."""
    path.write_text("[\n" + ",\n".join(sorted(_lines(questions))) + "\n]\n")


def _lines(questions: Iterable[Question]) -> Iterator[str]:
    """One question for each action of each right that it proves."""
    proved = set()
    for each in questions:
        policy = policy_of(each.function)
        for said in policy:
            name = (each.function, said.sid, each.action)
            less = [other for other in policy if other.sid != said.sid]
            if name not in proved and is_allowed(each, policy) and not is_allowed(each, less):
                proved.add(name)
                yield json.dumps([each.function, each.action, each.resource, each.region, dict(each.context)])
