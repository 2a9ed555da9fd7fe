"""Reads the text of a DynamoDB condition once, and not for each item, so that queries of large tables are quick.

ministack tokenizes and checks it for each item that it looks at. An equality, which most queries of a partition are, is
compared here. ministack still makes the refusals, in its own words.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from ministack.services import dynamodb

Item = Mapping[str, Any]
Judge = Callable[[Item, Mapping[str, Any], Mapping[str, str]], bool]
#: Texts of conditions that are remembered: a service has a few dozen, if its values have no names of their own.
_MOST = 1000


def install() -> None:
    """Install the cache in this process's DynamoDB."""
    dynamodb._condition_syntax_error = lru_cache(_MOST)(dynamodb._condition_syntax_error)
    dynamodb._evaluate_condition = reading_once(dynamodb._evaluate_condition)


def reading_once(evaluate: Callable[..., bool]) -> Callable[..., bool]:
    """`evaluate` with a cache of parsed texts; it still parses the texts that it refuses each time.

    BETWEEN is left to `evaluate`, because its bounds are values and differ each time.
    """
    known: dict[tuple[str, str], Judge] = {}

    def evaluated(text: str, item: Item, values: Any, names: Any, slot: str = "ConditionExpression") -> bool:
        judge = known.get((text, slot))
        if judge is not None:
            try:
                return judge(item, values or {}, names or {})
            except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
                return evaluate(text, item, values, names, slot)  # In its own words.
        result = evaluate(text, item, values, names, slot)
        if text and text.strip() and "BETWEEN" not in text.upper():
            if len(known) >= _MOST:
                known.clear()
            known[text, slot] = _judge_of(dynamodb._tokenize(text))
        return result

    return evaluated


def _judge_of(tokens: list[tuple[str, str]]) -> Judge:
    match tokens:
        case [("IDENT" | "NAME_REF", name), ("EQ", _), ("VALUE_REF", value), ("EOF", _)]:
            return lambda item, values, names: bool(
                dynamodb._compare_ddb(item.get(names.get(name, name)), "=", values.get(value))
            )
    return lambda item, values, names: bool(dynamodb._ExprEval(tokens, item, values, names).evaluate())
