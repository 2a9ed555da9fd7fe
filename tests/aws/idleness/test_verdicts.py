"""Activity in the sandbox's clusters, read by the reader and judged by the rules: each profile has its expected verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.aws.idleness.reader import AwsSignals, SignalClients
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.idleness.judge import judge
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.schedule import Schedule
from emulator.cloudwatch.profiles import LASTING, PROFILES
from emulator.process import Sandbox
from sandbox.activity import set_activity
from sandbox.scenarios.fleet import Machines, launch, put_clusters
from tests import versions
from tests.fakes.builders import a_lab, a_spec

NOW = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
#: Programs with constant traffic, which are no work.
IDLE = {"idle", "k9s", "gitops", "scraped", "crash-loop"}
BUSY = {"busy", "job", "queue", "cron", "one-core", "nightly"}
KINDS = {"one-core": "m5.2xlarge", "gpu": "g5.xlarge"}
UNKNOWN = {"silent", "gaps"}
#: Their work shows on a balancer, or nowhere: other tests cover these.
ELSEWHERE = {"web", "websocket", "gpu"}


@pytest.fixture(scope="module")
def verdicts(sandbox: Sandbox) -> dict[str, Verdict]:
    """One lab for each profile, three days old, all read at once."""
    labs = {}
    for profile in PROFILES:
        lab = a_lab(
            id=f"lab-{profile}", spec=a_spec(name=f"judged-{profile}", schedule=Schedule("Asia/Seoul")), phase="ready"
        )
        labs[profile] = replace(lab, created_at=NOW - timedelta(days=3))
        told = {
            "name": lab.name,
            "version": versions.standard(),
            "tags": {"ekslab:lab-id": lab.id},
            "omitted": ["endpoint"],
        }
        put_clusters(sandbox, [told | {"nodegroups": [{"name": "nodes", "count": 2}]}])
        launch(sandbox, Machines(lab.name, "nodes", 2, managed=True, kind=KINDS.get(profile, "t3.medium")))
        set_activity(sandbox, lab.name, profile, None if profile in LASTING else NOW - timedelta(hours=6))
    services = {name: name for name in SignalClients.__dataclass_fields__} | {"tagging": "resourcegroupstaggingapi"}
    clients = SignalClients(**{name: sandbox.client(service) for name, service in services.items()})
    seen = AwsSignals(clients, "token of {}".format, str).read(tuple(labs.values()), NOW, timedelta(hours=3))
    return {profile: judge(lab, seen[lab.id], CurfewRules(), NOW) for profile, lab in labs.items()}


@pytest.mark.parametrize("profile", sorted(IDLE))
def test_where_only_programs_talk_the_lab_is_idle(verdicts: dict[str, Verdict], profile: str) -> None:
    assert verdicts[profile].idle, verdicts[profile].sentence


@pytest.mark.parametrize("profile", sorted(BUSY))
def test_where_there_is_work_the_lab_is_busy(verdicts: dict[str, Verdict], profile: str) -> None:
    assert not verdicts[profile].idle
    assert verdicts[profile].sentence.startswith("busy")


@pytest.mark.parametrize("profile", sorted(UNKNOWN))
def test_where_nothing_is_told_the_lab_is_not_known_to_be_idle(verdicts: dict[str, Verdict], profile: str) -> None:
    assert not verdicts[profile].idle
    assert "no data" in verdicts[profile].sentence
