"""docs/reference/request.md names every field of both bodies: an undocumented one fails here."""

from __future__ import annotations

import json
import re

import pytest

from chalicelib.api.inputs.lab_schema import LabBody
from tests.api.inputs.test_lab_request import read
from tests.paths import PROJECT

PAGE = (PROJECT / "docs/reference/request.md").read_text()
OWN, EKSCTL = PAGE.split("## An eksctl ClusterConfig")
FIELDS = json.loads((PROJECT / "tests" / "data" / "eksctl" / "fields.json").read_text())
#: Written out on their parent's line.
INLINE = {"AccessPolicy", "AccessScope", "ClusterSubnets", "AZSubnetSpec", "ClusterEndpoints", "ClusterNAT"}
INLINE |= {"ClusterCloudWatch", "UpgradePolicy", "WellKnownPolicies", "NodeGroupTaint"}


def test_every_field_of_the_own_body_is_documented() -> None:
    schema = LabBody.model_json_schema()
    models = (schema, *schema["$defs"].values())
    missing = [name for model in models for name in model["properties"] if not re.search(rf"\b{name}\b", OWN)]
    assert missing == []


@pytest.mark.parametrize("section", sorted(set(FIELDS) - INLINE))
def test_every_field_of_a_cluster_config_is_documented(section: str) -> None:
    assert [name for name in FIELDS[section] if f"| `{name}` |" not in EKSCTL] == []


def test_the_example_is_accepted_without_a_warning() -> None:
    example = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert example is not None
    _, warnings = read(example[1].encode())
    assert warnings == ()
