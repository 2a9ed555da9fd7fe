"""Patterns of ARNs for administrators, viewers and teams: an exact text, in which `*` stands for any text.

A pattern is compared with an identity, which has no suffix of a permission set's role: `AWSReservedSSO_Labs/*`,
`AWSReservedSSO_Labs_0123456789abcdef/*` and `AWSReservedSSO_Labs_*` mean the permission set Labs and no other one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from chalicelib.domain.core.deferred import dataclass

#: The end of a role's name in a pattern: the suffix, or a `*` in its place.
_SUFFIX = re.compile(r"(?<=AWSReservedSSO_)([^/]+?)_(?:[0-9a-f]{16}|\*)(/|$)")
_ROLE = re.compile(r"AWSReservedSSO_(.+)_[0-9a-f]{16}")


@dataclass(frozen=True)
class Patterns:
    """Many patterns at once: exact texts are looked up in a set; the others are tried in turn."""

    exact: frozenset[str]
    others: tuple[re.Pattern[str], ...]

    def fit(self, names: Iterable[str]) -> bool:
        """Whether one of them matches one of the names, case-sensitive."""
        return any(name in self.exact or any(each.fullmatch(name) for each in self.others) for name in names)


def patterns_of(texts: Iterable[str]) -> Patterns:
    """The patterns of these texts."""
    known = [_without_suffix(text) for text in texts]
    others = tuple(_expression(text) for text in known if "*" in text)
    return Patterns(frozenset(text for text in known if "*" not in text), others)


def fits(names: Iterable[str], patterns: Iterable[str]) -> bool:
    """Whether a pattern matches one of the names, case-sensitive."""
    return patterns_of(patterns).fit(names)


def permission_sets_matched(pattern: str, role_names: Iterable[str]) -> tuple[str, ...]:
    """The permission sets, by these names of their roles, whose people a pattern may match. Sorted."""
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
    """The regular expression of a pattern without suffix."""
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
