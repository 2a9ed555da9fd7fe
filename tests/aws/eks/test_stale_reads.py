"""EKS's reads lag its writes: a new resource is not listed yet, and a changed one still shows its old state."""

from __future__ import annotations

import boto3
import pytest
from botocore.stub import Stubber

from chalicelib.aws.eks.clusters import EksClusters
from chalicelib.domain.errors.not_yet_known import is_not_yet_known
from chalicelib.domain.errors.tree import AlreadyExists
from chalicelib.domain.labs.spec import EndpointAccess, EndpointSpec, PodIdentitySpec
from tests.aws.given import a_lab
from tests.fakes.builders import NOW


def test_an_association_that_exists_and_is_not_listed_yet_is_waited_for() -> None:
    eks = boto3.client("eks", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    lab, told = a_lab(), "Association already exists: a-1"
    with Stubber(eks) as stubber:
        stubber.add_client_error("create_pod_identity_association", "ResourceInUseException", told)
        stubber.add_response("list_pod_identity_associations", {"associations": []})
        with pytest.raises(AlreadyExists) as refused:
            EksClusters(eks, lambda: NOW).associate_pod_identity(
                lab, PodIdentitySpec("default", "app", "arn:aws:iam::111122223333:role/r")
            )
    assert is_not_yet_known(refused.value, "provision")
    assert told in refused.value.message


def test_an_endpoint_that_is_so_already_though_a_read_did_not_show_it_needs_no_update() -> None:
    eks = boto3.client("eks", "us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    stale = {"resourcesVpcConfig": {"endpointPublicAccess": True, "endpointPrivateAccess": False}}
    told = (
        "Cluster is already at the desired configuration with endpointPrivateAccess: true , endpointPublicAccess: false"
    )
    with Stubber(eks) as stubber:
        stubber.add_response("describe_cluster", {"cluster": stale})
        stubber.add_client_error("update_cluster_config", "InvalidParameterException", told)
        assert (
            EksClusters(eks, lambda: NOW).update_endpoint("myeks", EndpointSpec(EndpointAccess.PRIVATE, ()), "t")
            is None
        )
