"""The lab's access role: the owner of a lab who comes through IAM Identity Center gets into its cluster by it, nobody else.

EKS knows the role behind a session and not the session: an entry for a permission set's role would let in everybody who has
that permission set. This role is the lab's own, and its trust names the person, by what the directory alone can set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.domain.core.names import SESSION_ARN
from chalicelib.domain.identity.callers import DIRECTORY_PATH, DirectoryPerson, directory_person

if TYPE_CHECKING:
    from chalicelib.domain.labs.lab import Lab

#: The name under which the lab's stack tells the role's ARN.
ACCESS_ROLE_ARN = "AccessRoleArn"
#: IAM Identity Center's guide, "Referencing permission sets": the suffix has 16 characters, and changes.
_SUFFIX = "?" * 16


def access_role_name(lab: Lab) -> str:
    """Its name, under the path of all roles of labs."""
    return f"{lab.id}-access"


def access_role_arn(lab: Lab) -> str | None:
    """Its ARN as the stack told it; None where the lab has none."""
    return lab.facts.stack_outputs.get(ACCESS_ROLE_ARN) if lab.spec.access_role else None


def access_trust(person: DirectoryPerson) -> dict[str, Any]:
    """Who may assume it: sessions of the permission set's role, by whatever suffix, that the directory opened for this user.

    `aws:userid` of a session is `<id of its role>:<its name>`. The role's id changes when the set is assigned anew; the
    name is the user's, for nobody but Identity Center can open a session of a role under its path.
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
    """The person whom the lab's access role is for; None for a lab without one."""
    return directory_person(lab.owner) if lab.spec.access_role else None


def person_behind(who: str, lab: Lab) -> str:
    """Who a caller or a user of the cluster is: the owner for a session of the lab's access role, anyone else as they are."""
    session = SESSION_ARN.fullmatch(who)
    through = session is not None and session[2] == lab.account and session[3] == access_role_name(lab)
    return lab.owner if through and lab.spec.access_role else who
