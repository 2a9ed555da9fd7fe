"""Every EKS error code has a text, a remedy and a responsible party; AWS's message overrides its codes."""

import json
from typing import Any

import botocore.loaders
import pytest

from chalicelib.domain.core.failure import HealthIssue, Responsible
from chalicelib.domain.errors.aws_error_patterns import BY_CODE, BY_WORDS
from chalicelib.domain.errors.explain import (
    explain,
    explain_execution,
    explain_issue,
    explain_issues,
    explain_stack,
    words_of,
)
from tests.paths import PROJECT

_ENUMS = ("NodegroupIssueCode", "AddonIssueCode", "ClusterIssueCode", "ErrorCode", "FargateProfileIssueCode")


def _model() -> dict[str, Any]:
    model: dict[str, Any] = botocore.loaders.Loader().load_service_model("eks", "service-2")
    return model


def _codes() -> list[str]:
    shapes = _model()["shapes"]
    exceptions = [name for name, shape in shapes.items() if shape.get("exception")]
    return sorted({code for enum in _ENUMS for code in shapes[enum]["enum"]} | set(exceptions))


@pytest.mark.parametrize("code", _codes())
def test_every_code_of_the_eks_model_is_classified(code: str) -> None:
    assert code in BY_CODE
    failure = explain(code, "")
    assert failure.responsible in Responsible
    assert failure.reason.endswith(".")
    assert code in failure.cause


def test_at_least_twenty_causes_are_known() -> None:
    causes = {cause.code for cause in BY_CODE.values()} | {cause.code for _, cause in BY_WORDS}
    assert len(causes) >= 20


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("The maximum number of VPCs has been reached. (Service: Ec2, Status Code: 400)", "vpc-quota"),
        ("The maximum number of internet gateways has been reached.", "igw-quota"),
        ("The maximum number of addresses has been reached.", "eip-quota"),
        ("Performing this operation would exceed: NatGatewayLimitExceeded", "nat-quota"),
        (
            "Could not launch On-Demand Instances. VcpuLimitExceeded - You have requested more vCPU capacity than your "
            "current vCPU limit of 32 allows. Launching EC2 instance failed.",
            "vcpu-quota",
        ),
        (
            "Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do not have sufficient "
            "p5.48xlarge capacity in the Availability Zone you requested (us-east-1a).",
            "no-capacity",
        ),
        ("Could not launch Spot Instances. UnfulfillableCapacity - Unable to fulfill capacity.", "no-capacity"),
        ("Could not launch Spot Instances. MaxSpotInstanceCountExceeded - Max spot instance count exceeded.", "spot-quota"),
        (
            "AuthFailure.ServiceLinkedRoleCreationNotPermitted - The provided credentials do not have permission to create "
            "the service-linked role for EC2 Spot Instances.",
            "spot-role-missing",
        ),
        (
            "Your requested instance type (t2.micro) is not supported in your requested Availability Zone (us-east-1e).",
            "type-not-offered",
        ),
        ("The key pair 'mine' does not exist", "key-pair-missing"),
        (
            "One or more Amazon EC2 Subnets of [subnet-1] for node group ng does not automatically assign public IP "
            "addresses to instances launched into it.",
            "subnet-without-public-addresses",
        ),
        ("Instances failed to join the kubernetes cluster", "nodes-did-not-join"),
        ("User: x is not authorized to perform: eks:CreateCluster with an explicit deny in a service control policy",
         "forbidden-by-organization"),
        ("User: x is not authorized to perform: eks:CreateCluster", "access-denied"),
        ("Rate exceeded", "throttled"),
        ("unsupported Kubernetes version", "version-unsupported"),
        ("Instance became unhealthy: Client.InternalError: Client error on launch", "instances-ended-at-once"),
        ("Role with arn: x, could not be assumed because it does not exist", "role-missing"),
    ],
)  # fmt: skip
def test_awss_wording_decides_whatever_the_code(message: str, code: str) -> None:
    assert explain_stack(message).code == code
    assert explain_issue(HealthIssue("AsgInstanceLaunchFailures", message)).code == code
    assert explain("InvalidParameterException", message).cause.endswith(message)


ANSWERS: list[dict[str, str]] = json.loads((PROJECT / "tests/data/aws/answers.json").read_text())


@pytest.mark.parametrize(
    "row", ANSWERS, ids=[f"{row['operation']} {row['cause']} {row['message'][:20]}" for row in ANSWERS]
)
def test_each_of_awss_own_texts_is_told_as_what_it_says_and_no_more(row: dict[str, str]) -> None:
    failure = explain(row["code"], row["message"])
    assert (failure.code, str(failure.responsible)) == (row["cause"], row["responsible"])
    if failure.responsible is Responsible.UNKNOWN:
        assert row["message"][:60] in failure.reason, "what we don't know is shown as it is"
        assert "don't know" in failure.reason


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("", "kubernetes-access-denied"),
        ('roles "x" is forbidden: User "eks:addon-manager" cannot patch resource "roles"', "kubernetes-access-denied"),
        ("User: r is not authorized to perform: ec2:RunInstances", "access-denied"),
    ],
)
def test_access_denied_as_a_health_issue_is_told_as_kubernetes_s_unless_the_words_are_iam_s(
    message: str, code: str
) -> None:
    assert explain_issue(HealthIssue("AccessDenied", message)).code == code
    assert explain("AccessDenied", message).code == "access-denied"


@pytest.mark.parametrize(
    "code",
    [
        "OperationNotPermitted",
        "OptInRequired",
        "PendingVerification",
        "Blocked",
        "AccountProblem",
        "SignatureDoesNotMatch",
    ],
)
def test_a_code_that_looks_like_a_denial_is_not_told_as_a_missing_right(code: str) -> None:
    assert explain(code, "the moon is in the way").code != "access-denied"


def test_an_add_on_that_does_not_fit_a_version_is_not_told_as_a_version_that_eks_lacks() -> None:
    told = explain("InvalidRequestException", "Kubernetes version 1.29 is not supported for addon coredns")
    assert told.code == "addon-unsupported"


def test_an_unsupported_zone_names_those_that_work() -> None:
    message = (
        "Cannot create cluster 'myeks' because us-east-1e, the targeted availability zone, does not currently have "
        "sufficient capacity to support the cluster. Retry and choose from these availability zones: us-east-1a, us-east-1b"
    )
    failure = explain("UnsupportedAvailabilityZoneException", message)
    assert failure.code == "zone-unsupported"
    assert "us-east-1a, us-east-1b" in failure.reason
    assert "us-east-1e" not in failure.reason
    assert failure.responsible is Responsible.YOURS


def test_what_nobody_knows_keeps_awss_own_words() -> None:
    failure = explain("NeverHeardOf", "the moon is in the way")
    assert (failure.code, failure.responsible) == ("unexplained", Responsible.UNKNOWN)
    assert "the moon is in the way" in failure.reason
    assert failure.cause == "NeverHeardOf: the moon is in the way"


def test_of_several_issues_the_one_with_words_is_told() -> None:
    issues = (HealthIssue("Unknown", "?"), HealthIssue("NodeCreationFailure", "Unhealthy nodes in the cluster"))
    assert explain_issues(issues, "").code == "nodes-did-not-join"
    assert explain_issues((), "It is FAILED.").cause == "It is FAILED."


def test_what_a_catch_got_is_explained() -> None:
    message = "CreateCluster: ResourceLimitExceededException: The maximum number of clusters"
    cause = json.dumps({"errorMessage": message, "errorType": "AwsRefused"})
    assert explain_execution({"Error": "AwsRefused", "Cause": cause}).code == "cluster-quota"
    assert explain_execution({"Error": "States.Timeout", "Cause": ""}).code == "took-too-long"
    assert explain_execution({"Error": "KeyError", "Cause": "not json"}).code == "unexplained"


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        ("Transient", "eks:UpdateClusterConfig: ResourceInUseException: Cluster myeks is not ACTIVE", "resource-busy"),
        ("AwsUnavailable", "eks:DescribeCluster: ServerException: oops", "aws-internal"),
        ("AwsUnavailable", 'eks:DescribeCluster: Read timeout on endpoint URL: "x"', "aws-internal"),
        ("Throttled", "eks:DescribeNodegroup: TooManyRequestsException: slow down", "throttled"),
    ],
)
def test_what_was_tried_again_in_vain_is_told_by_what_aws_answered(error: str, message: str, code: str) -> None:
    cause = json.dumps({"errorMessage": message, "errorType": error})
    failure = explain_execution({"Error": error, "Cause": cause})
    assert (failure.code, failure.responsible) == (code, Responsible.OURS)
    assert failure.reason.endswith("again in a while.")
    assert failure.cause == f"{error}: {message}"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            "User: arn:aws:sts::111122223333:assumed-role/r/s is not authorized to perform: eks:CreateCluster on resource: x",
            "The service may not do eks:CreateCluster. An administrator must grant it.",
        ),
        (
            "You are not authorized to perform this operation. User: r is not authorized to perform: ec2:RunInstances on "
            "resource: x with an explicit deny in a service control policy",
            "A service control policy of the organization forbids ec2:RunInstances.",
        ),
        (
            "InsufficientInstanceCapacity - We currently do not have sufficient t3.medium capacity in the Availability Zone "
            "you requested (ap-northeast-2b). Our system will be working on provisioning additional capacity.",
            "AWS has no free capacity for t3.medium in ap-northeast-2b at the moment.",
        ),
        (
            "UnfulfillableCapacity - Unable to fulfill capacity.",
            "no free capacity for this instance type in these zones",
        ),
        (
            "InvalidParameterException: The label a is odd",
            "We don't know this answer: InvalidParameterException: The label a is odd.",
        ),
    ],
)
def test_the_sentence_names_what_aws_names(words: str, text: str) -> None:
    code = words.partition(":")[0] if words.startswith("Invalid") else ""
    assert text in explain(code, words.removeprefix(f"{code}: ") if code else words).reason


def test_of_long_words_the_beginning_is_quoted_and_all_are_the_cause() -> None:
    failure = explain("InvalidParameterException", "very " * 200)
    assert failure.reason.endswith("…")
    assert len(failure.reason) < 400
    assert len(failure.cause) > 1000


@pytest.mark.parametrize(
    ("error", "cause", "words"),
    [
        ("Throttled", '{"errorMessage": "eks:DescribeCluster: slow down"}', "eks:DescribeCluster: slow down"),
        ("LabNotFound", '{"errorMessage": "There is no lab lab-1."}', "There is no lab lab-1."),
        ("StaleLab", '{"errorMessage": ""}', "StaleLab"),
        ("KeyError", '{"errorMessage": "\'night\'"}', "KeyError"),
        ("Sequence", '{"errorMessage": "no error of ours"}', "Sequence"),
        ("States.Timeout", "", "States.Timeout"),
    ],
)
def test_our_own_errors_are_told_in_their_words_and_others_by_name(error: str, cause: str, words: str) -> None:
    assert words_of({"Error": error, "Cause": cause}) == words
