"""No finding of checkov in any template for CloudFormation: the service's, a member account's, and the labs' stacks.

Accepted ones are in `.ci/accepted-findings.json` by resource (`*` is any text); obsolete ones must be removed there. It runs in
an environment of its own (requirements-checkov.in) without network access.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.stack.template import lab_stack
from deployment.member_account import TEMPLATE
from deployment.packaging import PROJECT, package
from tests.domain.stack.test_template import LABS

CHECKOV = PROJECT / ".venv-checkov/bin/python"
#: checkov as its command starts it. Its JSON path parser builds the same table for each path, half of all its work; here once.
PROGRAM = """
import sys, ply.yacc
make, made = ply.yacc.yacc, {}
def make_once(module, start, **options):
    key = type(module), start
    if key not in made:
        made[key] = make(module=module, start=start, **options)
    return made[key]
ply.yacc.yacc = make_once
from checkov.main import Checkov
sys.exit(Checkov().run())
"""
ACCEPTED = {
    (each["finding"], where): each["why"]
    for each in json.loads((PROJECT / ".ci/accepted-findings.json").read_text())
    if each["tool"] == "checkov"
    for where in each["where"]
}
#: Shows, in the same run, that an error is found.
BAD = {"bad": {"Resources": {"Letters": {"Type": "AWS::SQS::Queue"}}}}
#: (check, `template: Type.LogicalId`) -> checkov's name of the check
Findings = Mapping[tuple[str, str], str]


def templates() -> dict[str, Any]:
    labs = {f"lab {name}": json.loads(json.dumps(lab_stack(lab))) for name, lab in LABS.items()}
    return {"service": package().template, "member-account": json.loads(TEMPLATE.read_text()), **labs}


def with_conditions_met(thing: Any) -> Any:
    """The template with all conditions true: checkov fails on `Fn::If` with a parameter that has a default."""
    match thing:
        case {"Fn::If": [_, met, _]}:
            return with_conditions_met(met)
        case dict():
            return {name: with_conditions_met(value) for name, value in thing.items()}
        case list():
            return [with_conditions_met(value) for value in thing]
        case _:
            return thing


def findings(templates: Mapping[str, Any], folder: Path) -> Findings:
    """checkov's findings in them."""
    for name, template in templates.items():
        (folder / f"{name}.json").write_text(json.dumps(with_conditions_met(template), indent=1))
    assert CHECKOV.exists(), "checkov is not installed: `make checkov`"
    done = subprocess.run(
        [
            CHECKOV,
            "-c",
            PROGRAM,
            "-d",
            folder,
            "--framework",
            "cloudformation",
            "--skip-download",
            "--compact",
            "-o",
            "json",
        ],
        env={"PATH": "/usr/bin:/bin", "HOME": f"{folder}"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("{"), done.stdout[:300] + done.stderr[-2000:]
    results = json.loads(done.stdout)["results"]
    assert results["parsing_errors"] == []
    looked_at = {_stem(each) for kind in ("passed_checks", "failed_checks") for each in results[kind]}
    assert looked_at == set(templates), "a template was not read"
    return {
        (each["check_id"], f"{_stem(each)}: {each['resource']}"): each["check_name"]
        for each in results["failed_checks"]
    }


def _stem(result: Mapping[str, Any]) -> str:
    return Path(result["file_path"]).stem


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Findings:
    return findings({**templates(), **BAD}, tmp_path_factory.mktemp("templates"))


def accepts(accepted: tuple[str, str], finding: tuple[str, str]) -> bool:
    return accepted[0] == finding[0] and fnmatchcase(finding[1], accepted[1])


def test_checkov_finds_nothing_in_templates_that_is_not_accepted(found: Findings) -> None:
    ours = {one: name for one, name in found.items() if not one[1].startswith("bad: ")}
    assert {one: name for one, name in ours.items() if not any(accepts(each, one) for each in ACCEPTED)} == {}


@pytest.mark.parametrize("accepted", sorted(ACCEPTED), ids=" ".join)
def test_what_is_accepted_is_still_found(found: Findings, accepted: tuple[str, str]) -> None:
    assert any(accepts(accepted, one) for one in found), "accepted, but no longer found"


def test_a_queue_that_is_not_encrypted_is_noticed(found: Findings) -> None:
    assert ("CKV_AWS_27", "bad: AWS::SQS::Queue.Letters") in found
