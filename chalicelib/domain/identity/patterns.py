"""Patterns of ARNs, as administrators, viewers and teams are named by: an exact text, in which `*` alone stands for any text.

A pattern is compared with an identity, which has no suffix of a permission set's role: `AWSReservedSSO_Labs/*`,
`AWSReservedSSO_Labs_0123456789abcdef/*` and `AWSReservedSSO_Labs_*` mean the permission set Labs and no other one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

#: The end of a role's name in a pattern: the suffix, or a `*` in its place.
_SUFFIX = re.compile(r"(?<=AWSReservedSSO_)([^/]+?)_(?:[0-9a-f]{16}|\*)(/|$)")
_ROLE = re.compile(r"AWSReservedSSO_(.+)_[0-9a-f]{16}")


def fits(names: Iterable[str], patterns: Iterable[str]) -> bool:
    """Whether a pattern fits one of the names, upper and lower case apart."""
    known = [_expression(pattern) for pattern in patterns]
    return any(pattern.fullmatch(name) for name in names for pattern in known)


def permission_sets_matched(pattern: str, role_names: Iterable[str]) -> tuple[str, ...]:
    """The permission sets, of these names of their roles, whose people a pattern may fit. Sorted."""
    sets = {found[1] for name in role_names if (found := _ROLE.fullmatch(name))}
    role = _without_suffix(pattern).partition(":assumed-role/")[2].partition("/")[0]
    if not role and not pattern.startswith("*"):
        return ()
    expression = _expression(role or "*")
    return tuple(sorted(name for name in sets if expression.fullmatch(f"AWSReservedSSO_{name}")))


def _without_suffix(pattern: str) -> str:
    return _SUFFIX.sub(lambda found: f"{found[1]}/{'' if found[2] else '*'}", pattern)


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, _without_suffix(pattern).split("*"))), re.DOTALL)
