"""No finding of cloudsplaining in any policy: of the functions, of the templates' roles, of member accounts, of labs' own
roles.

It comes with checkov, in an environment of its own (requirements-checkov.in), without network access.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from chalicelib.domain.stack.template import lab_stack
from deployment.member_account import TEMPLATE
from deployment.packaging import PROJECT
from tests.deployment import rights
from tests.domain.stack.test_template import LABS

PYTHON = PROJECT / ".venv-checkov/bin/python"
#: The unbounded permissions of each policy, in cloudsplaining's terms.
_SCRIPT = """
import json, sys
from cloudsplaining.scan.policy_document import PolicyDocument
KINDS = ("allows_privilege_escalation", "permissions_management_without_constraints", "credentials_exposure",
         "infrastructure_modification", "write_actions_without_constraints", "tagging_actions_without_constraints",
         "service_wildcard")
READS = ["s3:GetObject", "ssm:GetParameter", "ssm:GetParameters", "ssm:GetParametersByPath", "secretsmanager:GetSecretValue",
         "rds:CreateDBSnapshot", "ec2:CreateSnapshot", "dynamodb:GetItem"]
found = {}
for name, document in json.load(sys.stdin).items():
    policy = PolicyDocument(document)
    kinds = {kind: getattr(policy, kind) for kind in KINDS}
    kinds["data_exfiltration"] = policy.allows_specific_actions_without_constraints(READS)
    found[name] = {kind: what for kind, what in kinds.items() if what}
json.dump(found, sys.stdout)
"""
_EVERYTHING = {"Effect": "Allow", "Action": ["iam:*", "s3:GetObject", "ec2:TerminateInstances"], "Resource": "*"}
#: Shows, in the same run, that an error is found.
BAD = {"bad": {"Version": "2012-10-17", "Statement": [_EVERYTHING]}}


def policies() -> Iterator[tuple[str, Any]]:
    """Every policy document by a name, with names for CloudFormation's values."""
    for function in rights.functions_with_rights():
        yield function, json.loads((rights.CHALICE / "policies" / f"{function}.json").read_text())
    templates = {"service": json.loads((rights.CHALICE / "resources.json").read_text())}
    templates |= {"member-account": json.loads(TEMPLATE.read_text())}
    templates |= {f"lab {name}": json.loads(json.dumps(lab_stack(lab))) for name, lab in LABS.items()}
    for title, template in templates.items():
        for name, made in template["Resources"].items():
            for number, document in enumerate(_documents(made.get("Properties", {}))):
                yield f"{title}: {name}/{number}", document


def _documents(properties: Mapping[str, Any]) -> Iterator[Any]:
    """A managed policy without a role, the boundary of labs' roles, is a limit and grants nothing."""
    policies = properties.get("Policies", [])
    # A user pool's are about passwords.
    yield from (policy["PolicyDocument"] for policy in policies if isinstance(policies, list))
    if "PolicyDocument" in properties and properties.get("Roles"):
        yield properties["PolicyDocument"]


@pytest.fixture(scope="module")
def found() -> Mapping[str, Mapping[str, Any]]:
    assert PYTHON.exists(), "cloudsplaining is not installed: `make checkov`"
    documents = {name: rights.filled(document) for name, document in policies()}
    given = json.dumps(documents | BAD)
    done = subprocess.run([PYTHON, "-c", _SCRIPT], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: Mapping[str, Mapping[str, Any]] = json.loads(done.stdout)
    assert len(result) > 80
    return result


def test_no_policy_has_a_finding(found: Mapping[str, Mapping[str, Any]]) -> None:
    assert {name: kinds for name, kinds in found.items() if kinds and name != "bad"} == {}


def test_it_can_fail_a_policy_without_bounds_is_found(found: Mapping[str, Mapping[str, Any]]) -> None:
    assert {"allows_privilege_escalation", "credentials_exposure", "data_exfiltration"} <= found["bad"].keys()
