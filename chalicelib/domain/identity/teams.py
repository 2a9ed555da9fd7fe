"""Teams: people who see each other's labs, named by patterns of ARNs as administrators are.

A pattern may name a permission set's role with its suffix, with `*` in its place, or without it: all three mean the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

from chalicelib.domain.core.deferred import dataclass

_SSO_SUFFIX = re.compile(r"(?<=AWSReservedSSO_)([^/]+?)_(?:[0-9a-f]{16}|\*)(?=/)")


@dataclass(frozen=True)
class Team:
    """Everyone whom one of the patterns fits. `*` stands for any text."""

    name: str
    patterns: tuple[str, ...]

    def has(self, *names: str) -> bool:
        """Whether someone who goes by these names (an ARN, an identity) is in it."""
        return fits(names, self.patterns)


def fits(names: Iterable[str], patterns: Iterable[str]) -> bool:
    """Whether a pattern fits one of the names."""
    wanted = {form for pattern in patterns for form in (pattern, _SSO_SUFFIX.sub(r"\1", pattern))}
    return any(fnmatchcase(name, form) for name in names for form in wanted)
