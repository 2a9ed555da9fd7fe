"""Lengths and characters that AWS refuses and ministack accepts: execution names, subjects of messages, names and tags in IAM.

Sources: botocore's models (the patterns and lengths of StartExecution, CreateRole, CreatePolicy, Tag) and the API references of
StartExecution (InvalidName) and Publish (Subject: UTF-8 of fewer than 100 characters, no line breaks or control characters).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ministack.services import iam, sns, stepfunctions

_NOT_IN_A_NAME = re.compile(r"[\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]")
_TAG_VALUE = re.compile(r"[\w\s.:/=+\-@]*")
_MOST_TAGS = 50
_MOST = {"RoleName": 64, "InstanceProfileName": 128, "UserName": 64, "PolicyName": 128}


def install() -> None:
    """Put these refusals before the actions of this process's emulator."""
    start = stepfunctions._start_execution
    stepfunctions._start_execution = lambda given: _name_refused(given) or start(given)
    sns._publish = _with_subject(sns._publish)
    for action in ("CreateRole", "CreateUser", "CreateInstanceProfile", "CreatePolicy", "TagRole", "TagUser"):
        if action in iam._IAM_HANDLERS:
            iam._IAM_HANDLERS[action] = _checked(iam._IAM_HANDLERS[action])


def _name_refused(given: dict[str, Any]) -> Any:
    name = given.get("name")
    if name is not None and (not 1 <= len(name) <= 80 or _NOT_IN_A_NAME.search(name)):
        return stepfunctions.error_response_json("InvalidName", f"Invalid Name: '{name}'", 400)
    return None


def _with_subject(publish: Callable[..., Any]) -> Callable[..., Any]:
    def publish_checked(params: Any, *rest: Any, **named: Any) -> Any:
        subject = str(_first(params.get("Subject")) or "")
        if len(subject) >= 100 or re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", subject):
            return sns._error("InvalidParameter", "Invalid parameter: Subject", 400)
        return publish(params, *rest, **named)

    return publish_checked


def _checked(act: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def act_checked(params: Any) -> Any:
        for name, most in _MOST.items():
            value = str(_first(params.get(name)) or "")
            if len(value) > most:
                return _validation(value, name, f"length less than or equal to {most}", "have ")
        if refused := _tags_refused(params):
            return refused
        return act(params)

    return act_checked


def _tags_refused(params: Any) -> Any:
    keys: list[str] = []
    while f"Tags.member.{len(keys) + 1}.Key" in params:
        number = len(keys) + 1
        for part, most in (("Key", 128), ("Value", 256)):
            value = str(_first(params.get(f"Tags.member.{number}.{part}")) or "")
            where = f"tags.{number}.member.{part.lower()}"
            if len(value) > most:
                return _validation(value, where, f"length less than or equal to {most}", "have ")
            if not _TAG_VALUE.fullmatch(value):
                pattern = r"regular expression pattern: [\p{L}\p{Z}\p{N}_.:/=+\-@]*"
                return _validation(value, where, pattern, "satisfy ")
        keys.append(str(_first(params[f"Tags.member.{number}.Key"])).lower())
    if len(keys) > _MOST_TAGS:
        return _validation("", "tags", f"length less than or equal to {_MOST_TAGS}", "have ")
    if len(set(keys)) < len(keys):
        message = "Duplicate tag keys found. Please note that Tag keys are case insensitive."
        return iam._error(400, "InvalidInput", message, ns="iam")
    return None


def _validation(value: str, name: str, constraint: str, verb: str) -> Any:
    where = name[:1].lower() + name[1:]
    message = (
        f"1 validation error detected: Value at '{where}' failed to satisfy constraint: Member must {verb}{constraint}"
    )
    del value
    return iam._error(400, "ValidationError", message, ns="iam")


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value
