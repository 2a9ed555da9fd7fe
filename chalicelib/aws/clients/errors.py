"""Turns botocore's exceptions into the domain's, at the edge: `with translate("eks:CreateCluster"): client.create_cluster(...)`.

Every adapter wraps every call in it, so that nothing above `aws/` imports botocore. The tables below are AWS's own
codes; an unlisted one other than a 5xx becomes an AwsRefused that keeps AWS's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotConnected

from chalicelib.domain.core.deferred import pattern
from chalicelib.domain.errors.tree import (
    AccessDenied,
    AlreadyExists,
    AwsRefused,
    AwsUnavailable,
    EkslabError,
    ResourceGone,
    StillInUse,
    Throttled,
)

THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "ExecutionLimitExceeded",
        "KMSThrottling",
        "KmsThrottled",
        "KmsThrottlingException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)

#: Errors that pass in a moment although their HTTP status is 4xx.
PASSING = frozenset(
    {
        "ConcurrentModification",
        "DependencyTimeout",
        "EntityTemporarilyUnmodifiable",
        "InternalError",
        "InternalErrorException",
        "InternalException",
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "InternalServiceException",
        "ReplicatedWriteConflictException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ResourceContention",
        "ResourcePropagationDelayException",
        "ServerException",
        "ServiceFailure",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "StateMachineDeleting",
        "TransactionConflictException",
        "TransactionInProgressException",
        "Unavailable",
    }
)

#: Credentials that were valid once: assumed ones that expired or were revoked. The next call gets new ones.
STALE = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "RequestExpired",
        "UnrecognizedClientException",
    }
)

DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "AuthorizationError",
        "AuthorizationErrorException",
        "KMSAccessDenied",
        "NotAuthorized",
        "UnauthorizedAccess",
        "UnauthorizedOperation",
    }
)

#: EC2's own (`InvalidSnapshot.InUse`, ...) are recognised by their suffix.
#: EKS's ResourceInUseException is in this table; `creating=True` reads it as AlreadyExists, which it means on a Create.
IN_USE = frozenset(
    {
        "DeleteConflict",
        "DeleteConflictException",
        "DependencyViolation",
        "HostedZoneNotEmpty",
        "IncorrectInstanceState",
        "IncorrectState",
        "MountTargetConflict",
        "OperationAbortedException",
        "ResourceInUse",
        "ResourceInUseException",
        "ScalingActivityInProgress",
        "VolumeInUse",
    }
)

EXISTS = frozenset(
    {
        "AlreadyExistsException",
        "EntityAlreadyExists",
        "EntityAlreadyExistsException",
        "ExecutionAlreadyExists",
        "InvalidGroup.Duplicate",
        "InvalidKeyPair.Duplicate",
        "InvalidLaunchTemplateName.AlreadyExistsException",
        "InvalidPermission.Duplicate",
        "ResourceAlreadyExistsException",
        "TokenAlreadyExistsException",
    }
)

#: `NoSuchEntity`, `NoSuchHostedZone`, `InvalidGroup.NotFound`, `LoadBalancerNotFound`, `ResourceNotFoundException`, ...
_GONE = pattern(r"^NoSuch|NotFound(Exception)?$|^InvalidInstanceID\.Terminated$")
#: Some are only in the message, under an ambiguous code: CloudFormation's ValidationError, EKS's ClientException.
_GONE_IN_WORDS = {
    "ValidationError": pattern(r"^Stack (with id|\[).*does not exist|^AutoScalingGroup name not found", re.IGNORECASE),
    "ClientException": pattern(r"^No (cluster|node ?group|addon) found for name", re.IGNORECASE),
}


#: A service that calls another one reports its throttling in the message, under a code of its own.
_SLOW_DOWN = pattern(
    r"Rate exceeded|RequestLimitExceeded|Request limit exceeded|ThrottlingException|Error Code: Throttling\b"
)
#: Messages that alone say that a resource is still in use.
_IN_USE_IN_WORDS = {
    "InvalidParameterValue": pattern(r"^Network interface '[\w-]+' is currently in use", re.IGNORECASE),
    "InvalidRequestException": pattern(r"not in ACTIVE status|not in Active State|update in progress", re.IGNORECASE),
    "ValidationError": pattern(r"^Stack \[[^\]]+\] cannot be deleted while in status \w+_IN_PROGRESS"),
}
#: The requested state exists already: EKS refuses the change, also while its own reads lag.
_SO_ALREADY = pattern(r"already at the desired configuration", re.IGNORECASE)
#: A resource held by an AWS service for a resource of its own is reported like a missing permission; it is released with that.
_HELD = {
    "AuthFailure": pattern(r"do not have permission to access the specified resource", re.IGNORECASE),
    "OperationNotPermitted": pattern(r"not allowed to manage '[\w-]+' attachments", re.IGNORECASE),
}


@contextmanager
def translate(operation: str, creating: bool = False) -> Iterator[None]:
    """Raise the domain's error for each error that botocore raises inside.

    `operation` is IAM's name of the action, e.g. `eks:CreateCluster`. `creating`: "in use" means that the resource exists.
    """
    try:
        yield
    except ClientError as error:
        raise domain_error(operation, error, creating) from error
    except (HTTPClientError, NotConnected) as error:
        raise AwsUnavailable(f"{operation}: {error}") from error
    except BotoCoreError as error:
        raise AwsRefused(operation, type(error).__name__, str(error)) from error


def domain_error(operation: str, error: ClientError, creating: bool = False) -> EkslabError:
    """The domain's error for one error response of AWS."""
    code = str(error.response.get("Error", {}).get("Code", "Unknown"))
    message = str(error.response.get("Error", {}).get("Message", ""))
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400))
    if code in THROTTLED or status == 429 or _SLOW_DOWN.search(message):
        return Throttled(f"{operation}: {code}: {message}")
    if code in PASSING or code in STALE or status >= 500:
        return AwsUnavailable(f"{operation}: {code}: {message}")
    return _refusal(code, message, creating)(operation, code, message)


def _is_in_use(code: str) -> bool:
    return code in IN_USE or code.endswith(".InUse")


def _is_in_use_in_words(code: str, message: str) -> bool:
    words = _HELD.get(code) or _IN_USE_IN_WORDS.get(code)
    return words is not None and words.search(message) is not None


def _refusal(code: str, message: str, creating: bool) -> type[AwsRefused]:
    if code in EXISTS or (creating and _is_in_use(code)) or _SO_ALREADY.search(message):
        return AlreadyExists
    if _is_in_use(code) or (not creating and _is_in_use_in_words(code, message)):
        return StillInUse
    if code in DENIED or code.startswith("AccessDenied"):
        return AccessDenied
    words = _GONE_IN_WORDS.get(code)
    if _GONE.search(code) or (words is not None and words.search(message)):
        return ResourceGone
    return AwsRefused
