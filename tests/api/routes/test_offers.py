"""GET and PUT /offers: everyone may read, administrators change, and a request is judged by the latest list."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.domain.labs.aws_states import HostedZone
from tests.api.http import ADMIN, STRANGER, Http

ROLE = "arn:aws:iam::111122223333:role/ekslab/reader"
WHOLE: dict[str, Any] = {
    "zones": [{"hostedZoneId": "Z0123456789", "domain": "labs.example.com"}],
    "networks": [{"vpcId": "vpc-0dd338ecf29863c55", "subnetIds": ["subnet-0b2512f8c6ae9bf30"]}],
    "keyPairs": ["course"],
    "podRoles": [{"roleArn": ROLE, "owners": ["*/learner"]}],
    "instanceTypes": ["t3", "m5.large"],
    "maxNodes": 4,
    "maxUsdHour": 1.5,
    "openToTheWorld": True,
}


def test_what_was_put_is_what_is_got_and_the_rest_stays() -> None:
    http = Http()
    usual = http.get("/offers").json
    assert (usual["zones"], usual["networks"], usual["keyPairs"], usual["podRoles"]) == ([], [], [], [])
    assert "t3" in usual["instanceTypes"]
    answer = http.put("/offers", WHOLE, caller=ADMIN)
    assert answer.status == 200
    assert {name: answer.json[name] for name in WHOLE} == WHOLE
    assert answer.json["changedBy"] == ADMIN
    changed = http.put("/offers", {"keyPairs": []}, caller=ADMIN).json
    assert {name: changed[name] for name in WHOLE} == {**WHOLE, "keyPairs": []}


def test_others_see_the_roles_that_are_theirs_and_not_whose_others_are() -> None:
    http = Http()
    http.put("/offers", WHOLE, caller=ADMIN)
    assert http.get("/offers").json["podRoles"] == [{"roleArn": ROLE}]
    assert http.get("/offers", caller=STRANGER).json["podRoles"] == []
    assert "changedBy" not in http.get("/offers").json


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, ""),
        ({"zones": [{"hostedZoneId": "z", "domain": "labs.example.com"}]}, "zones[0].hostedZoneId"),
        ({"zones": [{"hostedZoneId": "Z0123456789"}]}, "zones[0].domain"),
        ({"networks": [{}]}, "networks[0]"),
        ({"networks": [{"vpcId": "vpc"}]}, "networks[0].vpcId"),
        ({"networks": [{"subnetIds": ["subnet"]}]}, "networks[0].subnetIds[0]"),
        ({"networks": [{"tag": "team=platform"}]}, "networks[0].tag"),
        ({"podRoles": [{"roleArn": "arn:aws:iam::111122223333:role/admin", "owners": ["*"]}]}, "podRoles[0].roleArn"),
        ({"maxNodes": -1}, "maxNodes"),
        ({"maxUsdHour": "a lot"}, "maxUsdHour"),
        ({"keyPairs": ["k"] * 201}, "keyPairs"),
        ({"amis": ["ami-1"]}, "amis"),
    ],
)
def test_what_is_no_list_is_refused_by_its_path(body: dict[str, Any], path: str) -> None:
    http = Http()
    answer = http.put("/offers", body, caller=ADMIN)
    assert answer.status == 400
    assert path in [finding["path"] for finding in answer.json["findings"]]


def test_a_learner_names_no_hosted_zone_that_is_not_offered() -> None:
    """Issue 11, row 1."""
    http = Http()
    http.world.dns.zones["Z0123456789"] = HostedZone("Z0123456789", "example.com", False)
    asked = {"name": "a", "externalDns": {"hostedZoneId": "Z0123456789"}}
    refused = http.post("/labs", asked)
    assert refused.status == 400
    assert [(f["path"], f["code"]) for f in refused.json["findings"]] == [("externalDns.hostedZoneId", "not-offered")]
    http.put("/offers", WHOLE, caller=ADMIN)
    made = [http.post("/labs", {**asked, "name": name, "workHost": False}) for name in ("a", "b")]
    assert [answer.status for answer in made] == [202, 202]
    domains = [lab.spec.external_dns.domain for lab in http.world.store.labs.values() if lab.spec.external_dns]
    assert len(set(domains)) == 2
    assert all(domain.endswith(".labs.example.com") for domain in domains)


def test_the_eksctl_dialect_passes_through_the_list_too() -> None:
    http = Http()
    asked = {
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": {"name": "a", "region": "ap-northeast-2"},
        "managedNodeGroups": [{"name": "ng", "instanceType": "p4d.24xlarge", "desiredCapacity": 1}],
    }
    answer = http.post("/labs", asked)
    found = [(f["path"], f["code"]) for f in answer.json["findings"] if f["severity"] == "error"]
    assert ("managedNodeGroups[0].instanceType", "not-offered") in found
