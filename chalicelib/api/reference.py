"""Writes the OpenAPI document: `python -m chalicelib.api.reference > docs/reference/openapi.json`."""

from __future__ import annotations

import json
from typing import NoReturn

from chalicelib.api.context import Operation
from chalicelib.api.openapi.document import document
from chalicelib.api.routes.labs import routes_of


def operations() -> tuple[Operation, ...]:
    """Every operation that a route declares."""

    def unused() -> NoReturn:
        raise AssertionError("No request is answered here.")

    return routes_of(unused, unused).operations


def text() -> str:
    """The document as stored in `docs/`."""
    return json.dumps(document(operations()), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    print(text(), end="")
