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

    # And is taken down again, which AWS refuses while anything is bound to it: the API stays
    outputs = deploy(sandbox.client, packaged, stack, {"KeepWaf": "off"}, pace=QUICK)
    assert waf.list_web_acls(Scope="REGIONAL")["WebACLs"] == []
    assert outputs["RestAPIId"] in stage
    with pytest.raises(waf.exceptions.WAFNonexistentItemException):
        waf.get_web_acl(Name=acl["Name"], Scope="REGIONAL", Id=acl["Id"])


def test_a_wall_that_is_not_there_guards_nothing(sandbox: Sandbox) -> None:
    """The emulator refuses as AWS does, or the test above would prove nothing."""
    acl = f"arn:aws:wafv2:{sandbox.region}:{sandbox.account}:regional/webacl/x/00000000-0000-0000-0000-000000000000"
    bound = {"WebACLArn": acl, "ResourceArn": STAGE.format(region=sandbox.region, api="x")}
    table = json.loads(Path(".chalice/template.json").read_text())["Resources"]["LabsTable"]
    resources = {"LabsTable": table, "Bound": {"Type": "AWS::WAFv2::WebACLAssociation", "Properties": bound}}
    with pytest.raises(NotDeployed):
        deploy(sandbox.client, Package({"Resources": resources}, {}), "unwalled", pace=QUICK)


def test_cfn_lint_finds_nothing_in_the_template_with_the_wall(packaged: Package, tmp_path: Path) -> None:
    """With the parameter's usual value cfn-lint might leave out what hangs on it; here it is on for good."""
    template: dict[str, Any] = json.loads(json.dumps(packaged.template))
    template["Parameters"]["KeepWaf"] |= {"Default": "on", "AllowedValues": ["on"]}
    file = tmp_path / "on.json"
    file.write_text(json.dumps(template))
    lint = Path(sys.executable).with_name("cfn-lint")
    # E2533: the runtime is of `make package`'s choosing, and its date is not this test's.
    done = subprocess.run(
        [str(lint), "--ignore-checks", "E2533", "--", str(file)], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stdout.splitlines() if "Waf" in line] == []
    assert done.returncode in (0, 4), done.stdout
