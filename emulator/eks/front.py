"""The front of EKS: from an HTTP request, already authenticated and authorised, to an answer.

Requests run on threads of their own, because operations ask the emulator's other services over its one event loop.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from emulator.core.clients import AwsClients
from emulator.core.clock import EmulatorClock
from emulator.eks.clusters.upgrade import start_due_upgrades
from emulator.eks.http.answers import Answer, refusal, success
from emulator.eks.http.call import Call, caller_of
from emulator.eks.http.errors import EksError
from emulator.eks.http.parsing import read_input
from emulator.eks.http.routing import find_route
from emulator.eks.nodegroups.nodes import replace_lost
from emulator.eks.operations import OPERATIONS
from emulator.eks.state.faults import Faults
from emulator.eks.state.world import KubernetesApi, World
from emulator.eks.tags import tagged_resources

_THREADS = 64


class Eks:
    """Amazon EKS for one emulator: every account and region in it."""

    def __init__(self, *, clock: EmulatorClock, aws: AwsClients, kubernetes: KubernetesApi | None) -> None:
        self.world = World(clock, aws, kubernetes)
        self.kubernetes = kubernetes
        if kubernetes is not None:
            kubernetes.attach(self.world)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="eks")

    @property
    def faults(self) -> Faults:
        """The fault rules in force, to be set at run time."""
        return self.world.faults

    def tagged_resources(self, account: str, region: str) -> dict[str, dict[str, str]]:
        """Return the tags of every EKS resource of an account in a region, by ARN."""
        with self.world.lock:
            return tagged_resources(self.world, account, region)

    async def handle_request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, query_params: Mapping[str, Any]
    ) -> Answer:
        """Answer one request as (status, headers, body); the emulator's context says who is asking."""
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, context.run, self._answer, method, path, headers, body, query_params
        )

    def replace_node(self, account: str, region: str, instance_id: str) -> None:
        """Let a node group replace a machine that is gone."""
        with self.world.lock:
            replace_lost(self.world, (account, region), instance_id)

    def reset(self) -> None:
        """Forget every cluster, fault and pending change."""
        self.world.reset()
        if self.kubernetes is not None:
            self.kubernetes.reset()

    def _answer(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, query: Mapping[str, Any]
    ) -> Answer:
        try:
            operation, labels = _operation_at(method, path)
            call = Call(operation, read_input(operation, labels, query, body), caller_of(headers, query))
            time.sleep(self.faults.delay(operation, call.cluster_name))
            with self.world.lock:
                return success(operation, self._perform(call))
        except EksError as error:
            return refusal(error)

    def _perform(self, call: Call) -> dict[str, Any]:
        start_due_upgrades(self.world)
        self.faults.refuse(call.operation, call.cluster_name)
        self.world.lag.refuse(call)
        output = self.world.tokens.answer(call)
        if output is None:
            _refuse_reserved_tags(call)
            output = OPERATIONS[call.operation](self.world, call)
            self.world.tokens.remember(call, output)
        output = self.world.lag.seen(call, output)
        if self.faults.loses_answer(call.operation, call.cluster_name):
            raise EksError("ServerException", "Internal failure")
        return output


def _refuse_reserved_tags(call: Call) -> None:
    reserved = [key for key in call.given.get("tags") or () if key.lower().startswith("aws:")]
    if reserved and call.operation != "TagResource":
        raise EksError("InvalidParameterException", f"Tag keys that begin with aws: are AWS's own: {reserved[0]}")


def _operation_at(method: str, path: str) -> tuple[str, dict[str, str]]:
    found = find_route(method, path)
    if found is None:
        raise EksError("UnknownOperationException", f"EKS has no operation at {method} {path}", status=404)
    if found[0] not in OPERATIONS:
        raise EksError("NotImplementedException", f"This EKS does not know {found[0]}", status=501)
    return found
