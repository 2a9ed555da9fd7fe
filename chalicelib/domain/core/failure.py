"""The reason why a lab could not be created: EKS's report, an explanation, and the party that has to fix it."""

from __future__ import annotations

from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass, pattern


@dataclass(frozen=True)
class Failure:
    """`code` is a stable kebab-case word (`no-capacity`, ...), `reason` a sentence with the remedy, `cause` AWS's own words."""

    code: str
    reason: str
    responsible: Responsible
    cause: str = ""


class Responsible(StrEnum):
    """The party that can fix a failure. UNKNOWN: AWS's words, shown unchanged, do not say."""

    YOURS = "yours to fix"
    OURS = "ours"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class HealthIssue:
    """A health issue as EKS reports it: its code, its message, the resources it names."""

    code: str
    message: str
    resource_ids: tuple[str, ...] = ()


#: Balancers, stacks, clusters and log groups by the name of the setting; instances and Auto Scaling groups by its value.
PROTECTED = pattern(r"(?i)(deletion|termination)[ _-]?protection|disableApiTermination|prevent-(all|force)-deletion")
