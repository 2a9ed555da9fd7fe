"""Deletes a stack without living labs, which would run on and cost money with no service to end them.

The stack is protected against any other deletion; the protection is removed after the last count, and restored if the stack
stays.

The table stays (it is retained, and protected against deletion): it has the only record of created and deleted resources. Labs
are listed by an index, which lags behind, and counted by tallies, which do not; the API is stopped before the last count.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.dynamodb.curfew.store import DynamoCurfewStore
from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.domain.labs.lab import OVER, Lab, Phase
from chalicelib.domain.teardown.evidence import LAB_TAG
from deployment.artifacts import ClientFactory
from deployment.deploy import Refused
from deployment.stacks import NotDeployed, Pace, failures, find_stack, protect, wait

TABLE = "LabsTable"
API = "APIHandler"
_ALIVE = tuple(phase for phase in Phase if phase not in OVER)
_PAGE = 100


class StillInUse(Exception):
    """Labs are alive; the message names them."""


def destroy(
    client: ClientFactory, stack: str, ask: Callable[[str], bool] = lambda _said: True, pace: Pace | None = None
) -> tuple[str, ...]:
    """Delete the stack; describe the remaining resources. Raises StillInUse, NotDeployed, and Refused if `ask` says
    no."""
    cloudformation = client("cloudformation")
    there = find_stack(cloudformation, stack)
    if there is None:
        raise NotDeployed(f"there is no stack {stack}")
    dynamodb = client("dynamodb")
    table = _found(cloudformation, stack, TABLE, lambda name: dynamodb.describe_table(TableName=name))
    _refuse_if_used(dynamodb, table)
    if not ask(f"No lab lives. {_stays(table)} Shall {stack} be deleted?"):
        raise Refused(stack)
    with _no_more_requests(client("lambda"), cloudformation, stack):
        _refuse_if_used(dynamodb, table)
        with _unprotected(cloudformation, str(there["StackId"])):
            _delete(cloudformation, str(there["StackId"]), pace or Pace())
    if lost := _describe_alive(dynamodb, table):
        raise StillInUse(
            f"{stack} is gone, but at the last moment came {lost}\nRemove by hand what is tagged {LAB_TAG}."
        )
    return (f"{stack} is gone.", _stays(table))


@contextmanager
def _no_more_requests(functions: Any, cloudformation: Any, stack: str) -> Iterator[None]:
    """Stop the API's handler; after a failure inside the block it is restored, if it still exists."""
    before: int | None = None

    def look(name: str) -> None:
        functions.get_function(FunctionName=name)

    handler = _found(cloudformation, stack, API, look)
    if handler:
        before = functions.get_function_concurrency(FunctionName=handler).get("ReservedConcurrentExecutions")
        functions.put_function_concurrency(FunctionName=handler, ReservedConcurrentExecutions=0)
    try:
        yield
    except BaseException:
        if handler and _found(cloudformation, stack, API, look):
            _let_run_again(functions, handler, before)
        raise


def _let_run_again(functions: Any, handler: str, before: int | None) -> None:
    # A run that died before this line leaves zero.
    if before:
        functions.put_function_concurrency(FunctionName=handler, ReservedConcurrentExecutions=before)
    else:
        functions.delete_function_concurrency(FunctionName=handler)


@contextmanager
def _unprotected(cloudformation: Any, stack_id: str) -> Iterator[None]:
    """Lift the stack's protection inside the block; after a failure it is protected again, if it still exists."""
    protect(cloudformation, stack_id, against_deletion=False)
    try:
        yield
    except BaseException:
        # The failure's cause is more important than a stack under deletion that can't be protected.
        with suppress(ClientError):
            protect(cloudformation, stack_id)
        raise


def _delete(cloudformation: Any, stack_id: str, pace: Pace) -> None:
    cloudformation.delete_stack(StackName=stack_id)
    # A deleted stack is still described by its id.
    stack = wait(
        lambda: find_stack(cloudformation, stack_id) or {"StackStatus": "DELETE_COMPLETE"}, "StackStatus", pace
    )
    if stack["StackStatus"] != "DELETE_COMPLETE":
        raise NotDeployed(stack["StackStatus"] + "".join(failures(cloudformation, stack_id, set())))


def _found(cloudformation: Any, stack: str, logical_id: str, look: Callable[[str], object]) -> str | None:
    """The name of one of the stack's resources, or None if it was never created or is deleted."""
    try:
        found = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=logical_id)
        name = str(found["StackResourceDetail"]["PhysicalResourceId"])
        look(name)
    except ClientError as error:
        # Only "there is none" is an answer; a denied read must not count as an empty list.
        if error.response["Error"]["Code"] in ("ValidationError", "ResourceNotFoundException"):
            return None
        raise
    return name


def _refuse_if_used(dynamodb: Any, table: str | None) -> None:
    if message := _describe_alive(dynamodb, table):
        raise StillInUse(f"There are labs; release them and wait for their receipts first: {message}")


def _describe_alive(dynamodb: Any, table: str | None) -> str:
    """The number of labs that are alive, and those already in the list; empty if none is."""
    if table is None or not (count := DynamoCurfewStore(dynamodb, table).alive_count()):
        return ""
    named = "".join(f"\n{lab.id} ({lab.phase}), {lab.name} of {lab.owner}" for lab in _alive(dynamodb, table))
    return f"{count} alive.{named or ' They are not listed yet; ask again.'}"


def _alive(dynamodb: Any, table: str) -> Iterator[Lab]:
    store = DynamoStore(dynamodb, table)
    page = store.list_labs(None, _ALIVE, _PAGE, None)
    yield from page.items
    while page.cursor:
        page = store.list_labs(None, _ALIVE, _PAGE, page.cursor)
        yield from page.items


def _stays(table: str | None) -> str:
    if table is None:
        return "There is no table."
    return f"The table {table} stays with all receipts, protected against deletion; so does the bucket with the code."
