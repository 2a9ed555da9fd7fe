"""Clusters without a lab and a lab without a cluster: ours are closed properly, another installation's are only told of."""

from datetime import timedelta

import pytest

from sandbox.scenarios.fleet import put_clusters
from sandbox.stage import NOTICE_ADMINISTRATORS, Stage
from tests.story.account import clients, cluster, left_of
from tests.story.nights import a_night, all_ready, cluster_is_gone, of_kind
from tests.story.steps import Lab

pytestmark = pytest.mark.story


def test_an_orphan_of_ours_is_adopted_warned_about_and_ended_and_anothers_is_only_told_of(stage: Stage) -> None:
    with a_night() as night:
        # Given a lab whose cluster somebody deletes by hand, and two clusters no record knows: one ours, one another's
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

        # When the hour strikes, then ours is a lab again, another's is told of, and the lab is to be closed
        message = night.strikes(night.planning)["orphans"]
        assert sorted(sentence.split()[0] for sentence in message) == ["foreign", "stray"]
        assert "belongs to the installation another, so it is left alone" in " ".join(message)
        stray = Lab(heir, "lab-0123456789ab", "stray", lab.region)
        assert stray.shown()["adopted"]
        night.strikes(night.planning + timedelta(hours=1))
        mails = of_kind("curfew-warning", night.box.take())
        assert {mail.subject.split()[1] for mail in mails.values()} == {"stray", "vanished"}

        # When their notice is over, then both are closed with a receipt, and another's cluster is as it was
        night.strikes(night.planning + timedelta(hours=3))
        for each in (stray, lab):
            each.becomes("deleted")
            assert each.receipt()["clean"]
            assert left_of(each) == []
        assert cluster(clients(lab), "foreign")["status"] == "ACTIVE"
        assert NOTICE_ADMINISTRATORS not in mails
