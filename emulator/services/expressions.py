"""DynamoDB's expressions are read once: ministack reads a query's anew for each item that it looks at."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ministack.services import dynamodb

_MOST = 1024


def install() -> None:
    """Let this process's DynamoDB do so."""
    tokenize = dynamodb._tokenize

    @lru_cache(_MOST)
    def tokens(expression: str) -> tuple[Any, ...]:
        return tuple(tokenize(expression))

    dynamodb._tokenize = lambda expression: list(tokens(expression))
    dynamodb._condition_syntax_error = lru_cache(_MOST)(dynamodb._condition_syntax_error)
