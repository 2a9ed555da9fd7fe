"""A finding: one statement about one field of a request, by its path. Errors refuse, warnings come with the answer."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Slot, sentence


class Level(StrEnum):
    """Whether a finding refuses the request."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class Finding:
    """`path` names the field as the caller wrote it: `nodegroups[0].min`, `managedNodeGroups[1].ssh.allow`, `` for the body.

    `code` is a stable kebab-case word for programs (`unknown-field`, `wrong-type`, `version-ended`, ...), `message` is
    a sentence for a person that names the fault and the remedy.
    """

    path: str
    code: str
    message: str
    severity: Level = Level.ERROR


def error(path: str, code: str, message: str, /, **slots: Slot) -> Finding:
    """Make a finding that refuses the request. `message`: a Sentence's, with its slots, or a text that is made already."""
    return Finding(path, code, sentence(message, **slots), Level.ERROR)


def warning(path: str, code: str, message: str, /, **slots: Slot) -> Finding:
    """Make a finding that is shown, but does not refuse. `message` as in `error`."""
    return Finding(path, code, sentence(message, **slots), Level.WARNING)


def has_errors(findings: Iterable[Finding]) -> bool:
    """Whether any finding refuses the request."""
    return any(finding.severity is Level.ERROR for finding in findings)
