"""The creator of a resource: CloudTrail's facts, and five misreadings, each of which deletes another owner's resource."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.teardown.creation import SETTLED, creator_of, is_young, lookup_for, unreadable
from tests.fakes.trail import CREATIONS, created, session

BORN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
NOW = BORN + timedelta(hours=2)
ROLE_ID = "AROAEXAMPLEROLE000001"
ALB = "arn:aws:elasticloadbalancing:ap-northeast-2:111122223333:loadbalancer/app/k8s-web/50dc6c495c0c9188"
GROUP = "arn:aws:elasticloadbalancing:ap-northeast-2:111122223333:targetgroup/k8s-web/73e2d6bc24d8a067"

KINDS = sorted(CREATIONS)
IDS = {Kind.LOAD_BALANCER: ALB, Kind.TARGET_GROUP: GROUP}
BIRTHLESS = {Kind.SECURITY_GROUP, Kind.TARGET_GROUP, Kind.NETWORK_INTERFACE, Kind.ELASTIC_IP, Kind.MOUNT_TARGET}


def thing(kind: Kind, born: datetime | None = BORN) -> Resource:
    id = IDS.get(kind, f"{kind}-1")
    facts = {"dns-name": "a1b2-1.elb.amazonaws.com"} if kind is Kind.CLASSIC_LOAD_BALANCER else {}
    arn = id if id.startswith("arn:") else f"arn:{kind}:{id}"
    return Resource(kind, id, arn, {}, facts, None if kind in BIRTHLESS else born)


def event(kind: Kind, at: datetime = BORN, role_id: str = ROLE_ID, **changes: Any) -> dict[str, Any]:
    return created(thing(kind), at, session(role_id), **changes)


@pytest.mark.parametrize("kind", KINDS)
def test_the_create_event_that_answers_with_the_thing_tells_its_creator(kind: Kind) -> None:
    made = creator_of(thing(kind), [event(kind)], NOW)
    assert made is not None
    assert (made.role_id, made.at, made.linked) == (ROLE_ID, BORN, False)
    assert made.principal.endswith("/csi/session")


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_that_only_mentions_the_thing_is_not_its_creation(kind: Kind) -> None:
    id = thing(kind).id
    mentions = {
        "requestParameters": {"anything": id, "groupSet": [id], "name": id},
        "responseElements": {"other": [id]},
    }
    assert creator_of(thing(kind), [event(kind, **mentions)], NOW) is None
    assert creator_of(thing(kind), [event(kind, eventName="CreateTags")], NOW) is None
    assert creator_of(thing(kind), [event(kind, eventSource="other.amazonaws.com")], NOW) is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_create_that_failed_made_nothing(kind: Kind) -> None:
    for failure in ({"errorCode": "Client.DryRunOperation"}, {"errorCode": "EntityAlreadyExists", "errorMessage": "x"}):
        assert creator_of(thing(kind), [event(kind, **failure)], NOW) is None


@pytest.mark.parametrize("kind", KINDS)
def test_the_oldest_creation_counts_when_an_idempotent_create_is_repeated(kind: Kind) -> None:
    repeats = [event(kind, BORN + timedelta(seconds=40)), event(kind, BORN, role_id="AROASOMEBODYELSE")]
    made = creator_of(thing(kind), repeats, NOW)
    assert made is not None
    assert made.role_id == "AROASOMEBODYELSE"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in BIRTHLESS])
def test_a_creation_far_from_the_birth_date_is_of_a_namesake_or_a_repeat(kind: Kind) -> None:
    for away in (timedelta(minutes=3), timedelta(minutes=-3), timedelta(days=9)):
        assert creator_of(thing(kind), [event(kind, BORN + away)], NOW) is None


@pytest.mark.parametrize("kind", [Kind.LOAD_BALANCER, Kind.TARGET_GROUP, Kind.CLASSIC_LOAD_BALANCER])
def test_a_repeatable_create_is_believed_when_older_events_have_had_time_to_arrive(kind: Kind) -> None:
    assert creator_of(thing(kind), [event(kind)], BORN + SETTLED - timedelta(seconds=1)) is None
    assert creator_of(thing(kind), [event(kind)], BORN + SETTLED) is not None


def test_a_classic_balancer_is_told_from_its_namesake_by_its_dns_name() -> None:
    namesakes = event(Kind.CLASSIC_LOAD_BALANCER, responseElements={"dNSName": "a1b2-2.elb.amazonaws.com"})
    assert creator_of(thing(Kind.CLASSIC_LOAD_BALANCER), [namesakes], NOW) is None
    unknown = replace(thing(Kind.CLASSIC_LOAD_BALANCER), attributes={})
    assert creator_of(unknown, [event(Kind.CLASSIC_LOAD_BALANCER)], NOW) is None


def test_a_name_without_a_birth_date_can_not_be_told_from_its_namesakes() -> None:
    assert creator_of(thing(Kind.LOG_GROUP, born=None), [event(Kind.LOG_GROUP)], NOW) is None


def test_the_issuer_of_a_web_identity_is_told_without_its_scheme() -> None:
    provider = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.ap-northeast-2.amazonaws.com/id/AAAA"
    by = session("AROALEARNERS", webIdFederationData={"federatedProvider": provider})
    made = creator_of(thing(Kind.VOLUME), [event(Kind.VOLUME, userIdentity=by)], NOW)
    assert made is not None
    assert made.issuer == "oidc.eks.ap-northeast-2.amazonaws.com/id/AAAA"


def test_a_service_linked_role_is_known_as_one() -> None:
    role = "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    made = creator_of(thing(Kind.INSTANCE), [event(Kind.INSTANCE, userIdentity=session("AROASHARED", role))], NOW)
    assert made is not None
    assert made.linked


@pytest.mark.parametrize(
    "identity",
    [None, {}, {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/jo"}, {"invokedBy": "eks.amazonaws.com"}],
)
def test_who_has_no_role_has_no_role_id_and_is_told_all_the_same(identity: Any) -> None:
    made = creator_of(thing(Kind.VOLUME), [event(Kind.VOLUME, userIdentity=identity)], NOW)
    assert made is not None
    assert made.role_id == ""
    assert made.principal


@pytest.mark.parametrize(
    "broken", [{"eventTime": "yesterday"}, {"responseElements": None}, {"responseElements": {"volumeId": None}}]
)
def test_an_event_that_can_not_be_read_proves_nothing(broken: dict[str, Any]) -> None:
    assert creator_of(thing(Kind.VOLUME), [event(Kind.VOLUME, **broken)], NOW) is None
    assert creator_of(thing(Kind.VOLUME), [{}], NOW) is None


BROKEN = (
    "no object",
    {"eventTime": "yesterday"},
    {"eventTime": None},
    {"userIdentity": "root"},
    {"userIdentity": {"sessionContext": ["x"]}},
    {"userIdentity": {"sessionContext": {"sessionIssuer": "x"}}},
    {"userIdentity": {"sessionContext": {"webIdFederationData": "x"}}},
    {"requestParameters": "x"},
    {"responseElements": ["x"]},
)


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize("kind", KINDS)
def test_a_broken_event_keeps_no_other_from_being_read_and_is_counted(kind: Kind, broken: Any) -> None:
    whole = event(kind)
    events = [whole | broken if isinstance(broken, dict) else broken, whole]
    made = creator_of(thing(kind), events, NOW)
    assert unreadable(events) == 1
    if kind in (Kind.LOAD_BALANCER, Kind.TARGET_GROUP, Kind.CLASSIC_LOAD_BALANCER):
        assert made is None, "an older event that can't be read may have been the balancer's creation"
    else:
        assert made is not None
        assert made.role_id == ROLE_ID


def test_a_thing_is_asked_for_around_its_birth_and_a_busy_kind_by_its_event() -> None:
    since = BORN - timedelta(hours=1)
    asked = lookup_for(thing(Kind.LOAD_BALANCER), since, NOW)
    assert asked is not None
    assert (asked.attribute, asked.value) == ("ResourceName", ALB)
    assert asked.since < BORN < asked.until < NOW
    groups = lookup_for(thing(Kind.SECURITY_GROUP), since, NOW)
    assert groups is not None
    assert (groups.attribute, groups.value, groups.since, groups.until) == (
        "EventName",
        "CreateSecurityGroup",
        since,
        NOW,
    )
    profile = lookup_for(thing(Kind.INSTANCE_PROFILE), since, NOW)
    assert profile is not None
    assert profile.global_
    assert lookup_for(Resource(Kind.DNS_RECORD, "z|a|A", "arn:r"), since, NOW) is None


def test_what_is_younger_than_twenty_minutes_may_still_be_told_of() -> None:
    assert is_young(thing(Kind.VOLUME), NOW, BORN + timedelta(minutes=19))
    assert not is_young(thing(Kind.VOLUME), BORN, BORN + timedelta(minutes=20))
    assert is_young(thing(Kind.SECURITY_GROUP), NOW, NOW + timedelta(minutes=19))


def test_a_log_group_is_looked_for_by_its_event_around_its_birth() -> None:
    """CloudTrail finds no event of CloudWatch Logs by the group's name."""
    asked = lookup_for(thing(Kind.LOG_GROUP), BORN - timedelta(days=1), NOW)
    assert asked is not None
    assert (asked.attribute, asked.value) == ("EventName", "CreateLogGroup")
    assert asked.since < BORN < asked.until
    assert asked.until - asked.since <= timedelta(minutes=10)


def test_a_key_pair_is_looked_for_by_its_name() -> None:
    named = replace(thing(Kind.KEY_PAIR), attributes={"key-name": "course"})
    asked = lookup_for(named, BORN, NOW)
    assert asked is not None
    assert (asked.attribute, asked.value) == ("ResourceName", "course")


def test_what_cloudtrail_never_tells_of_is_not_waited_for() -> None:
    record = Resource(Kind.DNS_RECORD, "Z1|a.|TXT", "arn:record", {}, {}, None)
    assert not is_young(record, NOW, NOW)
    assert is_young(thing(Kind.VOLUME), NOW, BORN)
