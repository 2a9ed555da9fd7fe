"""The EKS support calendar: the minor versions, and the ends of their standard and extended support.

Deadlines are read, never computed from months: AWS moves them. Instants are 00:00 UTC of AWS's date.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass


class SupportStatus(StrEnum):
    """EKS's versionStatus words."""

    STANDARD = "STANDARD_SUPPORT"
    EXTENDED = "EXTENDED_SUPPORT"
    UNSUPPORTED = "UNSUPPORTED"


@dataclass(frozen=True)
class VersionSupport:
    """One minor version, e.g. `1.36`, and its dates (aware UTC). `is_default`: EKS's default for a new cluster."""

    version: str
    released_at: datetime | None
    end_of_standard: datetime
    end_of_extended: datetime
    is_default: bool = False

    def status_at(self, now: datetime) -> SupportStatus:
        """Its support at `now`: extended billing starts at the very instant standard support ends."""
        if now >= self.end_of_extended:
            return SupportStatus.UNSUPPORTED
        return SupportStatus.EXTENDED if now >= self.end_of_standard else SupportStatus.STANDARD

    @property
    def sort_key(self) -> tuple[int, ...]:
        """Numeric order: 1.9 before 1.10."""
        return tuple(int(part) for part in self.version.split("."))


@dataclass(frozen=True)
class Calendar:
    """All known versions. `source` is `eks:DescribeClusterVersions` or `bundled table`, `as_of` its date."""

    versions: tuple[VersionSupport, ...]
    source: str
    as_of: datetime

    def get(self, version: str) -> VersionSupport | None:
        """The entry of one version, or None if the calendar does not list it."""
        return next((entry for entry in self.versions if entry.version == version), None)

    def available(self, now: datetime) -> tuple[VersionSupport, ...]:
        """The versions for a new cluster at `now`, newest first."""
        open_now = [v for v in self.versions if v.status_at(now) is not SupportStatus.UNSUPPORTED]
        released = [v for v in open_now if v.released_at is None or v.released_at <= now]
        return tuple(sorted(released, key=lambda v: v.sort_key, reverse=True))

    def default(self, now: datetime) -> VersionSupport | None:
        """The version of a cluster that names none: EKS's own default in standard support, else the newest in it."""
        own = (v for v in self.available(now) if v.is_default and v.status_at(now) is SupportStatus.STANDARD)
        return next(own, None) or self.newest_standard(now)

    def newest_standard(self, now: datetime) -> VersionSupport | None:
        """The newest version in standard support at `now`, or None on an empty calendar."""
        return next((v for v in self.available(now) if v.status_at(now) is SupportStatus.STANDARD), None)
