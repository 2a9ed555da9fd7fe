"""The support calendar: EKS's own, else the bundled table, always with the source.

`eks-versions.json` beside this module is that table, with its date. Its dates, like the API's, are 00:00 UTC.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chalicelib.aws.clients.calls import every
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import AwsRefused, Transient
from chalicelib.domain.support.calendar import Calendar, VersionSupport
from chalicelib.logs import logger

LIVE = "eks:DescribeClusterVersions"
BUNDLED = Sentence("bundled table")
_TABLE = Path(__file__).with_name("eks-versions.json")


def live_or_bundled(eks: Any, now: Callable[[], datetime]) -> Calendar:
    """EKS's calendar as of now; the bundled one if EKS returns none, or an empty one."""
    try:
        rows = every(eks, LIVE, "clusterVersions", includeAll=True)
    except (AwsRefused, Transient) as error:
        logger.warning("support calendar read from the bundled table", extra={"reason": str(error)})
        return bundled()
    versions = tuple(_support(row) for row in rows if _is_usable(row))
    return Calendar(versions, LIVE, now()) if versions else bundled()


def bundled() -> Calendar:
    """The table that ships with the service."""
    table = json.loads(_TABLE.read_text())
    versions = tuple(
        VersionSupport(
            row["version"], _day(row["release"]), _day(row["endOfStandardSupport"]), _day(row["endOfExtendedSupport"])
        )
        for row in table["versions"]
    )
    return Calendar(versions, BUNDLED, _day(table["as_of"]))


def _is_usable(row: Mapping[str, Any]) -> bool:
    """A version of EKS in the cloud (not on Outposts) that has a date."""
    return row.get("clusterType", "eks") == "eks" and "endOfStandardSupportDate" in row


def _support(row: Mapping[str, Any]) -> VersionSupport:
    """Without an end of extended support, none is assumed: support ends with standard support."""
    standard = row["endOfStandardSupportDate"].astimezone(UTC)
    extended = row.get("endOfExtendedSupportDate")
    released = row.get("releaseDate")
    return VersionSupport(
        version=row["clusterVersion"],
        released_at=released.astimezone(UTC) if released else None,
        end_of_standard=standard,
        end_of_extended=extended.astimezone(UTC) if extended else standard,
        is_default=bool(row.get("defaultVersion", False)),
    )


def _day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
