"""A cluster's API server: reachable by its endpoint settings, open to EKS's access entries, with relevant objects."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.session import Session
from botocore.signers import RequestSigner

from tests.emulator.eks.conftest import REGION, Bench


def token(bench: Bench, cluster: str = "myeks", account: str = "") -> str:
    """Presign as `aws eks get-token` does."""
    session = Session()
    session.set_credentials(account or bench.account, "test")
    sts = session.create_client("sts", region_name=REGION)
    signer = RequestSigner(
        sts.meta.service_model.service_id,
        REGION,
        "sts",
        "v4",
        session.get_credentials(),
        session.get_component("event_emitter"),
    )
    url = f"https://sts.{REGION}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
    request = {"method": "GET", "url": url, "body": {}, "headers": {"x-k8s-aws-id": cluster}, "context": {}}
    signed = signer.generate_presigned_url(request, region_name=REGION, expires_in=60, operation_name="")
    return "k8s-aws-v1." + base64.urlsafe_b64encode(signed.encode()).decode().rstrip("=")


def ask(cluster: dict[str, Any], path: str, bearer: str = "", method: str = "GET") -> tuple[int, Any]:
    endpoint = urlsplit(cluster["endpoint"])
    authority = base64.b64decode(cluster["certificateAuthority"]["data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    connection = http.client.HTTPSConnection(endpoint.hostname or "", endpoint.port, context=context, timeout=5)
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    try:
        connection.request(method, endpoint.path + path, headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.fixture
def cluster(bench: Bench) -> dict[str, Any]:
    return bench.active_cluster(accessConfig={"authenticationMode": "API"})


def test_anyone_let_in_may_ask_the_version(cluster: dict[str, Any]) -> None:
    status, version = ask(cluster, "/version")
    assert status == 200
    assert version["gitVersion"].startswith(f"v{cluster['version']}.")


def test_the_creator_sees_nodes_and_strangers_see_nothing(bench: Bench, cluster: dict[str, Any]) -> None:
    bench.ready_nodegroup(labels={"lab": "one"})
    status, nodes = ask(cluster, "/api/v1/nodes", token(bench))
    assert status == 200
    assert [node["metadata"]["labels"]["lab"] for node in nodes["items"]] == ["one", "one"]
    assert ask(cluster, "/api/v1/nodes")[0] == 403
    assert ask(cluster, "/api/v1/nodes", "k8s-aws-v1.bm90IGEgdXJs")[0] == 401
    assert ask(cluster, "/api/v1/nodes", token(bench, account="999988887777"))[0] == 401


def test_who_is_let_in_without_a_policy_is_forbidden_everything(bench: Bench, cluster: dict[str, Any]) -> None:
    bench.client("eks").disassociate_access_policy(
        clusterName="myeks",
        principalArn=f"arn:aws:iam::{bench.account}:root",
        policyArn="arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
    )
    assert ask(cluster, "/api/v1/nodes", token(bench))[0] == 403


def test_who_may_view_reads_what_runs_and_neither_nodes_nor_what_is_not_there_and_changes_nothing(
    bench: Bench, cluster: dict[str, Any]
) -> None:
    bench.client("eks").disassociate_access_policy(
        clusterName="myeks",
        principalArn=f"arn:aws:iam::{bench.account}:root",
        policyArn="arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
    )
    bench.client("eks").associate_access_policy(
        clusterName="myeks",
        principalArn=f"arn:aws:iam::{bench.account}:root",
        policyArn="arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
        accessScope={"type": "cluster"},
    )
    put(bench, "jobs", {"metadata": {"name": "train", "namespace": "ml"}, "status": {"active": 1}})
    bearer = token(bench)
    assert names(ask(cluster, "/apis/batch/v1/jobs", bearer)) == ["train"]
    assert ask(cluster, "/apis/batch/v1/namespaces/ml/jobs/train", bearer, "DELETE")[0] == 403
    hidden = ("/api/v1/nodes", "/apis/karpenter.sh/v1/nodepools", "/api/v1/secrets", "/api/v1/persistentvolumes")
    assert [ask(cluster, path, bearer)[0] for path in hidden] == [403] * len(hidden)


def test_a_token_that_signs_no_cluster_name_is_refused(cluster: dict[str, Any]) -> None:
    unsigned = f"https://sts.{REGION}.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15"
    bearer = "k8s-aws-v1." + base64.urlsafe_b64encode(unsigned.encode()).decode().rstrip("=")
    assert ask(cluster, "/api/v1/nodes", bearer)[0] == 401


@pytest.mark.parametrize(
    "config",
    [
        {"endpointPublicAccess": False, "endpointPrivateAccess": True},
        {"publicAccessCidrs": ["1.1.1.0/24"]},
    ],
)
def test_who_is_not_let_in_gets_no_answer(bench: Bench, cluster: dict[str, Any], config: dict[str, Any]) -> None:
    update = bench.client("eks").update_cluster_config(name="myeks", resourcesVpcConfig=config)["update"]
    bench.finished(update)
    with pytest.raises((ConnectionError, ssl.SSLError, http.client.HTTPException)):
        ask(cluster, "/version")


def test_a_dead_api_server_is_a_fault_rule(bench: Bench, cluster: dict[str, Any]) -> None:
    bench.eks.faults.add({"operation": "KubernetesApi", "lostAnswer": True})
    with pytest.raises((ConnectionError, ssl.SSLError, http.client.HTTPException)):
        ask(cluster, "/version")


def test_objects_are_listed_and_deleted(bench: Bench, cluster: dict[str, Any]) -> None:
    put(bench, "services", {"metadata": {"name": "web", "namespace": "shop"}, "spec": {"type": "ClusterIP"}})
    put(bench, "nodepools", {"metadata": {"name": "spot"}})
    bearer = token(bench)
    assert names(ask(cluster, "/api/v1/namespaces/shop/services", bearer)) == ["web"]
    assert names(ask(cluster, "/api/v1/namespaces/other/services", bearer)) == []
    assert names(ask(cluster, "/apis/karpenter.sh/v1/nodepools?limit=500", bearer)) == ["spot"]
    assert "kube-system" in names(ask(cluster, "/api/v1/namespaces", bearer))
    assert ask(cluster, "/api/v1/namespaces/shop/services/web", bearer, "DELETE")[0] == 200
    assert ask(cluster, "/api/v1/namespaces/shop/services/web", bearer)[0] == 404


def test_a_claim_takes_its_volume_along_while_a_controller_lives(bench: Bench, cluster: dict[str, Any]) -> None:
    ec2 = bench.client("ec2")
    volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1)["VolumeId"]
    owns = [{"service": "ec2", "operation": "delete_volume", "parameters": {"VolumeId": volume}}]
    put(bench, "persistentvolumeclaims", {"metadata": {"name": "data"}}, owns)
    path, bearer = "/api/v1/namespaces/default/persistentvolumeclaims/data", token(bench)
    ask(cluster, path, bearer, "DELETE")
    with pytest.raises(AssertionError):
        bench.until(lambda: ask(cluster, path, bearer)[0], lambda status: status == 404, seconds=0.5)
    bench.ready_nodegroup()
    assert "deletionTimestamp" in ask(cluster, path, bearer, "DELETE")[1]["metadata"]
    bench.until(lambda: ask(cluster, path, bearer)[0], lambda status: status == 404)
    assert volume not in [each["VolumeId"] for each in ec2.describe_volumes()["Volumes"]]


def put(bench: Bench, plural: str, given: dict[str, Any], owns: list[dict[str, Any]] | None = None) -> None:
    assert bench.eks.kubernetes is not None
    bench.eks.kubernetes.put(bench.account, REGION, "myeks", plural, given, owns or [])


def names(answer: tuple[int, Any]) -> list[str]:
    return [item["metadata"]["name"] for item in answer[1]["items"]]
