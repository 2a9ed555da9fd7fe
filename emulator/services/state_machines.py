"""Step Functions' refusals of definitions, names and inputs, in AWS's words as LocalStack's authors recorded them.

Source: localstack/localstack, tests/aws/services/stepfunctions/v2: test_sfn_api and test_sfn_api_validation (snapshots).
"""

from __future__ import annotations

import json
import re
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import stepfunctions

_REQUIRED = ("States", "StartAt")
_EXPECTED = "was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


def install() -> None:
    """Put these refusals before the actions of this process's emulator, after its other corrections of Step Functions."""
    create, start = stepfunctions._create_state_machine, stepfunctions._start_execution
    delete = stepfunctions._delete_state_machine

    def create_state_machine(given: dict[str, Any]) -> Any:
        arn = f"arn:aws:states:{get_region()}:{get_account_id()}:stateMachine:{given.get('name')}"
        return _definition_refused(given) or _in_words(create(given), f"State Machine Already Exists: '{arn}'")

    def start_execution(given: dict[str, Any]) -> Any:
        arn = given.get("stateMachineArn")
        if stepfunctions._resolve_state_machine_arn(str(arn).partition("#")[0]) is None:
            return _refusal("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        return _input_refused(given) or start(given)

    def delete_state_machine(given: dict[str, Any]) -> Any:
        is_there = given.get("stateMachineArn") in stepfunctions._state_machines
        return delete(given) if is_there else stepfunctions.json_response({})

    stepfunctions._create_state_machine, stepfunctions._start_execution = create_state_machine, start_execution
    stepfunctions._delete_state_machine = delete_state_machine


def _definition_refused(given: dict[str, Any]) -> Any:
    try:
        definition = json.loads(given.get("definition") or "")
    except ValueError as error:
        return _refusal("InvalidDefinition", f"Invalid State Machine Definition: 'INVALID_JSON_DESCRIPTION: {error}'")
    missing = [name for name in _REQUIRED if name not in definition]
    if not missing:
        return None
    message = f"SCHEMA_VALIDATION_FAILED: These fields are required: [{', '.join(missing)}] at /"
    return _refusal("InvalidDefinition", f"Invalid State Machine Definition: '{message}'")


def _input_refused(given: dict[str, Any]) -> Any:
    text = given.get("input", "{}")
    try:
        json.loads(text)
    except ValueError:
        token = re.match(r"\s*([A-Za-z_]\w*)", text)
        reason = f"Unrecognized token '{token[1]}': {_EXPECTED}" if token else "Invalid execution input."
        return _refusal("InvalidExecutionInput", f"Invalid State Machine Execution Input: '{reason}'")
    return None


def _in_words(answer: Any, message: str) -> Any:
    taken = answer[0] >= 400 and b"StateMachineAlreadyExists" in answer[2]
    return _refusal("StateMachineAlreadyExists", message) if taken else answer


def _refusal(code: str, message: str) -> Any:
    return stepfunctions.error_response_json(code, message, 400)
