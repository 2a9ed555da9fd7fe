"""Errors of other services while EKS works in an account, and their meaning to EKS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

_CLUSTER_ISSUES = {
    "InsufficientFreeAddressesInSubnet": "InsufficientFreeAddresses",
    "InvalidSubnetID.NotFound": "Ec2SubnetNotFound",
    "InvalidGroup.NotFound": "Ec2SecurityGroupNotFound",
    "InvalidVpcID.NotFound": "VpcNotFound",
}
_UPDATE_ERRORS = {
    "InsufficientFreeAddressesInSubnet": "InsufficientFreeAddresses",
    "InvalidSubnetID.NotFound": "SubnetNotFound",
    "InvalidGroup.NotFound": "SecurityGroupNotFound",
}


@contextmanager
def gone_is_fine(*also_fine: str) -> Iterator[None]:
    """Let a deletion ignore missing resources, and the named error codes."""
    try:
        yield
    except ClientError as refused:
        code = code_of(refused)
        if "NotFound" not in code and code not in ("NoSuchEntity", *also_fine):
            raise


def code_of(refused: ClientError) -> str:
    """Return the error code the service answered with."""
    return str(refused.response["Error"]["Code"])


def message_of(refused: ClientError) -> str:
    """Return the message the service answered with."""
    return str(refused.response["Error"]["Message"])


def cluster_issue(refused: ClientError) -> str:
    """Return the ClusterIssueCode for a refusal."""
    return _CLUSTER_ISSUES.get(code_of(refused), "Other")


def update_error(refused: ClientError) -> str:
    """Return the update ErrorCode for a refusal."""
    return _UPDATE_ERRORS.get(code_of(refused), "Unknown")
