"""Add-ons' configurations against EKS's published schemas: exactly the configurations that EKS refuses are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.errors.findings import Finding
from chalicelib.domain.labs.spec import AddonSpec
from chalicelib.domain.requests.addon_schema import check_configurations
from tests.fakes.builders import a_spec

#: In the form of EKS's own: a reference to a definition, without unrelated definitions.
COREDNS: dict[str, Any] = {
    "$ref": "#/definitions/Coredns",
    "$schema": "http://json-schema.org/draft-06/schema#",
    "definitions": {
        "Coredns": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "replicaCount": {"type": "integer", "minimum": 1, "maximum": 100},
                "computeType": {"type": "string", "enum": ["EC2", "Fargate"]},
                "resources": {"$ref": "#/definitions/Resources"},
                "tolerations": {"type": "array", "items": {"type": "object", "required": ["key"]}},
                "env": {
                    "type": "object",
                    "patternProperties": {"^[A-Z_]+$": {"type": "string"}},
                    "additionalProperties": False,
                },
                "cpu": {"anyOf": [{"type": "string", "pattern": "^[0-9]+m$"}, {"type": "integer"}]},
                "nodeSelector": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},
            },
        },
        "Resources": {"type": "object", "properties": {"limits": {"type": "object"}}, "additionalProperties": False},
    },
}


def judged(configuration: object, schema: object = COREDNS) -> list[Finding]:
    addon = AddonSpec("coredns", configuration=json.dumps(configuration))
    spec = replace(a_spec(), addons=(AddonSpec("vpc-cni"), addon))
    return list(check_configurations(spec, {"coredns": json.dumps(schema)}))


@pytest.mark.parametrize(
    "configuration",
    [
        {},
        {"replicaCount": 3, "computeType": "EC2"},
        {"resources": {"limits": {"memory": "1Gi", "cpu": "1"}}},
        {"tolerations": [{"key": "a", "operator": "Exists"}]},
        {"env": {"GOMAXPROCS": "2"}},
        {"cpu": "100m"},
        {"cpu": 1},
        {"nodeSelector": {"disk": "ssd"}},
        {"nodeSelector": None},
    ],
    ids=str,
)
def test_what_fits_the_schema_is_taken(configuration: dict[str, Any]) -> None:
    assert judged(configuration) == []


@pytest.mark.parametrize(
    ("configuration", "words"),
    [
        ({"replicas": 3}, "at replicas: there is no such field. There are computeType, cpu, env"),
        ({"replicaCount": "3"}, "at replicaCount: it is to be integer, not string"),
        ({"replicaCount": True}, "at replicaCount: it is to be integer, not boolean"),
        ({"replicaCount": 0}, "at replicaCount: it is to be 1 at least"),
        ({"replicaCount": 101}, "at replicaCount: it is to be 100 at most"),
        ({"computeType": "ec2"}, "at computeType: it is to be one of EC2, Fargate"),
        ({"resources": {"limit": {}}}, "at resources.limit: there is no such field. There are limits"),
        ({"tolerations": [{"key": "a"}, {}]}, "at tolerations[1]: key is missing"),
        ({"env": {"gomaxprocs": "2"}}, "at env.gomaxprocs: there is no such field."),
        ({"env": {"GOMAXPROCS": 2}}, "at env.GOMAXPROCS: it is to be string, not integer"),
        ({"cpu": "1 core"}, "at cpu: it is to match ^[0-9]+m$"),
        ({"nodeSelector": {"disk": 1}}, "at nodeSelector.disk: it is to be string, not integer"),
        ({"nodeSelector": []}, "at nodeSelector: it is to be object or null, not array"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_the_schema_does_not_take_is_refused_with_its_place(configuration: dict[str, Any], words: str) -> None:
    [finding] = judged(configuration)
    assert (finding.path, finding.code) == ("addons[1].configuration", "configuration-refused")
    assert words in finding.message


@pytest.mark.parametrize("schema", ["", "no schema", [], True, {"$ref": "#/none"}, {"$ref": "https://example.com/a"}])
def test_without_a_schema_that_can_be_read_nothing_is_refused(schema: object) -> None:
    assert judged({"replicas": 3}, schema) == []


def test_a_schema_that_names_itself_comes_to_an_end() -> None:
    assert judged({"a": 1}, {"$ref": "#", "allOf": [{"$ref": "#"}]}) == []


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.dictionaries(st.sampled_from(["type", "properties", "enum", "items", "anyOf", "$ref", "required"]), JSON_VALUES),
    JSON_VALUES,
)
def test_no_schema_and_no_configuration_breaks_it(schema: dict[str, Any], value: object) -> None:
    assert all(finding.path == "addons[1].configuration" for finding in judged({"a": value}, schema))
