"""Step Functions: starts a workflow once per execution name, and returns an execution's state.

ARNs are built from names, because a Lambda's environment with its own state machine's ARN would be a cycle in the stack.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.aws.clients.calls import call
from chalicelib.domain.core.names import partition_of
from chalicelib.domain.errors.tree import AwsRefused
from chalicelib.domain.labs.steps import Execution
from chalicelib.logs import logger, request_id

#: An execution that is to be redriven runs again in a moment.
_AT_WORK = frozenset({"RUNNING", "PENDING_REDRIVE"})


class StepFunctionsWorkflows:
    """Implements the Workflows port; state machines are named `<prefix>-<workflow>`."""

    def __init__(self, client: Any, region: str, account: str, prefix: str) -> None:
        self._client = client
        self._place, self._prefix = f"arn:{partition_of(region)}:states:{region}:{account}", prefix

    def start(self, workflow: str, execution_name: str, payload: Mapping[str, object]) -> None:
        """Start it; a running or ended execution of this name is not started again. Raises AwsRefused without a machine.

        The id of the present request is passed as `request_id`, so that the log lines of its steps can be found by it.
        """
        machine = f"{self._place}:stateMachine:{self._prefix}-{workflow}"
        given = json.dumps({**payload, "request_id": request_id()})
        try:
            call(self._client, "states:StartExecution", stateMachineArn=machine, name=execution_name, input=given)
            logger.info("A workflow was started.", extra={"workflow": workflow, "execution": execution_name})
        except AwsRefused as refusal:
            if refusal.code != "ExecutionAlreadyExists":
                raise
            logger.info(
                "A workflow of this name was started before.", extra={"workflow": workflow, "execution": execution_name}
            )

    def execution(self, workflow: str, execution_name: str) -> Execution:
        """The state of that execution; one that failed, was aborted or timed out has ended."""
        arn = f"{self._place}:execution:{self._prefix}-{workflow}:{execution_name}"
        try:
            status = str(call(self._client, "states:DescribeExecution", executionArn=arn)["status"])
        except AwsRefused as refusal:
            if refusal.code == "ExecutionDoesNotExist":
                return Execution.ABSENT
            raise
        return Execution.RUNNING if status in _AT_WORK else Execution.ENDED
