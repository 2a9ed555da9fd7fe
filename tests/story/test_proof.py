"""Forgers: a person who can only write tags causes no deletion of others' resources, and the receipt names every forgery.

The rows of the table of forgeries, in the sandbox, with IAM enforced. Each row's actor has only the named permissions; rows
with the same surroundings share a lab (`rows.py`). Tests of the rules themselves are in tests/domain/teardown/.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.stage import Stage
from tests.paths import PROJECT
from tests.story.account import cluster, left_of
from tests.story.forgers import Told, a_forger
from tests.story.network import a_cluster, a_network
from tests.story.steps import Learner, learner, lines

pytestmark = pytest.mark.story


@pytest.fixture(scope="module")
def forged(played: Mapping[str, Future[Any]]) -> Told:
    return played["forged"].result()


@pytest.fixture(scope="module")
def guest(played: Mapping[str, Future[Any]]) -> Told:
    return played["guest"].result()


@pytest.fixture(scope="module")
def archived(played: Mapping[str, Future[Any]]) -> Told:
    return played["archived"].result()


@pytest.fixture(scope="module")
def lost(played: Mapping[str, Future[Any]]) -> Mapping[str, Told]:
    return played["lost"].result()


@pytest.fixture(scope="module")
def forgotten(played: Mapping[str, Future[Any]]) -> Told:
    return played["forgotten"].result()


@pytest.fixture(scope="module")
def hindered(played: Mapping[str, Future[Any]]) -> Mapping[str, Told]:
    return played["hindered"].result()


def test_row_1_a_production_cluster_that_somebody_tags_is_nobodys_lab(stage: Stage) -> None:
    # Given a production cluster, and a person with eks:TagResource who may call the API
    network = a_network(stage, "10.61.0.0/16")
    a_cluster(network, "production")
    forger = a_forger(stage, "row-1", "eks:TagResource", "execute-api:Invoke")
    before = cluster(network.client, "production")

    # When they tag it as a lab of their own
    tags = {"ekslab:lab-id": "lab-0f0f0f0f0f0f", "ekslab:installation": "ekslab", "ekslab:owner": forger.person.arn}
    forger.client("eks").tag_resource(resourceArn=before["arn"], tags=tags)

    # Then it is not their lab for any request, nor can they adopt it
    herself = Learner(stage, forger.person)
    for method, part in (("GET", ""), ("GET", "/kubeconfig"), ("POST", "/hibernate"), ("DELETE", "")):
        assert herself.sends(method, f"/labs/lab-0f0f0f0f0f0f{part}").status == 404
    path = f"/orphans/{stage.sandbox.account}/{stage.sandbox.region}/production/adopt"
    assert herself.sends("POST", path).status == 403
    assert cluster(network.client, "production")["status"] in ("CREATING", "ACTIVE")


def test_row_2_tags_on_other_peoples_things_delete_nothing_and_are_named(forged: Told) -> None:
    theirs = set(forged.ids) - {"bare volume", "log group"}
    assert theirs <= forged.there
    assert {label: forged.outcome(label) for label in theirs} == dict.fromkeys(theirs, "left")
    said = {label: forged.line(label)["reason"].removeprefix("looks like the lab's; created by ") for label in theirs}
    # Answers of idempotent creations count only once older events had time to arrive; a resource without a creation date is
    # searched for in the lab's life, and this group is older.
    late = {label for label, words in said.items() if words.startswith("unknown (CloudTrail ")}
    assert late <= {"balancer", "target group", "security group"}
    assert {words for label, words in said.items() if label not in late} == {"arn:aws:iam::111122223333:root"}
    assert all(forged.line(label)["command"].startswith("aws ") for label in theirs)
    assert forged.line("volume")["usdMonth"] > 0
    assert not forged.receipt["clean"]


def test_row_6_somebodys_log_group_of_the_clusters_name_stays_and_is_named(forged: Told) -> None:
    assert "log group" in forged.there
    assert forged.outcome("log group") == "left"
    assert "/row-6" in forged.line("log group")["reason"]


def test_row_9_a_volume_with_the_drivers_bare_mark_goes_by_its_creator(forged: Told) -> None:
    assert "bare volume" not in forged.there
    assert forged.outcome("bare volume") == "deleted"
    assert "as CloudTrail says" in forged.line("bare volume")["how"]


def test_what_is_left_is_settled_by_its_owner_and_nothing_else_is(forged: Told) -> None:
    lab, nowhere = forged.lab, "arn:aws:ec2:ap-northeast-2:111122223333:volume/vol-0"
    arns = [line["arn"] for line in lines(forged.receipt, "left")]
    assert lab.learner.sends("POST", f"{lab.path}/leftovers", {"keep": [nowhere]}).status == 422
    assert lab.learner.sends("POST", f"{lab.path}/leftovers", {"keep": arns}).status == 200
    assert lab.receipt()["clean"]


def test_row_4_what_bore_the_clusters_marks_before_the_lab_stays(guest: Told) -> None:
    for label in ("older group", "older target group"):
        assert label in guest.there
        assert guest.outcome(label) == "kept"
        assert "there before the lab" in guest.line(label)["reason"]


def test_row_5_what_another_cluster_claims_stays_though_the_lab_made_it(guest: Told) -> None:
    assert "claimed by two" in guest.there
    assert guest.outcome("claimed by two") == "kept"
    assert "claimed by cluster prod" in guest.line("claimed by two")["reason"]


def test_row_7_a_volume_that_nobody_says_is_a_claims_is_kept_where_volumes_are(guest: Told) -> None:
    assert "bare volume" in guest.there
    assert guest.outcome("bare volume") == "kept"
    assert "keep" in guest.line("bare volume")["reason"]


def test_row_10_a_group_of_nodes_that_somebody_made_goes_on_and_is_named_with_its_instance(guest: Told) -> None:
    for label in ("auto scaling group", "its instance"):
        assert label in guest.there
        assert guest.outcome(label) == "left"
    assert "/row-10" in guest.line("auto scaling group")["reason"]
    assert not guest.receipt["clean"]


def test_row_10_in_the_labs_own_vpc_the_group_is_named_too(hindered: Mapping[str, Told]) -> None:
    blocked = hindered["hindered"]
    for label in ("auto scaling group", "its instance"):
        assert label in blocked.there
        assert blocked.outcome(label) == "blocked"


def test_row_8_an_older_snapshot_with_the_labs_tag_is_no_backup(archived: Told) -> None:
    assert {"older snapshot", "backup"} <= archived.there
    assert "volume" not in archived.there
    assert archived.outcome("older snapshot") == "left"
    assert archived.outcome("backup") == "kept"
    assert archived.ids["volume"] in archived.line("backup")["reason"]


def test_row_12_outside_the_labs_subdomain_neither_a_record_nor_its_registry_goes(archived: Told) -> None:
    assert {"outside", "outside's registry"} <= archived.there
    assert archived.outcome("outside's registry") == "left"
    assert not {"inside", "its registry"} & archived.there
    assert archived.outcome("inside") == "deleted"


@pytest.mark.parametrize("row", ["row-3", "row-11"])
def test_rows_3_and_11_nothing_of_the_team_that_has_the_name_is_touched_and_ours_goes(
    lost: Mapping[str, Told], row: str
) -> None:
    told = lost[row]
    assert {"volume", "snapshot", "launch template", "balancer"} <= told.there
    assert "our volume" not in told.there
    assert told.outcome("our volume") == "deleted"


def test_row_11_what_looks_like_the_labs_is_mentioned_though_another_cluster_has_the_name(
    lost: Mapping[str, Told],
) -> None:
    told = lost["row-11"]
    assert "our look-alike" in told.there
    assert told.outcome("our look-alike") == "left"
    assert not told.receipt["clean"]


def test_row_13_a_lab_whose_record_was_lost_is_adopted_by_an_administrator_and_goes_whole(forgotten: Told) -> None:
    assert forgotten.outcome("volume") == "deleted"
    assert not forgotten.there
    assert forgotten.receipt["clean"], forgotten.receipt["verdict"]
    assert left_of(forgotten.lab) == []


def test_row_14_a_tag_that_decides_whose_a_thing_is_is_refused(stage: Stage) -> None:
    asker = Learner(stage, a_forger(stage, "row-14", "execute-api:Invoke").person)
    answer = asker.sends("POST", "/labs", {"name": "tagged", "tags": {"KubernetesCluster": "prod"}})
    assert answer.status == 400
    assert [finding["path"] for finding in answer.json["findings"]] == ["tags.KubernetesCluster"]
    assert learner(stage).sends("POST", "/labs?dryRun=true", {"name": "tagged", "tags": {"team": "prod"}}).status == 200


def test_row_15_a_protected_stack_is_the_first_thing_that_a_blocked_lab_tells(hindered: Mapping[str, Told]) -> None:
    protected = hindered["protected"]
    assert protected.blocked["reason"].startswith("cloudformation:DeleteStack")
    assert "cannot be deleted while TerminationProtection is enabled" in protected.blocked["reason"]
    assert protected.ids["stack"] in protected.blocked["reason"]
    assert "TerminationProtection" in " ".join(protected.blocked["next"])
    assert "TerminationProtection" in protected.receipt["verdict"]


def test_row_15_what_people_put_in_its_way_is_named_by_id_with_whose_rule_and_table(
    hindered: Mapping[str, Told],
) -> None:
    blocked = hindered["hindered"]
    for label in ("route table", "group", "interface", "address"):
        assert label in blocked.there
        assert blocked.outcome(label) == "blocked"
    assert "refers to" in blocked.line("group")["reason"]
    assert hindered["free"].receipt["clean"]
    assert not hindered["free"].there


def test_with_the_guard_on_a_forger_writes_no_tag_of_ours(stage: Stage) -> None:
    # Given a forger who may tag, in an account with the organization's guard: a deny on the actor
    network = a_network(stage, "10.65.0.0/16")
    forger = a_forger(stage, "guarded", "ec2:CreateTags", "ec2:DeleteTags")
    guard = (PROJECT / "deployment/guard-tags-scp.json").read_text()
    stage.sandbox.client("iam").put_user_policy(UserName="guarded", PolicyName="guard", PolicyDocument=guard)
    ec2 = forger.client("ec2")

    # Then they can write other tags, but neither add nor remove the service's
    ec2.create_tags(Resources=[network.group], Tags=[{"Key": "team", "Value": "x"}])
    for forbidden in (ec2.create_tags, ec2.delete_tags):
        with pytest.raises(ClientError, match="UnauthorizedOperation"):
            forbidden(Resources=[network.group], Tags=[{"Key": "ekslab:lab-id", "Value": "lab-0"}])
