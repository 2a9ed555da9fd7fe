"""Clusters without a lab are reported, whatever their tags; a lab without a cluster is closed after a warning."""

from datetime import timedelta

import pytest

from chalicelib.workflows.collection import turn_of
from sandbox.scenarios.fleet import put_clusters
from sandbox.stage import NOTICE_ADMINISTRATORS, Stage
from tests.story.account import clients, cluster, left_of
from tests.story.nights import a_night, all_ready, cluster_is_gone, of_kind

pytestmark = pytest.mark.story


def test_a_cluster_with_our_tags_is_only_told_of_and_a_lab_without_its_cluster_is_closed(stage: Stage) -> None:
    with a_night() as night:
        # Given a lab whose cluster somebody deletes by hand, and two clusters without a record: one with the service's tags,
        # one without
        night.rules(maxPercent=100)
        owner, heir = night.learner, night.learner
        lab = night.lab(owner, "vanished")
        all_ready(lab)
        cluster_is_gone(lab)
        ours = {"ekslab:lab-id": "lab-0123456789ab", "ekslab:installation": "ekslab", "ekslab:owner": heir.arn}
        theirs = {"ekslab:lab-id": "lab-ba9876543210", "ekslab:installation": "another"}
        put_clusters(
            night.stage.sandbox,
            [
                {"name": "stray", "version": "1.36", "tags": ours},
                {"name": "foreign", "version": "1.36", "tags": theirs},
            ],
        )

        # When its turn of the hour comes, then the lab reports its cluster as lost
        night.stage.recover_labs(night.planning.replace(minute=turn_of(lab.id) * 5, second=0))
        assert lab.shown()["phase"] == "lost"
        assert "somebody deleted it" in lab.events()

        # When the hourly run comes, then both clusters are reported, with the known facts of their creation
        told = night.strikes(night.planning)["orphans"]
        assert sorted(sentence.split()[0] for sentence in told) == ["foreign", "stray"]
        assert "belongs to the installation another, so it is left alone" in " ".join(told)
        assert "not one that a stack of this service made" in " ".join(told)

        # And an unproved cluster cannot be adopted, not even by an administrator; only administrators may request it
        path = f"/orphans/{lab.account}/{lab.region}/stray/adopt"
        assert heir.sends("POST", path).status == 403
        assert night.administrator.sends("POST", path).json["type"] == "urn:ekslab:problem:not-proved"
        assert heir.sends("GET", "/labs/lab-0123456789ab").status == 404

        # When the lost one's notice is over, then it is closed with a receipt, and the others are unchanged
        night.strikes(night.planning + timedelta(hours=1))
        mails = of_kind("curfew-warning", night.box.take())
        assert {mail.subject.split()[1] for mail in mails.values()} == {"vanished"}
        night.strikes(night.planning + timedelta(hours=3))
        lab.becomes("deleted")
        assert lab.receipt()["clean"]
        assert left_of(lab) == []
        assert cluster(clients(lab), "foreign")["status"] == "ACTIVE"
        assert cluster(clients(lab), "stray")["status"] == "ACTIVE"
        assert NOTICE_ADMINISTRATORS not in mails
