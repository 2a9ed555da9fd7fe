"""Seconds that a stack's resources take to create; the clock's scale shortens them.

As on AWS, a resource starts when the resources that it refers to or depends on exist, and exists after its duration; independent
resources are created in parallel. Deletions take no time. Deleting a stack while it is created ends the waits.

Sources are events of stacks that people have shown: unbounce/iidy#145 (a role: 20 s), cloudtools/stacker#90 (a VPC, an internet
gateway: 15 s), widdix/aws-s3-virusscan#39 (routes and associations: 14 to 16 s); of a NAT gateway cdkd's reference: 1 to 2 minutes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from ministack.services.cloudformation import changesets, handlers, stacks

from emulator.core.clock import EmulatorClock

SECONDS: Mapping[str, float] = {
    "AWS::EC2::InternetGateway": 15,
    "AWS::EC2::NatGateway": 90,
    "AWS::EC2::Route": 15,
    "AWS::EC2::Subnet": 15,
    "AWS::EC2::SubnetRouteTableAssociation": 15,
    "AWS::EC2::VPC": 15,
    "AWS::IAM::Role": 18,
}


def ready_after(resources: Mapping[str, Any], conditions: Mapping[str, bool] | None = None) -> dict[str, float]:
    """Seconds after which each resource of a template exists; resources without a duration exist at once."""
    ready: dict[str, float] = {}
    for name in stacks._topological_sort(dict(resources), dict(conditions or {})):
        before = (ready.get(other, 0.0) for other in stacks._extract_deps(resources[name], set(resources)))
        ready[name] = max(before, default=0.0) + SECONDS.get(resources[name].get("Type", ""), 0.0)
    return ready


class _Making:
    """A stack that is being made."""

    def __init__(self, ready: Mapping[str, float], clock: EmulatorClock) -> None:
        self._ready, self._clock, self._began = ready, clock, time.monotonic()
        self.hurried, self.ended = asyncio.Event(), asyncio.Event()

    async def until(self, logical_id: str) -> None:
        """Wait until this resource exists, or until its stack is deleted."""
        left = self._began + self._clock.scaled(self._ready.get(logical_id, 0.0)) - time.monotonic()
        if left > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.hurried.wait(), left)


def install(clock: EmulatorClock) -> None:
    """Delay the resources of this process's stacks by these durations."""
    deploy, delete = stacks._deploy_stack_async, stacks._delete_stack_async
    blocks, run = stacks._runs_on_worker_thread, stacks.run_reentrant
    makings: dict[str, _Making] = {}
    current: ContextVar[_Making | None] = ContextVar("making", default=None)

    async def deploy_in_time(name: str, stack_id: str, template: Any, values: Any, *rest: Any, **named: Any) -> None:
        if named.get("is_update"):
            await deploy(name, stack_id, _same_as_before(template, named), values, *rest, **named)
            return
        making = makings[stack_id] = _Making(_ready_after(template, values), clock)
        token = current.set(making)
        try:
            await deploy(name, stack_id, template, values, *rest, **named)
        finally:
            current.reset(token)
            del makings[stack_id]
            making.ended.set()

    async def delete_what_was_made(name: str, stack_id: str, *rest: Any, **named: Any) -> None:
        if making := makings.get(stack_id):
            making.hurried.set()
            await making.ended.wait()
        await delete(name, stack_id, *rest, **named)

    async def make_in_time(function: Any, resource_type: str, *arguments: Any, **named: Any) -> Any:
        making = current.get()
        if blocks(resource_type) or making is None:
            return await run(function, resource_type, *arguments, **named)
        made = function(resource_type, *arguments)
        await making.until(arguments[0])
        return made

    stacks.run_reentrant = make_in_time
    stacks._runs_on_worker_thread = lambda kind: blocks(kind) or (current.get() is not None and kind in SECONDS)
    for module in (stacks, changesets, handlers):
        module._deploy_stack_async = deploy_in_time
        if hasattr(module, "_delete_stack_async"):
            module._delete_stack_async = delete_what_was_made


def _same_as_before(template: Any, named: Mapping[str, Any]) -> Any:
    """The stack's own template if it is equal: ministack compares the two for each resource, which is quick for one object."""
    before = (named.get("previous_stack") or {}).get("_template")
    return before if before == template else template


def _ready_after(template: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, float]:
    """Empty for a template that CloudFormation refuses."""
    try:
        return ready_after(template.get("Resources", {}), stacks._evaluate_conditions(template, values))
    except ValueError:
        return {}
