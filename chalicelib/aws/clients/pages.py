"""Answers that come in pages, read by botocore's paginators up to a bound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.aws.clients.errors import translate

_TOKENS = ("NextToken", "nextToken")


def first_pages(
    client: Any, operation: str, action: str, most: int, **request: Any
) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Up to `most` pages, each with whether it is the last there is.

    `operation` is boto3's name of it, `action` IAM's. Raises what `translate` makes of AWS's errors.
    """
    pages = iter(client.get_paginator(operation).paginate(**request))
    for _ in range(most):
        with translate(action):
            page = next(pages, None)
        if page is None:
            return
        yield page, not any(page.get(token) for token in _TOKENS)
