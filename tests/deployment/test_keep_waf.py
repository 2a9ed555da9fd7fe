"""`KeepWaf=on`, deployed: AWS WAF guards the API's stage."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deployment.deploy import deploy
from deployment.packaging import Package
from deployment.stacks import NotDeployed, Pace, protect
from emulator.process import Sandbox

STACK = "walled"
QUICK = Pace(patience=60, interval=0.05)
STAGE = "arn:aws:apigateway:{region}::/restapis/{api}/stages/api"


@pytest.fixture
def stack(sandbox: Sandbox) -> Iterator[str]:
    yield STACK
    cloudformation = sandbox.client("cloudformation")
    protect(cloudformation, STACK, against_deletion=False)
    cloudformation.delete_stack(StackName=STACK)


def test_the_service_is_deployed_with_a_wall_before_its_stage_and_without_it_again(
    sandbox: Sandbox, stack: str, packaged: Package
) -> None:
    """Issue 11, row 10."""
    outputs = deploy(sandbox.client, packaged, stack, {"KeepWaf": "on"}, pace=QUICK)
    waf, stage = sandbox.client("wafv2"), STAGE.format(region=sandbox.region, api=outputs["RestAPIId"])
    [acl] = waf.list_web_acls(Scope="REGIONAL")["WebACLs"]
    assert acl["Name"] == f"{stack}-keep"
    assert waf.list_resources_for_web_acl(WebACLArn=acl["ARN"])["ResourceArns"] == [stage]

    # And is deleted again, which AWS refuses while anything is bound to it: the API stays
    outputs = deploy(sandbox.client, packaged, stack, {"KeepWaf": "off"}, pace=QUICK)
    assert waf.list_web_acls(Scope="REGIONAL")["WebACLs"] == []
    assert outputs["RestAPIId"] in stage
    with pytest.raises(waf.exceptions.WAFNonexistentItemException):
        waf.get_web_acl(Name=acl["Name"], Scope="REGIONAL", Id=acl["Id"])


def test_a_wall_that_is_not_there_guards_nothing(sandbox: Sandbox) -> None:
    """The emulator refuses as AWS does; otherwise the test above would prove nothing."""
    acl = f"arn:aws:wafv2:{sandbox.region}:{sandbox.account}:regional/webacl/x/00000000-0000-0000-0000-000000000000"
    bound = {"WebACLArn": acl, "ResourceArn": STAGE.format(region=sandbox.region, api="x")}
    table = json.loads(Path(".chalice/template.json").read_text())["Resources"]["LabsTable"]
    resources = {"LabsTable": table, "Bound": {"Type": "AWS::WAFv2::WebACLAssociation", "Properties": bound}}
    with pytest.raises(NotDeployed):
        deploy(sandbox.client, Package({"Resources": resources}, {}), "unwalled", pace=QUICK)


def test_cfn_lint_finds_nothing_in_the_template_with_the_wall(packaged: Package, tmp_path: Path) -> None:
    """With the parameter's usual value cfn-lint might leave out what hangs on it; here it is on for good.

    `make templates` lints the rest of the template, in most of a minute; the API stands here without its routes.
    """
    template: dict[str, Any] = json.loads(json.dumps(packaged.template))
    parameter = template["Parameters"]["KeepWaf"] | {"Default": "on", "AllowedValues": ["on"]}
    walls = {name: made for name, made in template["Resources"].items() if "KeepWaf" in json.dumps(made)}
    assert {made["Type"] for made in walls.values()} == {"AWS::WAFv2::WebACL", "AWS::WAFv2::WebACLAssociation"}
    routes = {"swagger": "2.0", "info": {"title": "routes", "version": "1"}, "paths": {}}
    api = {
        "Type": template["Resources"]["RestAPI"]["Type"],
        "Properties": {"StageName": "api", "DefinitionBody": routes},
    }
    reduced = {
        **{name: template[name] for name in ("AWSTemplateFormatVersion", "Transform")},
        "Parameters": {"KeepWaf": parameter},
        "Conditions": {"HasKeepWaf": template["Conditions"]["HasKeepWaf"]},
        "Resources": {**walls, "RestAPI": api},
    }
    broken = json.loads(json.dumps(reduced))
    broken["Resources"]["KeepWafAcl"]["Properties"]["Scope"] = "EVERYWHERE"
    found = lint({"on": reduced, "broken": broken}, tmp_path)
    assert "'EVERYWHERE' is not one of" in found
    assert "on.json" not in found


def lint(templates: dict[str, Any], folder: Path) -> str:
    """What cfn-lint says of them."""
    for name, template in templates.items():
        (folder / f"{name}.json").write_text(json.dumps(template))
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--", *map(str, sorted(folder.glob("*.json")))]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout
