"""The API reference for people, rendered from the same document that `GET /openapi.json` serves."""

from __future__ import annotations

from chalice import Response

from chalicelib.api.pages.visit import Visit


def show_reference(visit: Visit) -> Response:
    """Every operation with its query, its body and its answers."""
    return visit.show("reference.html", operations=visit.context.operations)
