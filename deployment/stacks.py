"""A CloudFormation stack for deployment: its state, a change set's effects, and waiting for its end."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from deployment.artifacts import ClientFactory

Seen = Mapping[str, Any]

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
_BUSY = ("_IN_PROGRESS", "_PENDING")
#: CloudFormation's messages that there is nothing to do; it has no code for this.
_NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")


class NotDeployed(Exception):
    """The stack could not be created, updated or deleted; the message names each resource that failed and why."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait for CloudFormation, and the time between two polls, in seconds."""

    patience: float = 3600
    interval: float = 3


@dataclass(frozen=True, slots=True)
class Change:
    """A change set's effect on one resource.

    `replacement`: True, False, Conditional, or nothing; `causes`: the properties that cause it.
    """

    action: str
    logical_id: str
    kind: str
    replacement: str = ""
    causes: frozenset[str] = frozenset()

    def __str__(self) -> str:
        replaced = {"True": ", REPLACED", "Conditional": ", perhaps REPLACED"}.get(self.replacement, "")
        return f"{self.action:<7} {self.logical_id} ({self.kind}){replaced}"


def find_stack(cloudformation: Any, name: str) -> Seen | None:
    """Return the stack, or None if there is none, or if its first change set was never executed."""
    try:
        stacks: list[Seen] = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    return stacks[0] if stacks[0]["StackStatus"] != "REVIEW_IN_PROGRESS" else None


def outputs_of(stack: Seen | None) -> dict[str, str]:
    """Return a stack's outputs by name."""
    return {output["OutputKey"]: output["OutputValue"] for output in (stack or {}).get("Outputs", [])}


def protect(cloudformation: Any, stack: str, against_deletion: bool = True) -> None:
    """Make CloudFormation refuse every deletion of the stack; or allow it again."""
    cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=against_deletion)


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """One change set of one stack, from its creation to its end."""

    cloudformation: Any
    stack: str
    name: str
    is_new: bool
    pace: Pace

    @classmethod
    def create(
        cls, cloudformation: Any, stack: str, url: str, parameters: Mapping[str, str], pace: Pace
    ) -> "ChangeSet | None":
        """Make a change set of the template at `url`; None if it would change nothing.

        Parameters that are not given keep the values they have. Raises NotDeployed.
        """
        there = find_stack(cloudformation, stack)
        made = cls(cloudformation, stack, f"change-{time.time_ns()}", there is None, pace)
        cloudformation.create_change_set(
            StackName=stack,
            ChangeSetName=made.name,
            ChangeSetType="CREATE" if there is None else "UPDATE",
            TemplateURL=url,
            Parameters=_parameters(cloudformation, url, parameters, there or {}),
            Capabilities=CAPABILITIES,
        )
        seen = made._wait(made._describe, "Status")
        if seen["Status"] != "FAILED":
            return made
        made.discard()
        if any(words in seen["StatusReason"] for words in _NOTHING_TO_DO):
            return None
        raise NotDeployed(seen["StatusReason"])

    def changes(self) -> tuple[Change, ...]:
        """Its effects, by resource."""
        found = []
        pages = self.cloudformation.get_paginator("describe_change_set")
        every = pages.paginate(StackName=self.stack, ChangeSetName=self.name).search("Changes[].ResourceChange")
        for resource in every:
            kind, replacement = resource["ResourceType"], resource.get("Replacement", "")
            targets = [detail["Target"] for detail in resource.get("Details", ())]
            causes = frozenset(each.get("Name", "") for each in targets if each.get("RequiresRecreation") != "Never")
            found.append(Change(resource["Action"], resource["LogicalResourceId"], kind, str(replacement), causes))
        return tuple(sorted(found, key=lambda each: (each.action, each.logical_id)))

    def execute(self) -> Seen:
        """Execute it, and return the stack. Raises NotDeployed naming the failures; CloudFormation has rolled it back then."""
        since = {event["EventId"] for event in _events(self.cloudformation, self.stack)}
        self.cloudformation.execute_change_set(StackName=self.stack, ChangeSetName=self.name)
        stack = self._wait(lambda: find_stack(self.cloudformation, self.stack) or {}, "StackStatus")
        if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise NotDeployed(stack["StackStatus"] + "".join(failures(self.cloudformation, self.stack, since)))
        return stack

    def discard(self) -> None:
        """Delete the change set, and a stack that exists only for it."""
        if self.is_new:
            self.cloudformation.delete_stack(StackName=self.stack)
        else:
            self.cloudformation.delete_change_set(StackName=self.stack, ChangeSetName=self.name)

    def _describe(self) -> Seen:
        seen: Seen = self.cloudformation.describe_change_set(StackName=self.stack, ChangeSetName=self.name)
        return seen

    def _wait(self, look: Callable[[], Seen], field: str) -> Seen:
        return wait(look, field, self.pace)


def wait(look: Callable[[], Seen], field: str, pace: Pace) -> Seen:
    """Poll until the status in `field` is final; return the last answer. Raises NotDeployed when patience ends."""
    deadline = time.monotonic() + pace.patience
    while str((seen := look())[field]).endswith(_BUSY):
        if time.monotonic() > deadline:
            raise NotDeployed(f"still {seen[field]} after {pace.patience:.0f} s")
        time.sleep(pace.interval)
    return seen


def failures(cloudformation: Any, stack: str, since: set[str]) -> Iterator[str]:
    """Name each resource that failed and why, one line each, in events that were not there `since`."""
    for event in _events(cloudformation, stack):
        if event["EventId"] not in since and event["ResourceStatus"].endswith("_FAILED"):
            yield f"\n{event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason')}"


def _events(cloudformation: Any, stack: str) -> Iterator[Seen]:
    for page in cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack):
        yield from page["StackEvents"]


def _parameters(cloudformation: Any, url: str, given: Mapping[str, str], there: Seen) -> list[dict[str, Any]]:
    known = {each["ParameterKey"] for each in there.get("Parameters", [])}
    if known - set(given):
        # A parameter that the new template no longer has must not be named.
        summary = cloudformation.get_template_summary(TemplateURL=url)["Parameters"]
        known &= {each["ParameterKey"] for each in summary}
    kept = [{"ParameterKey": key, "UsePreviousValue": True} for key in sorted(known - set(given))]
    return [*kept, *({"ParameterKey": key, "ParameterValue": value} for key, value in given.items())]


def wait_for_names(client: ClientFactory, template: Mapping[str, Any], stack: str, pace: Pace) -> None:
    """Return when no state machine that the template names is being deleted. Raises NotDeployed if one remains for long.

    Step Functions deletes one after CloudFormation has called it deleted, and refuses another of the name until then
    (`StateMachineDeleting`): a deploy right after a destroy would fail.
    """
    names = sorted(_names(template, stack))
    if not names:
        return
    states, where = client("stepfunctions"), _where(client)
    until = time.monotonic() + pace.patience
    while going := [name for name in names if _is_going(states, f"{where}:{name}")]:
        if time.monotonic() > until:
            raise NotDeployed(f"State machines of a stack before are still being deleted: {', '.join(going)}.")
        time.sleep(pace.interval)


def _names(template: Mapping[str, Any], stack: str) -> Iterator[str]:
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::StepFunctions::StateMachine":
            match resource["Properties"].get("StateMachineName"):
                case {"Fn::Sub": str(name)}:
                    yield name.replace("${AWS::StackName}", stack)


def _where(client: ClientFactory) -> str:
    states, who = client("stepfunctions"), client("sts").get_caller_identity()
    partition = str(who["Arn"]).split(":")[1]
    return f"arn:{partition}:states:{states.meta.region_name}:{who['Account']}:stateMachine"


def _is_going(states: Any, arn: str) -> bool:
    try:
        return bool(states.describe_state_machine(stateMachineArn=arn)["status"] == "DELETING")
    except ClientError as error:
        if error.response["Error"]["Code"] != "StateMachineDoesNotExist":
            raise
        return False
