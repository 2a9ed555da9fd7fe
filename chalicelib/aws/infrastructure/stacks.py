"""CloudFormation for labs' stacks, one region: the port `Stacks`.

A failed creation stays as it failed (without CloudFormation's rollback): its reason is known at once, and only
our own teardown deletes a lab's resources.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chalicelib.aws.clients.calls import call, create, every, tags_of
from chalicelib.aws.clients.errors import translate
from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import AlreadyExists, AwsRefused, ResourceGone
from chalicelib.domain.labs.aws_states import StackState
from chalicelib.domain.stack.roles import ROLE_PATH
from chalicelib.domain.teardown.evidence import LAB_TAG

#: CloudFormation's messages for resources that it cancelled because another one failed.
_CONSEQUENCE = ("Resource creation cancelled", "The following resource(s) failed")
_EC2 = {
    "AWS::EC2::VPC": (Kind.VPC, "vpc"),
    "AWS::EC2::Subnet": (Kind.SUBNET, "subnet"),
    "AWS::EC2::InternetGateway": (Kind.INTERNET_GATEWAY, "internet-gateway"),
    "AWS::EC2::RouteTable": (Kind.ROUTE_TABLE, "route-table"),
    "AWS::EC2::SecurityGroup": (Kind.SECURITY_GROUP, "security-group"),
    "AWS::EC2::LaunchTemplate": (Kind.LAUNCH_TEMPLATE, "launch-template"),
    "AWS::EC2::NatGateway": (Kind.NAT_GATEWAY, "natgateway"),
    "AWS::EC2::EIP": (Kind.ELASTIC_IP, "elastic-ip"),
}
_IAM = {
    "AWS::IAM::Role": (Kind.ROLE, "role"),
    "AWS::IAM::InstanceProfile": (Kind.INSTANCE_PROFILE, "instance-profile"),
}


class CloudFormationStacks:
    """`ec2` serves one purpose: the allocation id of an address that CloudFormation identifies by its IP."""

    def __init__(self, cloudformation: Any, ec2: Any, role: Callable[[], str] | None = None) -> None:
        """`role`: the ARN of CloudFormation's role for these stacks; None: the caller's own permissions."""
        self._cloudformation, self._role = cloudformation, role
        self._ec2 = ec2

    def create(
        self, name: str, template: str, parameters: Mapping[str, str], tags: Mapping[str, str], token: str
    ) -> str:
        """Request a stack; return its id. See the port for an existing one."""
        try:
            made = create(
                self._cloudformation,
                "cloudformation:CreateStack",
                StackName=name,
                TemplateBody=template,
                Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
                Capabilities=["CAPABILITY_NAMED_IAM"],
                OnFailure="DO_NOTHING",
                ClientRequestToken=token,
                **self._as_role(),
            )
            return str(made["StackId"])
        except AlreadyExists:
            return self._adopted(name, tags[LAB_TAG])

    def describe(self, name: str) -> StackState:
        stack = self._stack(name)
        status = str(stack["StackStatus"])
        failures = tuple(self._failures(name)) if "FAILED" in status or "ROLLBACK" in status else ()
        return StackState(
            id=stack["StackId"],
            status=status,
            outputs={output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
            failure=failures[0][1] if failures else stack.get("StackStatusReason") if "FAILED" in status else None,
            failed_resources=tuple(resource for resource, _ in failures),
            created_at=stack.get("CreationTime"),
            ours=self._is_ours(stack),
        )

    def resources(self, name: str) -> tuple[Resource, ...]:
        try:
            stack_id = str(self._stack(name)["StackId"])
            action, key = "cloudformation:ListStackResources", "StackResourceSummaries"
            listed = every(self._cloudformation, action, key, StackName=name)
        except ResourceGone:
            return ()
        there = [row for row in listed if row["ResourceStatus"] != "DELETE_COMPLETE" and row.get("PhysicalResourceId")]
        found = (described(row, stack_id, self._allocation_id) for row in there)
        return tuple(resource for resource in found if resource is not None)

    def delete(self, name: str, token: str) -> None:
        try:
            call(
                self._cloudformation,
                "cloudformation:DeleteStack",
                StackName=name,
                ClientRequestToken=token,
                **self._as_role(),
            )
        except ResourceGone:
            return

    def _is_ours(self, stack: Mapping[str, Any]) -> bool:
        return self._role is None or stack.get("RoleARN") == self._role()

    def _as_role(self) -> dict[str, str]:
        return {"RoleARN": self._role()} if self._role else {}

    def _adopted(self, name: str, lab_id: str) -> str:
        """The id of an existing stack, if it is this lab's. Raises AlreadyExists.

        Anybody can write its name and tags; only this service passes CloudFormation's role for it.
        """
        stack = self._stack(name)
        if tags_of(stack).get(LAB_TAG) != lab_id or not self._is_ours(stack):
            raise AlreadyExists(
                "cloudformation:CreateStack",
                "AlreadyExistsException",
                Sentence("Stack {name} is not this lab's", name=name),
            )
        return str(stack["StackId"])

    def _stack(self, name: str) -> dict[str, Any]:
        stack: dict[str, Any] = call(self._cloudformation, "cloudformation:DescribeStacks", StackName=name)["Stacks"][0]
        if stack["StackStatus"] == "DELETE_COMPLETE":
            raise ResourceGone(
                "cloudformation:DescribeStacks",
                "ValidationError",
                Sentence("Stack {name} does not exist", name=name),
            )
        return stack

    def _failures(self, name: str) -> list[tuple[str, str]]:
        """Logical id and reason of each failure in the stack's last operation, first failure first."""
        failures = []
        for event in self._events_of_last_operation(name):
            reason = event.get("ResourceStatusReason", "")
            is_stack = event.get("PhysicalResourceId") == event["StackId"]
            if event["ResourceStatus"].endswith("_FAILED") and not is_stack and not reason.startswith(_CONSEQUENCE):
                failures.append((event["LogicalResourceId"], reason))
        return failures[::-1]

    def _events_of_last_operation(self, name: str) -> Iterator[dict[str, Any]]:
        """Newest first, back to the event that began the stack's last creation or deletion."""
        with translate("cloudformation:DescribeStackEvents"):
            pages = self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=name)
            for event in (event for page in pages for event in page["StackEvents"]):
                yield event
                began = event["ResourceStatus"] in ("CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS")
                if began and event.get("PhysicalResourceId") == event["StackId"]:
                    return

    def _allocation_id(self, address: str) -> str | None:
        try:
            found = call(self._ec2, "ec2:DescribeAddresses", PublicIps=[address])["Addresses"]
        except AwsRefused:
            return None
        return str(found[0]["AllocationId"]) if found else None


def described(row: Mapping[str, Any], stack_id: str, allocation_id: Callable[[str], str | None]) -> Resource | None:
    """The row's resource; None for kinds without an owner. `allocation_id` finds an address's by its IP, if it exists."""
    _, partition, _, region, account, _ = stack_id.split(":", 5)
    type_, id = row["ResourceType"], row["PhysicalResourceId"]
    attributes = {"logical-id": row["LogicalResourceId"]}
    if type_ in _IAM:
        kind, word = _IAM[type_]
        return Resource(kind, id, f"arn:{partition}:iam::{account}:{word}{ROLE_PATH}{id}", attributes=attributes)
    if type_ == "AWS::Logs::LogGroup":
        return Resource(
            Kind.LOG_GROUP, id, f"arn:{partition}:logs:{region}:{account}:log-group:{id}", attributes=attributes
        )
    if type_ not in _EC2:
        return None
    kind, word = _EC2[type_]
    if kind is Kind.ELASTIC_IP and not id.startswith("eipalloc-"):
        found = allocation_id(id.partition("|")[0])
        if found is None:
            return None
        id = found
    return Resource(kind, id, f"arn:{partition}:ec2:{region}:{account}:{word}/{id}", attributes=attributes)
