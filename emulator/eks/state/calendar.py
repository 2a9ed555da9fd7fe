"""The support calendar: the Kubernetes versions of EKS and their dates, as of any instant.

Dates come from eks-versions.json beside this file; after its last one, new versions follow at AWS's pace, so that the calendar
does not end. A version's end takes effect at 00:00 UTC of its day.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources

STANDARD, EXTENDED, UNSUPPORTED = "STANDARD_SUPPORT", "EXTENDED_SUPPORT", "UNSUPPORTED"
_DEFAULT_AFTER = timedelta(days=60)
#: Between two releases of EKS's, and from upstream's to EKS's; 14 months of standard support and 12 of extended.
_PACE, _BEHIND = timedelta(days=122), timedelta(days=36)
_STANDARD_MONTHS, _EXTENDED_MONTHS = 14, 12


@dataclass(frozen=True, slots=True)
class KubernetesVersion:
    """A minor version's days on EKS, each at 00:00 UTC."""

    name: str
    upstream: datetime
    release: datetime
    end_of_standard: datetime
    end_of_extended: datetime

    @property
    def minor(self) -> int:
        """The number after the dot."""
        return int(self.name.split(".")[1])

    def status(self, now: datetime) -> str:
        """Return the version's support status at this instant."""
        if now >= self.end_of_extended:
            return UNSUPPORTED
        return EXTENDED if now >= self.end_of_standard else STANDARD

    def patch(self, now: datetime) -> str:
        """Return a plausible patch version: upstream makes about one a month for fourteen months."""
        return f"{self.name}.{max(0, min(14, (now - self.upstream).days // 30))}"


class Calendar:
    """All versions, newest first."""

    def __init__(self) -> None:
        table = json.loads(resources.files("emulator.eks.state").joinpath("eks-versions.json").read_text("utf-8"))
        entries = [_version(entry) for entry in table["versions"]]
        self._versions = sorted(entries, key=lambda version: -version.minor)
        self._following = _following(self._versions[0])

    def released(self, now: datetime) -> list[KubernetesVersion]:
        """Return every version EKS has released by this instant."""
        while self._following.release <= now:
            self._versions.insert(0, self._following)
            self._following = _following(self._versions[0])
        return [version for version in self._versions if version.release <= now]

    def find(self, name: str, now: datetime) -> KubernetesVersion | None:
        """Return a released version by name, ended or not."""
        return next((version for version in self.released(now) if version.name == name), None)

    def default(self, now: datetime) -> KubernetesVersion:
        """Return the version of a cluster whose request names none: a release becomes the default some time after it."""
        standing = [version for version in self.released(now) if version.status(now) == STANDARD]
        settled = [version for version in standing if version.release + _DEFAULT_AFTER <= now]
        return (settled or standing or self.released(now))[0]


def _following(last: KubernetesVersion) -> KubernetesVersion:
    """The version that follows one at AWS's pace."""
    release = last.release + _PACE
    standard = _months_after(release, _STANDARD_MONTHS)
    return KubernetesVersion(
        name=f"1.{last.minor + 1}",
        upstream=release - _BEHIND,
        release=release,
        end_of_standard=standard,
        end_of_extended=_months_after(standard, _EXTENDED_MONTHS),
    )


def _months_after(day: datetime, months: int) -> datetime:
    """The same day of a later month, or the first of the month after where there is none."""
    years, month = divmod(day.month - 1 + months, 12)
    if day.day <= 28:
        return day.replace(year=day.year + years, month=month + 1)
    return (day.replace(day=28, year=day.year + years, month=month + 1) + timedelta(days=4)).replace(day=1)


def _version(entry: dict[str, str]) -> KubernetesVersion:
    return KubernetesVersion(
        name=entry["version"],
        upstream=_midnight(entry["upstream"]),
        release=_midnight(entry["release"]),
        end_of_standard=_midnight(entry["endOfStandardSupport"]),
        end_of_extended=_midnight(entry["endOfExtendedSupport"]),
    )


def _midnight(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC)
