"""Domain objects as JSON: names in lowerCamelCase, instants in ISO 8601 with Z, mappings' own keys untouched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from chalicelib.domain.core.sentence import ENGLISH, Said, Words, said

_ACRONYMS = {"imds": "IMDS"}


def to_json(value: Any) -> Any:
    """A value for json.dumps. Dataclasses become objects with all their fields."""
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {camel(f.name): to_json(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, str):
        return value if isinstance(value, Said) else str(value)
    if isinstance(value, Sequence):
        return [to_json(item) for item in value]
    return value


def in_language(value: Any, words: Words) -> Any:
    """A document with its sentences translated; names, codes and numbers unchanged."""
    if words is ENGLISH:
        return value
    if isinstance(value, Said):
        return said(value, words)
    if isinstance(value, Mapping):
        return {key: in_language(item, words) for key, item in value.items()}
    return [in_language(item, words) for item in value] if isinstance(value, list | tuple) else value


def instant(context: datetime) -> str:
    """`2026-11-23T10:00:00Z`, to the second."""
    return context.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def camel(name: str) -> str:
    """`lease_ends_at` -> `leaseEndsAt`, `disable_pod_imds` -> `disablePodIMDS`, in eksctl's spelling."""
    first, *rest = name.split("_")
    return first + "".join(_ACRONYMS.get(word, word.capitalize()) for word in rest)
