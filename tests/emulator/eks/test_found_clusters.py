"""Existing clusters: ended versions, missing members, forced upgrades in AWS's own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator.eks.clusters.found import found_from, put_found
from tests.emulator.eks.conftest import REGION, Bench

TODAY = datetime(2026, 11, 23, tzinfo=UTC)


def put(bench: Bench, **given: Any) -> None:
    bench.clock.set(TODAY)
    put_found(bench.eks.world, found_from({"name": "old", **given}, bench.account, REGION))


def test_a_cluster_of_an_ended_version_can_be_found(bench: Bench) -> None:
    put(bench, version="1.28", sparedUntil="2027-06-01T00:00:00Z", createdAt="2023-10-20T09:00:00+09:00")
    found = bench.describe("old")
    assert (found["version"], found["status"]) == ("1.28", "ACTIVE")
    assert found["createdAt"].astimezone(UTC) == datetime(2023, 10, 20, tzinfo=UTC)
    assert bench.client("eks").list_clusters()["clusters"] == ["old"]


def test_what_is_untold_is_left_out_and_still_true(bench: Bench) -> None:
    put(bench, version="1.34", supportType="STANDARD", omitted=["tags", "platformVersion", "logging", "upgradePolicy"])
    assert not {"tags", "platformVersion", "logging", "upgradePolicy"} & set(bench.describe("old"))
    bench.clock.set(datetime(2026, 12, 2, tzinfo=UTC))
    bench.until(lambda: bench.describe("old"), lambda cluster: cluster["version"] == "1.35")


@pytest.mark.parametrize(
    ("version", "support_type", "ends", "becomes"),
    [("1.31", "EXTENDED", "2026-11-26", "1.32"), ("1.34", "STANDARD", "2026-12-02", "1.35")],
)
def test_aws_upgrades_the_control_plane_at_the_end_and_leaves_the_nodes(
    bench: Bench, version: str, support_type: str, ends: str, becomes: str
) -> None:
    put(bench, version=version, supportType=support_type, nodegroups=[{"name": "workers"}])
    end = datetime.fromisoformat(ends).replace(tzinfo=UTC)
    bench.clock.set(end - timedelta(minutes=5))
    assert (bench.describe("old")["version"], bench.describe("old")["status"]) == (version, "ACTIVE")
    bench.clock.set(end)
    assert bench.describe("old")["status"] == "UPDATING"
    bench.until(lambda: bench.describe("old"), lambda cluster: cluster["version"] == becomes)
    group = bench.client("eks").describe_nodegroup(clusterName="old", nodegroupName="workers")["nodegroup"]
    assert group["version"] == version


def test_a_cluster_aws_has_not_got_round_to_stays_past_its_end(bench: Bench) -> None:
    put(bench, version="1.31", sparedUntil="2026-12-20T00:00:00Z")
    bench.clock.set(datetime(2026, 12, 19, tzinfo=UTC))
    assert bench.describe("old")["status"] == "ACTIVE"
    bench.clock.set(datetime(2026, 12, 20, tzinfo=UTC))
    bench.until(lambda: bench.describe("old"), lambda cluster: cluster["version"] == "1.32")


def test_its_owner_can_upgrade_its_nodes_and_delete_it(bench: Bench) -> None:
    put(bench, version="1.34", nodegroups=[{"name": "workers", "version": "1.33"}])
    eks = bench.client("eks")
    update = eks.update_nodegroup_version(clusterName="old", nodegroupName="workers")["update"]
    assert bench.finished(update, name="old", nodegroupName="workers")["status"] == "Successful"
    eks.delete_nodegroup(clusterName="old", nodegroupName="workers")
    bench.until(lambda: eks.list_nodegroups(clusterName="old")["nodegroups"], lambda names: not names)
    eks.delete_cluster(name="old")
    bench.until(lambda: eks.list_clusters()["clusters"], lambda names: not names)


def test_nonsense_is_refused_in_words(bench: Bench) -> None:
    with pytest.raises(ValueError, match="a name and a version"):
        put(bench, versoin="1.31")
    with pytest.raises(ValueError, match="has none of"):
        put(bench, version="1.31", omitted=["colour"])
    with pytest.raises(ValueError, match="no time zone"):
        put(bench, version="1.31", createdAt="2024-10-15T10:00:00")
