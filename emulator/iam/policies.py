"""Policy documents are parsed once: ministack parses all of a caller's anew for each request."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ministack.core import iam_evaluator

_MOST = 2048


def install() -> None:
    """Install the cache in this process's evaluator; no code changes a parsed document."""
    parse = iam_evaluator.parse_policy_document

    @lru_cache(_MOST)
    def parse_text(document: str) -> Any:
        return parse(document)

    def parse_once(document: Any) -> Any:
        return parse_text(document) if isinstance(document, str) else parse(document)

    iam_evaluator.parse_policy_document = parse_once
