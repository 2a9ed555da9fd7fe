"""Watched clusters reveal no lab: a lab's cluster is visible to those who see the lab, and not found for others."""

from __future__ import annotations

import pytest

from tests.api.matrix import CALLERS, MATRIX, OWNER, SSO
from tests.api.test_matrix import LAB, the_world
from tests.fakes.builders import ACCOUNT
from tests.fakes.fleet_builders import REGION, a_fleet_cluster, a_notice, a_watched


@pytest.mark.parametrize("owner", [OWNER, f"{SSO}Labs/learner@example.com", "learner@example.com"])
def test_the_cluster_of_a_lab_is_watched_for_those_who_see_the_lab_and_for_others_not_there(owner: str) -> None:
    theirs = {"same team", "viewer", "owner", "owner anew", "administrator"} - (
        {"same team"} if ":" not in owner else set()
    )
    for kind, arn in CALLERS.items():
        if kind in ("unsigned", "guest without a browser", "other account"):
            continue
        http = the_world()
        http.world.watch.store.put(a_watched("myeks", cluster=a_fleet_cluster("myeks"), owner=owner, lab_id=LAB))
        http.world.watch.fleets.add(a_fleet_cluster("myeks"))
        http.world.watch.store.add_notices((a_notice("myeks"), a_notice("orders")))
        there = [cluster["name"] for cluster in http.get("/clusters", caller=arn).json["clusters"]]
        assert ("myeks" in there, "orders" in there) == (kind in theirs, True), kind
        message = [notice["name"] for notice in http.get("/notices", caller=arn).json["notices"]]
        assert ("myeks" in message, "orders" in message) == (kind in theirs, True), kind
        assert ("myeks" in http.get("/deadlines.ics", caller=arn).text) == (kind in theirs), kind
        for route in (route for route in MATRIX if route[1].startswith("/clusters/")):
            path = route[1].format(account=ACCOUNT, region=REGION, name="{name}")
            found, missing = (
                http.call(route[0], path.format(name=name), body=MATRIX[route][0], caller=arn)
                for name in ("myeks", "nowhere")
            )
            assert (found.status == 404) == (kind not in theirs and missing.status == 404), (kind, route)
            assert kind in theirs or found.text.replace("myeks", "nowhere") == missing.text, (kind, route)
