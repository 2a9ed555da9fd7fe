"""Deadlines over HTTP, mail and days: reported in order, once, to the right people, until AWS or the owner ends them."""

from __future__ import annotations

import pytest

from sandbox.scenarios.fleet import OTHER_ACCOUNT, OTHER_REGION, SHUT_ACCOUNT, join
from sandbox.stage import NOTICE_ADMINISTRATORS, Stage
from tests.story.fleet import HERE, HOME, a_cluster, to, watching

# Days pass here, so each story has a sandbox of its own.
pytestmark = pytest.mark.story

SHOP, SEARCH = "shop@example.com", "search@example.com"


def test_a_deadline_is_told_until_aws_acts_and_its_nodes_until_they_follow(stage: Stage) -> None:
    with watching() as watch:
        # Given a cluster three days from its forced upgrade, and others with more time
        watch.finds(
            a_cluster("fresh", "1.36", SEARCH),
            a_cluster("late", "1.31", SHOP),
            a_cluster("soon", "1.34", SHOP, supportType="STANDARD"),
        )
        watch.stands_in_the_way("late", "Deprecated APIs removed in Kubernetes 1.32")

        # When the watch runs
        mails = watch.day("2026-11-23")

        # Then the earliest deadline is listed first
        assert [cluster["name"] for cluster in watch.clusters()] == ["late", "soon", "fresh"]
        assert [cluster["name"] for cluster in watch.clusters("phase=extended")] == ["late"]
        assert watch.cluster("late")["next"]["at"].startswith("2026-11-26")

        # And EKS's insight that blocks its upgrade
        (finding,) = watch.cluster("late")["insights"]
        assert (finding["name"], finding["status"]) == ("Deprecated APIs removed in Kubernetes 1.32", "ERROR")

        # And its owner has one mail about both of theirs; owners with time left have none
        (mail,) = to(SHOP, mails)
        assert all(words in mail.body for words in ("late", "soon", "Thu 26 Nov 2026", "1.32"))
        assert mail.attributes["severity"] == "critical"
        assert mail.subject.isascii()
        assert len(mail.subject) <= 100
        assert not to(SEARCH, mails)
        assert to(NOTICE_ADMINISTRATORS, mails)

        # When they acknowledge, they alone are notified of the last day
        late = f"/clusters/{HOME}/{HERE}/late"
        assert watch.sends(SEARCH, "POST", f"{late}/acknowledge").status == 403
        assert watch.sends(SHOP, "POST", f"{late}/acknowledge").status == 200
        assert watch.day("2026-11-24") == []
        eve = watch.day("2026-11-25")
        assert "late: forced upgrade to 1.32 tomorrow" in to(SHOP, eve)[0].body
        assert all("late: forced" not in mail.body for mail in to(NOTICE_ADMINISTRATORS, eve))

        # When AWS upgrades it in the night, the owner is notified once, also of the older nodes
        watch.calendar("2026-11-26T01:00:00Z")
        watch.becomes("late", "1.32")
        (message,) = to(SHOP, watch.day("2026-11-26"))
        assert "control plane upgraded to 1.32" in message.body
        assert "workers (2 on 1.31)" in message.body
        assert watch.cluster("late")["nodesBehind"]
        assert not to(SHOP, watch.day("2026-11-27"))

        # And not again once those are upgraded
        watch.nodes_follow("late", "1.32")
        later = [mail for day in ("2026-11-28", "2026-12-03", "2026-12-04") for mail in watch.day(day)]
        assert not watch.cluster("late")["nodesBehind"]
        assert not [mail for mail in later if "workers (2 on 1.31)" in mail.body]

        # And everything that was decided was sent
        notices = watch.sends("administrator", "GET", "/notices?limit=100").json["notices"]
        assert {notice["state"] for notice in notices} == {"sent"}
        reminders = [
            n["reminder"] for n in watch.cluster("late")["notices"] if "#1.31#" in n["id"] and n["recipient"] == SHOP
        ]
        assert sorted(reminders) == [1, 3]


def test_who_upgrades_in_time_hears_so_once_and_then_nothing(stage: Stage) -> None:
    with watching() as watch:
        watch.finds(a_cluster("soon", "1.34", SHOP, supportType="STANDARD"))
        assert len(to(SHOP, watch.day("2026-11-23"))) == 1

        # When its owner upgrades control plane and nodes
        watch.stage.sandbox.client("eks").update_cluster_version(name="soon", version="1.35")
        watch.becomes("soon", "1.35")
        watch.nodes_follow("soon", "1.35")

        # Then it is solved, reported once, and the days around the deadline are silent
        days = ("2026-11-25", "2026-11-26", "2026-12-01", "2026-12-02", "2026-12-09")
        solved = [mail for day in days for mail in to(SHOP, watch.day(day)) if "1.34" in mail.body]
        assert len(solved) == 1
        kinds = [(n["kind"], n["recipient"]) for n in watch.cluster("soon")["notices"] if "#1.34#" in n["id"]]
        assert kinds.count(("solved", SHOP)) == 1
        assert kinds.count(("deadline", SHOP)) == 1


def test_another_account_is_read_by_its_role_and_a_shut_one_is_a_finding(stage: Stage) -> None:
    with watching() as watch:
        # Given an account with the documented role, and one without it
        join(watch.stage.sandbox, OTHER_ACCOUNT)
        watch.finds(
            a_cluster("home", "1.34", SEARCH),
            {"name": "away", "version": "1.31", "account": OTHER_ACCOUNT, "region": OTHER_REGION, "omitted": ["tags"]},
        )
        for account in (OTHER_ACCOUNT, SHUT_ACCOUNT):
            role = f"arn:aws:iam::{account}:role/ekslab-member-read"
            body = {"regions": [OTHER_REGION], "roleArn": role, "owner": f"boss-{account}@example.com"}
            assert watch.sends("stranger", "PUT", f"/accounts/{account}", body).status == 403
            assert watch.sends("administrator", "PUT", f"/accounts/{account}", body).status == 200

        # When the watch runs
        mails = watch.day("2026-11-23")

        # Then the registration's owner is notified of a cluster without tags
        assert [cluster["name"] for cluster in watch.clusters()] == ["away", "home"]
        assert "away" in to(f"boss-{OTHER_ACCOUNT}@example.com", mails)[0].body
        # And the inaccessible account is named, with the start of the trouble, and did not affect the others
        (shut,) = watch.sends(SHOP, "GET", "/clusters").json["unreadablePlaces"]
        assert (shut["account"], shut["trouble"]["since"][:10]) == (SHUT_ACCOUNT, "2026-11-23")
        assert "Access" in shut["trouble"]["code"]
        assert any(SHUT_ACCOUNT in mail.body for mail in to(NOTICE_ADMINISTRATORS, watch.day("2026-11-26")))


def test_faulty_clusters_cost_a_scan_of_many_nothing_of_the_rest(stage: Stage) -> None:
    with watching() as watch:
        # Given 120 clusters, of which one is forbidden, one broken, one permanently throttled and one gone when described
        watch.finds(*(a_cluster(f"cluster-{number:03}", "1.33", SEARCH) for number in range(120)))
        faults = {
            "cluster-007": "AccessDeniedException",
            "cluster-051": "ServerException",
            "cluster-064": "ThrottlingException",
            "cluster-119": "ResourceNotFoundException",
        }
        rules = [
            {"operation": "DescribeCluster", "cluster": name, "error": {"code": code}} for name, code in faults.items()
        ]
        watch.stage.sandbox.admin("PATCH", "faults", rules)

        # When the watch runs
        mails = watch.day("2026-11-23")

        # Then all others are reported, and the unreadable ones are named
        found = {cluster["name"]: cluster for cluster in watch.clusters()}
        readable = {f"cluster-{number:03}" for number in range(120)} - set(faults)
        assert {name for name, cluster in found.items() if cluster["trouble"] is None} == readable
        assert {name for name, cluster in found.items() if cluster["trouble"]} == set(faults) - {"cluster-119"}
        assert watch.summary["unreadable"] == 3
        # And their one owner has the fewest mails that hold them all
        digests = to(SEARCH, mails)
        assert len(digests) == 2
        assert {name for name in readable if not any(name in mail.body for mail in digests)} == set()
