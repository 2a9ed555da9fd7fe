"""Delete a stack, unless labs live in it: they would run on, and cost, with nobody left who knows how to end them.

The table stays (it is retained, and protected against deletion): it alone knows what was made and that it is gone.
"""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.store import DynamoStore
from chalicelib.domain.lab import OVER, Lab, Phase
from deploying.artifacts import ClientFactory
from deploying.deploy import Refused
from deploying.stacks import NotDeployed, Pace, failures, find_stack, wait

TABLE = "LabsTable"
_ALIVE = tuple(phase for phase in Phase if phase not in OVER)
_PAGE = 100


class StillInUse(Exception):
    """Labs live; the message names them."""


def destroy(
    client: ClientFactory, stack: str, ask: Callable[[str], bool] = lambda _said: True, pace: Pace | None = None
) -> tuple[str, ...]:
    """Delete the stack and return what stayed, in sentences. Raises StillInUse, NotDeployed, and Refused if `ask` says no."""
    cloudformation = client("cloudformation")
    there = find_stack(cloudformation, stack)
    if there is None:
        raise NotDeployed(f"there is no stack {stack}")
    table = _table(cloudformation, client("dynamodb"), stack)
    alive = list(_alive(client("dynamodb"), table)) if table else []
    if alive:
        named = "".join(f"\n{lab.id} ({lab.phase}), {lab.name} of {lab.owner}" for lab in alive)
        raise StillInUse(f"{len(alive)} labs live; release them and wait for their receipts first:{named}")
    if not ask(f"No lab lives. {_stays(table)} Shall {stack} be deleted?"):
        raise Refused(stack)
    _delete(cloudformation, str(there["StackId"]), pace or Pace())
    return (f"{stack} is gone.", _stays(table))


def _delete(cloudformation: Any, stack_id: str, pace: Pace) -> None:
    cloudformation.delete_stack(StackName=stack_id)
    # By its id a stack is still described once it is gone.
    stack = wait(
        lambda: find_stack(cloudformation, stack_id) or {"StackStatus": "DELETE_COMPLETE"}, "StackStatus", pace
    )
    if stack["StackStatus"] != "DELETE_COMPLETE":
        raise NotDeployed(stack["StackStatus"] + "".join(failures(cloudformation, stack_id, set())))


def _table(cloudformation: Any, dynamodb: Any, stack: str) -> str | None:
    """The table's name, unless the stack never came so far or the table is gone."""
    try:
        found = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=TABLE)
        name = str(found["StackResourceDetail"]["PhysicalResourceId"])
        dynamodb.describe_table(TableName=name)
    except ClientError as error:
        # Only "there is none" is an answer; whoever may not look must not conclude that nothing lives.
        if error.response["Error"]["Code"] in ("ValidationError", "ResourceNotFoundException"):
            return None
        raise
    return name


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
