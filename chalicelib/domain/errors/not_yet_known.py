"""Refusals that only mean that AWS does not know a new resource yet: its reads lag its writes.

`runner.py` asks here before it accepts a refusal. The rows are the retry predicates of tools tested on AWS (see
tests/data/aws/retries.json for the source of each); any other refusal is accepted at once.
"""

from __future__ import annotations

import re

from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.errors.tree import AccessDenied, AwsRefused, ResourceGone

#: A denial that does not pass: somebody wrote it into a policy.
_EXPLICIT = pattern(r"with an explicit deny", re.IGNORECASE)
#: The workflow whose resources were all created minutes ago.
_MAKING = "provision"


@dataclass(frozen=True)
class NotYetKnown:
    """Regular expressions for the operation (without its service), the code and the message of an answer that will change."""

    operation: str
    code: str
    message: str = ""

    def matches(self, error: AwsRefused) -> bool:
        """Whether the refusal is of this kind."""
        operation = error.operation.rpartition(":")[2]
        names = re.fullmatch(self.operation, operation) and re.fullmatch(self.code, error.code)
        return bool(names) and re.search(self.message, error.message, re.IGNORECASE) is not None


_EKS_CREATES = r"Create(Cluster|Nodegroup|Addon|PodIdentityAssociation)"
_INVALID = r"InvalidParameterException|InvalidRequestException"
#: True in every workflow: the answer itself says that a role, an entry or an update is not known yet.
ROWS: tuple[NotYetKnown, ...] = (
    NotYetKnown(r".*", r"ResourcePropagationDelayException"),
    NotYetKnown(r"(Create|Import)\w+|DescribeCluster", r"TagsNotYetKnown|NotSeenYet"),
    NotYetKnown(_EKS_CREATES, _INVALID, r"does not exist|(?<!instance types )do not exist|CREATE_FAILED"),
    NotYetKnown(
        _EKS_CREATES, _INVALID, r"(could not|can ?not) be found|Error Code: (NoSuchEntity|Invalid\w+\.NotFound)"
    ),
    NotYetKnown(_EKS_CREATES, _INVALID, r"not yet|(please|and) (re)?try again"),
    NotYetKnown(_EKS_CREATES, _INVALID, r"error in role params"),
    NotYetKnown(
        _EKS_CREATES, _INVALID, r"(could not|can ?not) be assumed|not assumable|trusted entity|trust relationship"
    ),
    NotYetKnown(_EKS_CREATES, _INVALID, r"doesn't have the Amazon EKS Managed Policies"),
    NotYetKnown(_EKS_CREATES, _INVALID, r"IAM role's policy must include"),
    NotYetKnown(r"CreateAccessEntry", _INVALID, r"principal.{0,200}(invalid|not valid|not exist)|invalid principal"),
    NotYetKnown(
        r"(AssociateAccessPolicy|DescribeAccessEntry)", r"ResourceNotFoundException", r"principalArn could not be found"
    ),
    NotYetKnown(r"(AssociateAccessPolicy|DescribeAccessEntry|TagResource)", r"AccessDenied(Exception)?"),
    NotYetKnown(r"(Create|Update|Delete)\w+", _INVALID, r"not in ACTIVE status|not in Active State|update in progress"),
    NotYetKnown(r"(Create|Delete)Stack", r"ValidationError", r"is invalid or cannot be assumed"),
    NotYetKnown(r"DescribeUpdate", r"ResourceNotFoundException"),
    NotYetKnown(r"RunInstances", r"InvalidParameterValue", r"IAM ?Instance ?Profile"),
)


def is_not_yet_known(error: AwsRefused, workflow: str) -> bool:
    """Whether a step of `workflow` waits this refusal out before it accepts it."""
    if isinstance(error, AccessDenied) and _EXPLICIT.search(error.message):
        return False
    just_made = workflow == _MAKING and isinstance(error, ResourceGone | AccessDenied)
    return just_made or any(row.matches(error) for row in ROWS)
