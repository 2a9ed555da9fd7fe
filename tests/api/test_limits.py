"""Requests from anybody are cheap and answered quickly, however large or irregular they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.api.curfew_world import LAB, a_ready_lab, a_world
from tests.api.http import ADMIN, Http

#: Bytes. API Gateway accepts 10 MB and Lambda 6; this service reads no more than this.
LONGEST_ANSWER = 64 * 1024
YAML = {"content-type": "application/yaml"}
EKSCTL = {"apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig", "metadata": {"name": "x", "region": "us-east-1"}}

BODIES: Mapping[str, Any] = {
    "fields that nobody knows": {"name": "x", **{f"n{i}": 1 for i in range(4500)}},
    "empty node groups": {"name": "x", "nodegroups": [{}] * 15000},
    "node groups with unknown fields": {"name": "x", "nodegroups": [{"q": 1}] * 5000},
    "access entries": {"name": "x", "access": [{"principalArn": "a"}] * 2500},
    "namespaces": {
        "name": "x",
        "access": [{"principalArn": "a", "policies": [{"policyArn": "a", "namespaces": ["n"] * 9000}]}],
    },
    "labels": {"name": "x", "nodegroups": [{"labels": {f"k{i}": "" for i in range(4000)}}]},
    "instance types": {"name": "x", "nodegroups": [{"instanceTypes": [f"t3.m{i}" for i in range(4000)]}]},
    "subnets": {"name": "x", "network": {"publicSubnetIds": [f"s-{i}" for i in range(4000)]}},
    "a long name": {"name": "x" * 60000},
    "a long zone": {"name": "x", "schedule": {"timeZone": "z" * 60000}},
    "eksctl's node groups": {**EKSCTL, "managedNodeGroups": [{"a": 1}] * 5000},
    "more than is taken": "x" * 70000,
    "too deep": '{"a":' * 30000,
}
TEXTS = {
    "keys": "name: x\n" + "".join(f"k{i}: 1\n" for i in range(6000)),
    "deep lists": "name: " + "[" * 30000,
    "an alias of an alias": "a: &a [x, x]\n"
    + "".join(f"{n}: &{n} [*{m}, *{m}]\n" for m, n in zip("abcdefgh", "bcdefghi", strict=True)),
    "a merge": "a: &a {x: 1}\nb: {<<: *a}\n",
    "anchors": "".join(f"k{i}: &a{i} 1\n" for i in range(3000)),
    "a long number": "name: " + "1" * 60000,
    "python's own": "name: !!python/object/apply:os.system [id]",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_hostile_body_is_refused_shortly_and_leaves_nothing(body: Any) -> None:
    http = Http()
    answer = http.post("/labs", body)
    assert (answer.status, answer.json["type"]) == (400, "urn:ekslab:problem:invalid-request")
    assert len(answer.text) < LONGEST_ANSWER
    assert (http.world.store.labs, http.world.workflows.started) == ({}, [])


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_yaml_that_grows_refers_or_runs_is_refused_shortly(text: str) -> None:
    answer = Http().post("/labs", text, headers=YAML)
    assert (answer.status, len(answer.text) < LONGEST_ANSWER) == (400, True)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", f"/labs/{LAB}", {"nodegroups": [{}] * 15000}),
        ("PATCH", f"/labs/{LAB}", {"nodegroups": [{"name": f"g{i}", "desired": 1} for i in range(1800)]}),
        ("PATCH", f"/labs/{LAB}", {"endpoint": {"allowedCidrs": ["1"] * 12000}}),
        ("PUT", f"/labs/{LAB}/schedule", {"quietDates": ["z"] * 12000}),
        ("POST", f"/labs/{LAB}/extend", {"until": "z" * 60000}),
        ("POST", f"/labs/{LAB}/protect", {"until": "z" * 30000, "why": "x" * 30000}),
        ("PUT", "/curfew", {f"n{i}": 1 for i in range(4500)}),
        ("PUT", "/accounts/111122223333", {"regions": [f"z{i}" for i in range(5000)]}),
    ],
)
def test_a_hostile_change_is_refused_shortly(method: str, path: str, body: Any) -> None:
    answer = a_world(a_ready_lab()).call(method, path, body=body, caller=ADMIN)
    assert (answer.status, len(answer.text) < LONGEST_ANSWER) == (400, True)


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/labs/" + "x" * 8000, None, 404),
        ("/labs", {"owner": "x" * 8000}, 400),
        ("/labs", {"cursor": "x" * 8000}, 400),
        ("/labs", {"phase": ",".join(["q"] * 4000)}, 400),
        ("/labs", {f"q{i}": "1" for i in range(1500)}, 400),
        ("/versions", {"region": "x" * 8000}, 400),
        ("/plan/" + "x" * 8000, None, 400),
        ("/clusters/1/2/" + "x" * 8000, None, 404),
    ],
)
def test_a_long_path_or_query_is_refused_shortly(path: str, query: Mapping[str, str] | None, status: int) -> None:
    answer = a_world(a_ready_lab()).get(path, query=query, caller=ADMIN)
    assert (answer.status, len(answer.text) < LONGEST_ANSWER) == (status, True)


def test_no_store_is_asked_for_a_key_that_it_could_not_take() -> None:
    http = a_world(a_ready_lab())
    http.world.fail("store.load_lab", RuntimeError("a key of 2 KiB at most"))
    http.world.fail("store.list_labs", RuntimeError("a key of 2 KiB at most"))
    assert http.get("/labs/" + "x" * 3000).status == 404
    assert http.get("/labs", query={"owner": "x" * 3000}, caller=ADMIN).status == 400


def test_errors_are_told_before_warnings_when_there_are_too_many_to_tell() -> None:
    body = {"name": "x", "nodegroups": [{"name": "ok"}, *({} for _ in range(300))]}
    answer = Http().post("/labs", body).json
    assert len(answer["findings"]) == 100
    assert answer["findings"][0]["severity"] == "error"
    assert "The first 100 are told." in answer["detail"]


def test_an_empty_parameter_is_refused_and_not_taken_for_one_left_out() -> None:
    http = a_world(a_ready_lab())
    for path, name in (("/labs", "limit"), ("/labs", "phase"), ("/versions", "region"), ("/clusters", "account")):
        answer = http.get(path, query={name: ""}, caller=ADMIN)
        assert answer.status == 400
        [finding] = answer.json["findings"]
        assert (finding["path"], finding["code"]) == (name, "empty")


def test_what_aws_must_be_asked_is_said_to_be_looked_at_later() -> None:
    answer = Http().post("/labs", {"name": "-", "ssh": {"keyName": "nobodys"}}).json
    assert "What only AWS knows" in answer["detail"]
