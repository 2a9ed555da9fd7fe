"""Deploy the production template into a sandbox: what `aws cloudformation package` and `deploy` do, over its API.

The one template (see `packaging.py` and docs/adr/0003-one-template.md) goes through an S3 bucket and a change set as
on AWS; nothing is wired a second time. Only the sandbox's copy of the code archive may differ: where this machine
cannot load the Linux libraries made for Lambda, they are left out and the installed ones are used.
"""

import hashlib
import io
import json
import platform
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from botocore.exceptions import ClientError

from sandbox.packaging import Package, local_file

ClientFactory = Callable[[str], Any]
"""Makes a client for a service, e.g. `sandbox.client`."""

DEPLOY_TIMEOUT = 60.0
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


class NotDeployed(Exception):
    """The stack did not come up; the message names each resource that failed and why."""


def deploy(
    client: ClientFactory, package: Package, stack_name: str = "ekslab", parameters: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Create the stack, or update it, and return its outputs. Raises NotDeployed."""
    s3, cloudformation = client("s3"), client("cloudformation")
    bucket = _bucket(s3, f"{stack_name}-artifacts")
    locations = {name: _upload(s3, bucket, name, content) for name, content in package.files.items()}
    template = json.dumps(_with_locations(package.template, bucket, locations)).encode()
    template_key = _upload(s3, bucket, "template.json", template)
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": template_key}).partition("?")[0]
    _execute_change_set(cloudformation, stack_name, url, parameters or {})
    return _outputs(_stack(cloudformation, stack_name) or {})


def api_url(sandbox_url: str, outputs: Mapping[str, str], stage: str = "api") -> str:
    """Return the address at which a sandbox serves the REST API that the outputs of Chalice's template name."""
    return f"{sandbox_url}/restapis/{outputs['RestAPIId']}/{stage}/_user_request_"


def _bucket(s3: Any, name: str) -> str:
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    return name


def _upload(s3: Any, bucket: str, name: str, content: bytes) -> str:
    if name.endswith(".zip") and not _runs_lambdas_libraries():
        content = without_compiled_packages(content)
    key = f"{hashlib.sha256(content).hexdigest()}-{name.rpartition('/')[2]}"
    s3.put_object(Bucket=bucket, Key=key, Body=content)
    return key


def _with_locations(template: Mapping[str, Any], bucket: str, locations: Mapping[str, str]) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(template))
    for resource in copy["Resources"].values():
        name = local_file(resource)
        if name is not None and resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = f"s3://{bucket}/{locations[name]}"
        elif name is not None:
            resource["Properties"]["DefinitionS3Location"] = {"Bucket": bucket, "Key": locations[name]}
    return copy


def _execute_change_set(cloudformation: Any, stack_name: str, url: str, parameters: Mapping[str, str]) -> None:
    change_set = {"StackName": stack_name, "ChangeSetName": f"change-{time.time_ns()}"}
    cloudformation.create_change_set(
        **change_set,
        ChangeSetType="UPDATE" if _stack(cloudformation, stack_name) else "CREATE",
        TemplateURL=url,
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        Capabilities=_CAPABILITIES,
    )
    made = _poll(lambda: cloudformation.describe_change_set(**change_set), lambda seen: str(seen["Status"]))
    if made["Status"] == "FAILED" and "didn't contain changes" in made["StatusReason"]:
        return
    if made["Status"] == "FAILED":
        raise NotDeployed(made["StatusReason"])
    cloudformation.execute_change_set(**change_set)
    stack = _poll(lambda: _stack(cloudformation, stack_name) or {}, lambda seen: str(seen["StackStatus"]))
    if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise NotDeployed(stack["StackStatus"] + "".join(_failures(cloudformation, stack_name)))


def _poll(look: Callable[[], Mapping[str, Any]], status: Callable[[Mapping[str, Any]], str]) -> Mapping[str, Any]:
    deadline = time.monotonic() + DEPLOY_TIMEOUT
    while (s := status(seen := look())).endswith(("_IN_PROGRESS", "_PENDING")):
        if time.monotonic() > deadline:
            raise NotDeployed(f"still {s} after {DEPLOY_TIMEOUT:.0f} s")
        time.sleep(0.05)
    return seen


def _stack(cloudformation: Any, stack_name: str) -> Mapping[str, Any] | None:
    try:
        stacks: list[Mapping[str, Any]] = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    return stacks[0] if stacks[0]["StackStatus"] != "REVIEW_IN_PROGRESS" else None


def _outputs(stack: Mapping[str, Any]) -> dict[str, str]:
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


def _failures(cloudformation: Any, stack_name: str) -> Iterable[str]:
    for event in cloudformation.describe_stack_events(StackName=stack_name)["StackEvents"]:
        if event["ResourceStatus"].endswith("_FAILED"):
            yield f"\n{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason')}"


def without_compiled_packages(archive: bytes) -> bytes:
    """Return the zip archive without any top-level package that holds a compiled library."""
    copy = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as target:
        compiled = {name.partition("/")[0] for name in source.namelist() if name.endswith(".so")}
        for entry in source.infolist():
            if entry.filename.partition("/")[0] not in compiled:
                target.writestr(entry, source.read(entry))
    return copy.getvalue()


def _runs_lambdas_libraries() -> bool:
    return sys.platform == "linux" and platform.machine() == "x86_64" and platform.libc_ver()[0] == "glibc"
