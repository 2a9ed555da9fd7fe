"""Refuses deployments that CloudFormation would make: those that lose data, and a second region for a stage."""

from collections.abc import Collection, Sequence

from botocore.exceptions import ClientError

from chalicelib.domain.stack.roles import boundary_name
from deployment.artifacts import ClientFactory
from deployment.stacks import Change, NotDeployed

#: Types that can't be made again: the table has every lab, the secret signs links already sent, the user pool's people own labs
#: by names that no other pool gives them. They are types, not names: a new name in the template would delete the old resource as
#: well.
KEPT = ("AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::Cognito::UserPool")


def refuse_to_lose(changes: Sequence[Change], agreed: Collection[str] = ()) -> None:
    """Raise NotDeployed if a table, a secret or a user pool that `agreed` does not name would be deleted, or perhaps replaced."""
    lost = [change for change in changes if is_lost(change) and change.logical_id not in agreed]
    if lost:
        message = "".join(f"\n{change}" for change in lost)
        names = " ".join(change.logical_id for change in lost)
        raise NotDeployed(
            f'The service would begin anew, without what it knows:{message}\nIf you want that: LOSE="{names}".'
        )


def is_lost(change: Change) -> bool:
    """Whether a change removes, or may remove, a resource that can't be recreated."""
    return change.kind in KEPT and not (change.action in ("Add", "Import") or _stays(change))


def _stays(change: Change) -> bool:
    """A table is replaced if an attribute of its keys is edited. A new index adds one, which looks the same here; that releases
    edit none is tested (tests/deployment/test_upgrading.py)."""
    for_an_index = change.replacement == "Conditional" and change.causes == {"AttributeDefinitions"}
    return change.action == "Modify" and (change.replacement in ("", "False") or for_an_index)


def refuse_a_second_region(client: ClientFactory, stack: str) -> None:
    """Raise NotDeployed if a stack of this name is in another region of the account; IAM roles are shared by all regions.

    Labs and their resources are known by the stack's name: each stack would take the other's for its own.
    """
    who = client("sts").get_caller_identity()
    partition, account = str(who["Arn"]).split(":")[1], who["Account"]
    policy = f"arn:{partition}:iam::{account}:policy{boundary_name(stack)}"
    try:
        client("iam").get_policy(PolicyArn=policy)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
    else:
        raise NotDeployed(
            f"{stack} is in another region of account {account} already ({policy} is its): take another stage here, "
            "or that region. Labs may be in any region."
        )
