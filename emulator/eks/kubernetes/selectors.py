"""Label and field selectors of a list, as in "Labels and Selectors" and "Field Selectors" of Kubernetes' documentation."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Object = dict[str, Any]
_IN = re.compile(r"\s*([^\s!=,]+)\s+(in|notin)\s+\(([^)]*)\)\s*")


def selected(labels: str, fields: str) -> Callable[[Object], bool]:
    """Return whether an object matches the selectors."""
    by_label, by_field = _requirements(labels), [each for each in fields.split(",") if each]
    return lambda found: all(fits(found) for fits in by_label) and all(_has(found, each) for each in by_field)


def _requirements(text: str) -> list[Callable[[Object], bool]]:
    parts = re.split(r",(?![^(]*\))", text) if text else []
    return [_requirement(part.strip()) for part in parts]


def _requirement(text: str) -> Callable[[Object], bool]:
    if found := _IN.fullmatch(text):
        key, how, values = found[1], found[2], {each.strip() for each in found[3].split(",")}
        return lambda each: (_labels(each).get(key) in values) == (how == "in")
    if "!=" in text:
        key, _, value = text.partition("!=")
        return lambda each: _labels(each).get(key.strip()) != value.strip()
    if "=" in text:
        key, _, value = text.partition("=")
        return lambda each: _labels(each).get(key.strip()) == value.strip().lstrip("=")
    if text.startswith("!"):
        return lambda each: text[1:] not in _labels(each)
    return lambda each: text in _labels(each)


def _labels(found: Object) -> dict[str, str]:
    return dict(found["metadata"].get("labels") or {})


def _has(found: Object, text: str) -> bool:
    path, is_not, wanted = re.split(r"(!=|==|=)", text, maxsplit=1)
    value: Any = found
    for part in path.split("."):
        value = value.get(part, "") if isinstance(value, dict) else ""
    return (str(value) == wanted) != (is_not == "!=")
