"""References in a request to missing AWS resources are refused before anything is stored; unverifiable ones are a warning."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.http import Http

ME = {"principalArn": "arn:aws:iam::111122223333:user/learner"}
VIEW = {"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"}
THEIRS = "arn:aws:iam::999988887777:role/guest"


@pytest.fixture
def http() -> Http:
    return Http()


def findings(answer: Any) -> dict[str, str]:
    return {finding["path"]: finding["code"] for finding in answer.json["findings"]}


def test_a_user_that_does_not_exist_is_refused_and_one_of_another_account_is_a_warning(http: Http) -> None:
    gone = "arn:aws:iam::111122223333:user/gone"
    http.world.roles.missing.add(gone)
    access = [ME, {"principalArn": gone, "policies": [VIEW]}, {"principalArn": THEIRS, "policies": [VIEW]}]
    answer = http.post("/labs", {"name": "myeks", "access": access})
    assert answer.status == 400
    assert findings(answer)["access[1].principalArn"] == "principal-missing"
    taken = http.post("/labs", {"name": "myeks", "access": [ME, access[2]]})
    assert taken.status == 202
    assert {"access[1].principalArn": "principal-not-checked"}.items() <= {
        warning["path"]: warning["code"] for warning in taken.json["warnings"]
    }.items()


def test_a_role_is_stored_with_the_path_that_iam_tells(http: Http) -> None:
    http.world.roles.given["student"] = "arn:aws:iam::111122223333:role/school/student"
    asked = {"principalArn": "arn:aws:iam::111122223333:role/student", "policies": [VIEW]}
    answer = http.post("/labs", {"name": "myeks", "access": [ME, asked]})
    assert answer.status == 202
    stored = http.world.store.labs[answer.json["id"]].spec.access
    assert stored[1].principal_arn == "arn:aws:iam::111122223333:role/school/student"


def test_an_access_policy_that_eks_does_not_have_is_refused(http: Http) -> None:
    policy = {"policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSReadPolicy"}
    answer = http.post("/labs", {"name": "myeks", "access": [{**ME, "policies": [policy]}]})
    assert findings(answer) == {"access[0].policies[0].policyArn": "policy-missing"}


@pytest.mark.parametrize(
    ("configuration", "code"),
    [
        ({"replicaCount": 3}, None),
        ('{"replicaCount": 3}', None),
        ("replicaCount: 3\n", None),
        ("{replicaCount: 3}", None),
        ("replicas: 3", "configuration-refused"),
        ({"replicas": 3}, "configuration-refused"),
        ("- 3", "invalid-configuration"),
        ("a: *b", "invalid-configuration"),
    ],
    ids=str,
)
def test_an_add_ons_configuration_is_json_or_yaml_and_fits_its_schema(
    http: Http, configuration: object, code: str | None
) -> None:
    schema = {"type": "object", "properties": {"replicaCount": {"type": "integer"}}, "additionalProperties": False}
    http.world.clusters.schemas["coredns"] = json.dumps(schema)
    answer = http.post("/labs", {"name": "myeks", "addons": [{"name": "coredns", "configuration": configuration}]})
    if code is None:
        assert answer.status == 202
        [coredns] = [a for a in http.world.store.labs[answer.json["id"]].spec.addons if a.name == "coredns"]
        assert coredns.configuration == '{"replicaCount": 3}'
    else:
        assert findings(answer) == {"addons[0].configuration": code}


def test_an_instance_type_whose_processor_the_image_does_not_fit_is_refused(http: Http) -> None:
    http.world.network.processors["mac2.metal"] = ("arm64_mac",)
    answer = http.post("/labs", {"name": "myeks", "nodegroups": [{"instanceTypes": ["mac2.metal"]}]})
    assert findings(answer) == {"nodegroups[0].instanceTypes[0]": "image-mismatch"}


@pytest.mark.parametrize(("region", "code"), [("us-east-9", "region-unknown"), ("me-south-1", "region-not-enabled")])
def test_a_region_that_is_not_there_or_not_enabled_is_refused_at_once(http: Http, region: str, code: str) -> None:
    http.world.network.region_states.update({"ap-northeast-2": "opt-in-not-required", "me-south-1": "not-opted-in"})
    answer = http.post("/labs", {"name": "myeks", "region": region})
    assert (answer.status, findings(answer)) == (400, {"region": code})
    assert http.get("/versions", query={"region": region}).status == 400
    assert not http.world.store.labs
