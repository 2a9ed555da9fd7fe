"""Updates take time, run one after the other, and follow EKS's rules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.eks.conftest import Bench, code_of


def change(bench: Bench, **config: Any) -> dict[str, Any]:
    return bench.client("eks").update_cluster_config(name="myeks", **config)["update"]


def test_an_endpoint_becomes_private_after_a_while(bench: Bench) -> None:
    bench.active_cluster()
    wanted = {"endpointPublicAccess": False, "endpointPrivateAccess": True}
    update = change(bench, resourcesVpcConfig=wanted)
    assert update["type"] == "EndpointAccessUpdate"
    assert update["status"] == "InProgress"
    assert bench.finished(update)["status"] == "Successful"
    config = bench.describe()["resourcesVpcConfig"]
    assert (config["endpointPublicAccess"], config["endpointPrivateAccess"]) == (False, True)
    with pytest.raises(ClientError, match="already at the desired configuration") as same:
        change(bench, resourcesVpcConfig=wanted)
    assert code_of(same) == "InvalidParameterException"


def test_one_change_is_made_at_a_time(bench: Bench) -> None:
    bench.active_cluster()
    bench.freeze()
    change(bench, deletionProtection=True)
    assert bench.describe()["status"] == "UPDATING"
    with pytest.raises(ClientError) as busy:
        change(bench, upgradePolicy={"supportType": "STANDARD"})
    assert code_of(busy) == "ResourceInUseException"
    with pytest.raises(ClientError) as undeletable:
        bench.client("eks").delete_cluster(name="myeks")
    assert code_of(undeletable) == "ResourceInUseException"


def test_a_token_makes_one_update(bench: Bench) -> None:
    bench.active_cluster()
    first = change(bench, deletionProtection=True, clientRequestToken="once")
    assert change(bench, deletionProtection=True, clientRequestToken="once")["id"] == first["id"]
    assert bench.client("eks").list_updates(name="myeks")["updateIds"] == [first["id"]]


def test_protection_is_lifted_by_an_update(bench: Bench) -> None:
    bench.active_cluster(deletionProtection=True)
    bench.finished(change(bench, deletionProtection=False))
    assert bench.client("eks").delete_cluster(name="myeks")["cluster"]["status"] == "DELETING"


def test_extended_support_can_not_be_left_once_it_began(bench: Bench) -> None:
    bench.clock.set(datetime(2026, 11, 23, tzinfo=UTC))
    bench.active_cluster(version="1.33")
    with pytest.raises(ClientError) as refused:
        change(bench, upgradePolicy={"supportType": "STANDARD"})
    assert code_of(refused) == "InvalidRequestException"


def test_authentication_only_moves_towards_access_entries(bench: Bench) -> None:
    bench.active_cluster()
    bench.finished(change(bench, accessConfig={"authenticationMode": "API"}))
    assert bench.client("eks").list_access_entries(clusterName="myeks")["accessEntries"]
    with pytest.raises(ClientError) as refused:
        change(bench, accessConfig={"authenticationMode": "CONFIG_MAP"})
    assert code_of(refused) == "InvalidParameterException"


def test_versions_go_up_one_minor_at_a_time_and_nodes_follow(bench: Bench) -> None:
    bench.clock.set(datetime(2026, 11, 23, tzinfo=UTC))
    bench.active_cluster(version="1.35")
    bench.ready_nodegroup()
    eks = bench.client("eks")
    for wrong in ("1.37", "1.34", "1.35", "1.99"):
        with pytest.raises(ClientError) as refused:
            eks.update_cluster_version(name="myeks", version=wrong)
        assert code_of(refused) == "InvalidParameterException"
    bench.finished(eks.update_cluster_version(name="myeks", version="1.36")["update"])
    assert bench.describe()["version"] == "1.36"
    assert bench.describe_nodegroup()["version"] == "1.35"
    with pytest.raises(ClientError, match="must be updated to match"):
        eks.update_cluster_version(name="myeks", version="1.37")
    update = eks.update_nodegroup_version(clusterName="myeks", nodegroupName="workers", version="1.36")["update"]
    bench.finished(update, nodegroupName="workers")
    assert bench.describe_nodegroup()["version"] == "1.36"


def test_aws_upgrades_the_control_plane_and_nothing_else_when_its_support_ends(bench: Bench) -> None:
    bench.clock.set(datetime(2026, 11, 23, tzinfo=UTC))
    bench.active_cluster(version="1.34", upgradePolicy={"supportType": "STANDARD"})
    bench.ready_nodegroup()
    bench.clock.set(datetime(2026, 12, 2, tzinfo=UTC))
    bench.until(bench.describe, lambda cluster: cluster["version"] == "1.35")
    assert bench.describe_nodegroup()["version"] == "1.34"


def test_extended_support_keeps_the_version(bench: Bench) -> None:
    bench.clock.set(datetime(2026, 11, 23, tzinfo=UTC))
    bench.active_cluster(version="1.34", upgradePolicy={"supportType": "EXTENDED"})
    bench.clock.set(datetime(2026, 12, 2, tzinfo=UTC))
    assert bench.describe()["status"] == "ACTIVE"
    assert bench.client("eks").list_updates(name="myeks")["updateIds"] == []
