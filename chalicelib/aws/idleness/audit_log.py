"""Finds the last human user in a cluster's audit log: not Kubernetes', EKS's, or this service's own.

The log comes oldest first and may be long: a bounded number of pages is read. If they held no person and there were more, the
source counts as unread.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.aws.clients.calls import first_pages
from chalicelib.aws.idleness.evidence import MetricWindow, Reading, noting
from chalicelib.domain.core.names import principal_of, same_principal
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.idleness.evidence import Sighting, Source
from chalicelib.domain.labs.access_role import person_behind
from chalicelib.domain.labs.lab import Lab

_STREAMS = "kube-apiserver-audit"
#: The filter that CloudWatch Logs applies; its results are checked again.
_PEOPLE = '{ ($.user.username != "system:*") && ($.user.username != "eks:*") }'
#: Users of Kubernetes' components and service accounts, and of EKS's own.
_MACHINES = ("system:", "eks:")
_PAGES = 20


class AuditLog:
    """`own_arn`: the role with which this service reads clusters; its own calls don't count."""

    def __init__(self, logs: Any, own_arn: str) -> None:
        self._logs, self._own = logs, own_arn

    def read(self, reading: Reading, window: MetricWindow) -> None:
        """Fill in the last person, or record the failure."""
        noting(Source.AUDIT, [reading], lambda: self._read(reading, window))

    def _read(self, reading: Reading, window: MetricWindow) -> None:
        read_to_its_end = False
        for page, is_last in self._pages(reading.lab.name, window):
            read_to_its_end = is_last
            for event in page.get("events", []):
                seen = self._person(event, reading.lab)
                if seen and (reading.audit_human is None or reading.audit_human.at < seen.at):
                    reading.audit_human = seen
        if not read_to_its_end and reading.audit_human is None:
            reading.miss(
                Source.AUDIT,
                Sentence("nobody in {pages} pages of logs:FilterLogEvents, and there was more", pages=_PAGES),
            )

    def _pages(self, cluster: str, window: MetricWindow) -> Iterator[tuple[Mapping[str, Any], bool]]:
        """Each page, and whether it was the last."""
        return first_pages(
            self._logs,
            "logs:FilterLogEvents",
            _PAGES,
            logGroupName=f"/aws/eks/{cluster}/cluster",
            logStreamNamePrefix=_STREAMS,
            startTime=_milliseconds(window.start),
            endTime=_milliseconds(window.now),
            filterPattern=_PEOPLE,
        )

    def _person(self, event: Mapping[str, Any], lab: Lab) -> Sighting | None:
        try:
            username = json.loads(event["message"])["user"]["username"]
        except (ValueError, KeyError, TypeError):
            return None
        if not isinstance(username, str) or not username or username.startswith(_MACHINES) or self._is_own(username):
            return None
        return Sighting(person_behind(username, lab), datetime.fromtimestamp(event["timestamp"] / 1000, UTC))

    def _is_own(self, username: str) -> bool:
        """A role is recognised by its session's ARN, with any session name."""
        return same_principal(principal_of(username) or username, principal_of(self._own) or self._own)


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
