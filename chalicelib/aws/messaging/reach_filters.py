"""Evaluates a subscription's filter policy as SNS would, for the attributes that our messages have. Used by `reach.py`.

Written to be wrong in one direction only: whatever isn't understood counts as not taking the message, since a warning that
was thought delivered and was not may cost somebody's work.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

#: Attributes of a message by name; one that is not in it is not sent.
Attributes = Mapping[str, str | int]


def takes(policy: str, scope: str, attributes: Attributes, unknown: frozenset[str] = frozenset()) -> bool:
    """Whether a subscription with this FilterPolicy (JSON, or empty) and FilterPolicyScope takes a message.

    `unknown`: attributes that the message will have with a value that isn't known yet; no condition on them is met.
    """
    if not policy:
        return True
    try:
        conditions = json.loads(policy)
    except ValueError:
        return False
    if conditions == {}:
        return True
    if scope != "MessageAttributes" or not isinstance(conditions, dict):
        return False
    return all(
        name not in unknown and isinstance(any_of, list) and any(_meets(attributes.get(name), one) for one in any_of)
        for name, any_of in conditions.items()
    )


def _meets(value: str | int | None, condition: object) -> bool:
    """One condition of a name's list. A bare word is an exact match; anything else is `{operator: operand}`."""
    if isinstance(condition, str):
        return value == condition
    if not isinstance(condition, dict) or len(condition) != 1:
        return False
    ((operator, operand),) = condition.items()
    if operator == "exists":
        return operand is (value is not None)
    return value is not None and operator in _OPERATORS and _OPERATORS[operator](value, operand)


def _anything_but(value: str | int, operand: Any) -> bool:
    """`"x"`, `7`, `["x", "y"]`, or `{"prefix": "x"}` and `{"suffix": "x"}`: texts against texts, numbers against numbers."""
    if isinstance(operand, dict):
        understood = len(operand) == 1 and set(operand) <= {"prefix", "suffix"} and _is_text(value, *operand.values())
        return understood and not _meets(value, operand)
    refused = operand if isinstance(operand, list) else [operand]
    comparable = all(isinstance(one, str) == isinstance(value, str) and _is_plain(one) for one in refused)
    return bool(refused) and comparable and value not in refused


def _prefix(value: str | int, operand: Any) -> bool:
    return _is_text(value, operand) and str(value).startswith(operand)


def _suffix(value: str | int, operand: Any) -> bool:
    return _is_text(value, operand) and str(value).endswith(operand)


def _equals_ignore_case(value: str | int, operand: Any) -> bool:
    return _is_text(value, operand) and str(value).lower() == operand.lower()


def _numeric(value: str | int, operand: Any) -> bool:
    """`["=", 0]`, or one or two bounds as `[">", -7, "<=", 0]`."""
    if isinstance(value, str) or not isinstance(operand, list) or len(operand) not in (2, 4):
        return False
    pairs: Sequence[tuple[Any, Any]] = list(zip(operand[::2], operand[1::2], strict=True))
    return all(
        isinstance(sign, str) and sign in _SIGNS and _is_number(bound) and _SIGNS[sign](value, bound)
        for sign, bound in pairs
    )


_OPERATORS: dict[str, Callable[[str | int, Any], bool]] = {
    "anything-but": _anything_but,
    "prefix": _prefix,
    "suffix": _suffix,
    "equals-ignore-case": _equals_ignore_case,
    "numeric": _numeric,
}
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda one, other: one == other,
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}


def _is_text(*values: object) -> bool:
    return all(isinstance(value, str) for value in values)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_plain(value: object) -> bool:
    return isinstance(value, str) or _is_number(value)
