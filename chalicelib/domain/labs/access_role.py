"""The lab's access role: only the lab's owner enters its cluster with it, through IAM Identity Center.

EKS knows the role behind a session, not the session: an access entry for a permission set's role would admit everybody with that
permission set. The access role belongs to one lab, and its trust policy names the person by keys that only the directory sets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.domain.core.names import SESSION_ARN
from chalicelib.domain.identity.callers import DIRECTORY_PATH, DirectoryPerson, directory_person

if TYPE_CHECKING:
    from chalicelib.domain.labs.lab import Lab

#: The stack output that holds the role's ARN.
ACCESS_ROLE_ARN = "AccessRoleArn"
#: IAM Identity Center's guide, "Referencing permission sets": the suffix has 16 characters, and changes.
_SUFFIX = "?" * 16


def access_role_name(lab: Lab) -> str:
    """The role's name, under the path of all lab roles."""
    return f"{lab.id}-access"


def access_role_arn(lab: Lab) -> str | None:
    """The role's ARN from the stack's outputs; None for a lab without one."""
    return lab.facts.stack_outputs.get(ACCESS_ROLE_ARN) if lab.spec.access_role else None


def access_trust(person: DirectoryPerson) -> dict[str, Any]:
    """The trust policy: sessions of the permission set's role, with any suffix, that the directory opened for this user.

    `aws:userid` of a session is `<id of its role>:<session name>`. The role's id changes when the set is assigned again; the
    session name is the user's, since only Identity Center can open sessions of a role under its path.
    """
    role = f"role{DIRECTORY_PATH.rstrip('/')}*/AWSReservedSSO_{person.permission_set}_{_SUFFIX}"
    account = f"arn:{person.partition}:iam::{person.account}"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"{account}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "ArnLike": {"aws:PrincipalArn": f"{account}:{role}"},
            "StringLike": {"aws:userid": f"*:{person.user_name}"},
        },
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def owner_by_access_role(lab: Lab) -> DirectoryPerson | None:
    """The person for whom the access role is; None for a lab without one."""
    return directory_person(lab.owner) if lab.spec.access_role else None


def person_behind(who: str, lab: Lab) -> str:
    """The person behind a caller or a user of the cluster: the owner for a session of the lab's access role."""
    session = SESSION_ARN.fullmatch(who)
    through = session is not None and session[2] == lab.account and session[3] == access_role_name(lab)
    return lab.owner if through and lab.spec.access_role else who
