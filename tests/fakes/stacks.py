"""CloudFormation in memory: reads the resources and outputs of a real template, and fails as CloudFormation does.

Supports the features in the lab's template: Ref, Fn::GetAtt, Fn::Join, Fn::Sub, Fn::Select, Parameters' defaults. A resource of
a type that is not a Kind (a route, an attachment) is not stored.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.errors.tree import AlreadyExists, AwsRefused, ResourceGone, StillInUse
from chalicelib.domain.labs.aws_states import StackState
from tests.fakes.account import Account, port

_KINDS = {
    "AWS::EC2::VPC": Kind.VPC,
    "AWS::EC2::Subnet": Kind.SUBNET,
    "AWS::EC2::InternetGateway": Kind.INTERNET_GATEWAY,
    "AWS::EC2::RouteTable": Kind.ROUTE_TABLE,
    "AWS::EC2::NatGateway": Kind.NAT_GATEWAY,
    "AWS::EC2::EIP": Kind.ELASTIC_IP,
    "AWS::EC2::SecurityGroup": Kind.SECURITY_GROUP,
    "AWS::EC2::LaunchTemplate": Kind.LAUNCH_TEMPLATE,
    "AWS::IAM::Role": Kind.ROLE,
    "AWS::IAM::InstanceProfile": Kind.INSTANCE_PROFILE,
    "AWS::Logs::LogGroup": Kind.LOG_GROUP,
}
#: The order in which a stack's resources are deleted.
_LAST = (Kind.SECURITY_GROUP, Kind.SUBNET, Kind.INTERNET_GATEWAY, Kind.ROLE, Kind.VPC)


@dataclass
class _Stack:
    state: StackState
    tags: Mapping[str, str]
    arns: list[str]
    looks: int
    ends_as: str


@dataclass
class FakeStacks:
    """`looks`: the number of describes for which a stack stays in progress. `fail_next(reason)`: the next one rolls back."""

    account: Account
    looks: int = 1
    stacks: dict[str, _Stack] = field(default_factory=dict)
    failure: tuple[str, str] | None = None
    port_name: str = "stacks"

    def fail_next(self, reason: str, resource: str = "Vpc") -> None:
        """The next stack created ends ROLLBACK_COMPLETE with this resource's reason."""
        self.failure = (resource, reason)

    def make_somebodys(self, name: str, tags: Mapping[str, str], resources: Sequence[Resource] = ()) -> StackState:
        """Create another owner's stack of this name, with these tags and resources."""
        own = self.account.add(Kind.STACK, name, tags=tags, arn=f"arn:aws:cloudformation:x:1:stack/{name}/theirs")
        state = StackState(own.arn, "CREATE_COMPLETE", created_at=own.created_at)
        self.stacks[name] = _Stack(state, tags, [thing.arn for thing in resources], 0, "CREATE_COMPLETE")
        return state

    @port
    def create(
        self, name: str, template: str, parameters: Mapping[str, str], tags: Mapping[str, str], token: str
    ) -> str:
        if name in self.stacks:
            stack = self.stacks[name]
            if stack.tags.get("ekslab:lab-id") == tags.get("ekslab:lab-id") and stack.state.ours:
                return stack.state.id
            raise AlreadyExists("CreateStack", "AlreadyExistsException", f"Stack [{name}] already exists")
        place = f"{self.account.region}:{self.account.id}"
        arn = f"arn:aws:cloudformation:{place}:stack/{name}/{uuid.UUID(int=self.account.made)}"
        own = self.account.add(Kind.STACK, name, tags=tags, arn=arn)
        state = StackState(own.arn, "CREATE_IN_PROGRESS", created_at=own.created_at, ours=True)
        if self.failure:
            resource, reason = self.failure
            state = replace(state, failure=reason, failed_resources=(resource,))
            self.stacks[name] = _Stack(state, tags, [], self.looks, "ROLLBACK_COMPLETE")
            self.failure = None
            return own.arn
        made, outputs = _Template(self.account, name, json.loads(template), parameters, tags).make()
        state = replace(state, outputs=outputs)
        self.stacks[name] = _Stack(state, tags, [r.arn for r in made], self.looks, "CREATE_COMPLETE")
        return own.arn

    @port
    def describe(self, name: str) -> StackState:
        if name not in self.stacks:
            raise ResourceGone("DescribeStacks", "ValidationError", f"Stack with id {name} does not exist")
        stack = self.stacks[name]
        if stack.state.status.endswith("IN_PROGRESS"):
            stack.looks -= 1
            if stack.looks < 0:
                self._settle(name, stack)
        if name not in self.stacks:
            raise ResourceGone("DescribeStacks", "ValidationError", f"Stack with id {name} does not exist")
        done = stack.state.status == "CREATE_COMPLETE"
        return stack.state if done else replace(stack.state, outputs={})

    @port
    def resources(self, name: str) -> tuple[Resource, ...]:
        if name not in self.stacks:
            return ()
        there = self.account.resources
        return tuple(there[arn] for arn in self.stacks[name].arns if arn in there)

    @port
    def delete(self, name: str, token: str) -> None:
        if name not in self.stacks:
            return
        stack = self.stacks[name]
        if stack.state.status != "DELETE_IN_PROGRESS":
            stack.state = replace(stack.state, status="DELETE_IN_PROGRESS", failure=None, failed_resources=())
            stack.looks = self.looks

    def _settle(self, name: str, stack: _Stack) -> None:
        if stack.state.status == "CREATE_IN_PROGRESS":
            stack.state = replace(stack.state, status=stack.ends_as)
            return
        stuck = self._delete_all(stack)
        if stuck:
            reasons = "; ".join(stuck.values())
            stack.state = replace(stack.state, status="DELETE_FAILED", failure=reasons, failed_resources=tuple(stuck))
            return
        self.account.resources.pop(stack.state.id, None)
        del self.stacks[name]

    def _delete_all(self, stack: _Stack) -> dict[str, str]:
        there = [self.account.resources[arn] for arn in stack.arns if arn in self.account.resources]
        there.sort(key=lambda r: _LAST.index(r.kind) if r.kind in _LAST else -1)
        stuck = {}
        for resource in there:
            try:
                self.account.remove(resource)
            except (StillInUse, AwsRefused) as problem:
                stuck[resource.id] = str(problem)
        return stuck


class _Template:
    """Creates a template's resources."""

    def __init__(
        self, account: Account, stack: str, document: dict[str, Any], given: Mapping[str, str], tags: Mapping[str, str]
    ) -> None:
        self._account, self._stack, self._document, self._tags = account, stack, document, tags
        defaults = {key: value.get("Default", "") for key, value in document.get("Parameters", {}).items()}
        self._values: dict[str, Any] = {
            **defaults,
            **given,
            "AWS::Region": account.region,
            "AWS::AccountId": account.id,
            "AWS::Partition": "aws",
            "AWS::StackName": stack,
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": "",
        }
        self._made: dict[str, Resource] = {}

    def make(self) -> tuple[list[Resource], dict[str, str]]:
        """Return the created resources and the outputs."""
        for logical in self._document.get("Resources", {}):
            self._one(logical)
        outputs = {key: str(self._value(o["Value"])) for key, o in self._document.get("Outputs", {}).items()}
        return list(self._made.values()), outputs

    def _one(self, logical: str) -> Resource | None:
        resource = self._document["Resources"][logical]
        kind = _KINDS.get(resource["Type"])
        if kind is None or logical in self._made:
            return self._made.get(logical)
        facts = resource.get("Properties", {})
        self._made[logical] = self._account.add(kind, self._id(kind, logical, facts), **self._attributes(kind, facts))
        return self._made[logical]

    def _id(self, kind: Kind, logical: str, facts: Mapping[str, Any]) -> str | None:
        if kind is Kind.ROLE:
            return str(self._value(facts.get("RoleName", f"{self._stack}-{logical}")))
        if kind is Kind.INSTANCE_PROFILE:
            return str(self._value(facts.get("InstanceProfileName", f"{self._stack}-{logical}")))
        if kind is Kind.LOG_GROUP:
            return str(self._value(facts["LogGroupName"]))
        return None

    def _attributes(self, kind: Kind, facts: Mapping[str, Any]) -> dict[str, Any]:
        stack_id = self._account.get(Kind.STACK, self._stack).arn
        tags = {**self._tags, "aws:cloudformation:stack-name": self._stack, "aws:cloudformation:stack-id": stack_id}
        if isinstance(facts.get("Tags"), list):
            tags |= {tag["Key"]: str(self._value(tag["Value"])) for tag in facts["Tags"]}
        named = {"VpcId": "vpc_id", "GroupName": "group_name", "CidrBlock": "cidr", "AvailabilityZone": "zone"}
        plain = {ours: self._value(facts[theirs]) for theirs, ours in named.items() if theirs in facts}
        if facts.get("MapPublicIpOnLaunch"):
            plain["public"] = "true"
        if kind is Kind.NAT_GATEWAY and "SubnetId" in facts:
            plain["subnet_id"] = self._value(facts["SubnetId"])
            plain["vpc_id"] = self._account.get(Kind.SUBNET, str(plain["subnet_id"])).attributes.get("vpc-id", "")
        if kind is Kind.INSTANCE_PROFILE:
            plain["role_name"] = self._value(facts["Roles"][0])
            plain["role_id"] = self._account.get(Kind.ROLE, plain["role_name"]).attributes["role-id"]
        if kind is Kind.LOG_GROUP:
            plain["retention"] = facts["RetentionInDays"]
        if kind is Kind.ROLE:
            plain["role_id"] = f"AROA{self._account.made:016d}"
            plain["policies"] = ",".join(str(self._value(arn)) for arn in facts.get("ManagedPolicyArns", []))
            plain["inline"] = ",".join(str(self._value(p["PolicyName"])) for p in facts.get("Policies", []))
        return {"tags": tags, **plain}

    def _value(self, value: Any) -> Any:
        match value:
            case {"Ref": name}:
                return self._ref(name)
            case {"Fn::GetAtt": [logical, attribute]}:
                return self._attribute(logical, attribute)
            case {"Fn::Join": [separator, parts]}:
                return separator.join(str(self._value(part)) for part in parts)
            case {"Fn::Select": [index, {"Fn::GetAZs": _}]}:
                return self._account.region + "ac"[int(index)]
            case {"Fn::Sub": str(text)}:
                return re.sub(r"\$\{([^}]+)\}", lambda m: str(self._named(m[1])), text)
            case _:
                return value

    def _named(self, name: str) -> Any:
        logical, dot, attribute = name.partition(".")
        return self._attribute(logical, attribute) if dot else self._ref(logical)

    def _ref(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        made = self._one(name)
        return made.id if made else name

    def _attribute(self, logical: str, attribute: str) -> str:
        made = self._one(logical)
        if made is None:
            return f"{logical}.{attribute}"
        if attribute == "Arn":
            return made.arn
        return "1" if attribute.endswith("VersionNumber") else made.id
