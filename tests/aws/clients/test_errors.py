"""botocore's exceptions, and the service's own errors for them."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)

from chalicelib.aws.clients.errors import translate
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


def answer(code: str, message: str = "words of AWS", status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Operation"
    )


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ThrottlingException", Throttled),
        ("Throttling", Throttled),
        ("RequestLimitExceeded", Throttled),
        ("TooManyRequestsException", Throttled),
        ("KMSThrottling", Throttled),
        ("KMSAccessDenied", AccessDenied),
        ("InternalException", AwsUnavailable),
        ("ServerException", AwsUnavailable),
        ("ResourcePropagationDelayException", AwsUnavailable),
        ("ResourceNotFoundException", ResourceGone),
        ("NotFoundException", ResourceGone),
        ("NoSuchEntity", ResourceGone),
        ("NoSuchHostedZone", ResourceGone),
        ("InvalidGroup.NotFound", ResourceGone),
        ("InvalidInstanceID.NotFound", ResourceGone),
        ("LoadBalancerNotFound", ResourceGone),
        ("ResourceInUseException", StillInUse),
        ("DependencyViolation", StillInUse),
        ("DeleteConflict", StillInUse),
        ("VolumeInUse", StillInUse),
        ("AccessDeniedException", AccessDenied),
        ("AccessDenied", AccessDenied),
        ("UnauthorizedOperation", AccessDenied),
        ("AlreadyExistsException", AlreadyExists),
        ("InvalidKeyPair.Duplicate", AlreadyExists),
        ("EntityAlreadyExists", AlreadyExists),
        ("InvalidParameterException", AwsRefused),
        ("ResourceLimitExceededException", AwsRefused),
        ("ValidationError", AwsRefused),
    ],
)
def test_each_code_becomes_the_error_it_means(code: str, expected: type[EkslabError]) -> None:
    with pytest.raises(EkslabError) as caught, translate("eks:Something"):
        raise answer(code)
    assert type(caught.value) is expected


def test_a_refusal_keeps_the_operation_and_the_words_of_aws() -> None:
    with pytest.raises(AwsRefused) as caught, translate("eks:CreateCluster"):
        raise answer("InvalidParameterException", "unsupported Kubernetes version")
    assert (caught.value.operation, caught.value.code) == ("eks:CreateCluster", "InvalidParameterException")
    assert caught.value.message == "unsupported Kubernetes version"
    assert isinstance(caught.value.__cause__, ClientError)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_passing_whatever_its_code(status: int) -> None:
    with pytest.raises(AwsUnavailable), translate("ec2:RunInstances"):
        raise answer("SomethingNew", status=status)


def test_a_429_is_throttling_whatever_its_code() -> None:
    with pytest.raises(Throttled), translate("eks:DescribeCluster"):
        raise answer("SomethingNew", status=429)


def test_a_resource_in_use_while_creating_is_one_that_exists() -> None:
    with pytest.raises(AlreadyExists), translate("eks:CreateCluster", creating=True):
        raise answer("ResourceInUseException", "Cluster already exists with name: myeks", 409)


def test_cloudformation_says_gone_in_words_only() -> None:
    with pytest.raises(ResourceGone), translate("cloudformation:DescribeStacks"):
        raise answer("ValidationError", "Stack with id ekslab-1 does not exist")


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://eks.example"),
        ConnectTimeoutError(endpoint_url="https://eks.example"),
        ReadTimeoutError(endpoint_url="https://eks.example"),
    ],
)
def test_no_answer_is_passing(error: Exception) -> None:
    with pytest.raises(AwsUnavailable), translate("eks:DescribeCluster"):
        raise error


def test_a_client_that_cannot_ask_is_no_passing_trouble() -> None:
    with pytest.raises(AwsRefused) as caught, translate("eks:DescribeCluster"):
        raise NoCredentialsError()
    assert caught.value.code == "NoCredentialsError"
