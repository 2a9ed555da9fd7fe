"""The LinkKeys port on Secrets Manager (moto), and on its fake."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.aws.messaging.link_keys import DOUBTED_AFTER, KEPT_FOR, SecretsLinkKeys
from chalicelib.domain.curfew.signed_links import KEY_AGE
from chalicelib.domain.errors.tree import ResourceGone, Throttled
from chalicelib.ports.curfew import LinkKeys
from tests.fakes.clock import FakeClock
from tests.fakes.curfew import FakeLinkKeys

SECRET = "ekslab/keep-links"


@dataclass
class Place:
    """Keys, and methods by which their owner changes them."""

    keys: LinkKeys
    rotate: Callable[[bytes], None]


@pytest.fixture(params=["fake", "moto"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "fake":
        fake = FakeLinkKeys()
        yield Place(fake, lambda key: fake.rotate(f"key-{len(fake.order)}", key))
        return
    with mock_aws():
        client, clock = a_secret(), FakeClock()

        def rotate(key: bytes) -> None:
            client.put_secret_value(SecretId=SECRET, SecretString=key.decode())
            clock.advance(minutes=5)

        yield Place(SecretsLinkKeys(client, SECRET, clock.now), rotate)


def a_secret() -> Any:
    client = boto3.client("secretsmanager", region_name="ap-northeast-2")
    client.create_secret(Name=SECRET, SecretString="1" * 64)
    return client


def test_what_signs_is_known_by_its_id(place: Place) -> None:
    key_id, key = place.keys.current()
    assert len(key) >= 32
    assert place.keys.key(key_id) == key
    assert place.keys.key("some-other") is None


def test_a_key_is_still_good_after_one_change_and_not_after_two(place: Place) -> None:
    first, key = place.keys.current()
    place.rotate(b"2" * 64)
    assert place.keys.current()[1] == b"2" * 64
    assert place.keys.key(first) == key
    place.rotate(b"3" * 64)
    assert place.keys.key(first) is None


@dataclass
class Counting:
    """A client that counts calls, and fails on request."""

    client: Any
    asked: int = 0
    failure: ClientError | None = None

    def get_secret_value(self, **arguments: Any) -> Any:
        self.asked += 1
        if self.failure:
            raise self.failure
        return self.client.get_secret_value(**arguments)


def test_a_secret_is_read_once_in_five_minutes() -> None:
    with mock_aws():
        client, clock = Counting(a_secret()), FakeClock()
        keys = SecretsLinkKeys(client, SECRET, clock.now)
        for _ in range(3):
            keys.key(keys.current()[0])
        assert client.asked == 1
        clock.advance(seconds=(KEPT_FOR - timedelta(seconds=1)).total_seconds())
        keys.current()
        assert client.asked == 1
        clock.advance(seconds=1)
        keys.current()
        assert client.asked == 2


def test_a_link_signed_just_after_a_change_is_known_to_those_who_read_the_key_just_before() -> None:
    with mock_aws():
        client, clock = a_secret(), FakeClock()
        reader, before = (
            SecretsLinkKeys(client, SECRET, clock.now),
            SecretsLinkKeys(client, SECRET, clock.now).current(),
        )
        assert reader.key(before[0]) == before[1]
        client.put_secret_value(SecretId=SECRET, SecretString="2" * 64)
        clock.advance(seconds=DOUBTED_AFTER.total_seconds())
        signer = SecretsLinkKeys(client, SECRET, clock.now)
        assert reader.key(signer.current()[0]) == b"2" * 64
        assert reader.key(before[0]) == before[1]
        assert reader.current() == signer.current()


def test_made_up_ids_cost_two_calls_in_half_a_minute_however_many_they_are() -> None:
    with mock_aws():
        client, clock = Counting(a_secret()), FakeClock()
        keys = SecretsLinkKeys(client, SECRET, clock.now)
        assert [keys.key(f"made-up-{number}") for number in range(50)] == [None] * 50
        assert client.asked == 2
        clock.advance(seconds=DOUBTED_AFTER.total_seconds())
        assert [keys.key(f"made-up-{number}") for number in range(50)] == [None] * 50
        assert client.asked == 4


def test_a_failure_is_told_and_not_kept() -> None:
    with mock_aws():
        failure = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow"}}, "GetSecretValue")
        client = Counting(a_secret(), failure=failure)
        keys = SecretsLinkKeys(client, SECRET, FakeClock().now)
        with pytest.raises(Throttled):
            keys.current()
        client.failure = None
        assert keys.current()[1] == b"1" * 64


@pytest.mark.parametrize("secret", [{"SecretString": "1" * 31}, {"SecretBinary": b"\0" * 31}])
def test_a_secret_short_enough_to_be_guessed_signs_nothing(secret: dict[str, Any]) -> None:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="ap-northeast-2")
        version = client.create_secret(Name=SECRET, **secret)["VersionId"]
        keys = SecretsLinkKeys(client, SECRET, FakeClock().now)
        assert keys.key(version) is None
        with pytest.raises(ResourceGone):
            keys.current()


def test_a_secret_of_bytes_is_a_key_as_well() -> None:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="ap-northeast-2")
        client.create_secret(Name=SECRET, SecretBinary=bytes(range(32)))
        assert SecretsLinkKeys(client, SECRET, FakeClock().now).current()[1] == bytes(range(32))


def test_a_secret_that_is_not_there_is_told_to_the_signer_and_knows_no_key() -> None:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="ap-northeast-2")
        keys = SecretsLinkKeys(client, "nowhere", FakeClock().now)
        assert keys.key("any") is None
        with pytest.raises(ResourceGone):
            keys.current()


def test_a_key_that_has_signed_for_long_is_replaced_once_and_its_links_stay_good() -> None:
    with mock_aws():
        client, made = a_secret(), datetime.now(UTC)
        clock = FakeClock(made)
        one, other = (SecretsLinkKeys(client, SECRET, clock.now) for _ in range(2))
        before, _ = one.current()
        assert not one.renew(KEY_AGE, made + KEY_AGE - timedelta(days=1))
        later = made + KEY_AGE + timedelta(hours=1)
        other.current()
        assert (one.renew(KEY_AGE, later), other.renew(KEY_AGE, later)) == (True, True)
        versions = client.list_secret_version_ids(SecretId=SECRET)["Versions"]
        assert len(versions) == 2, "two runs at once make one key"
        (now_id, value), (same_id, same_value) = one.current(), other.current()
        assert (now_id, value) == (same_id, same_value)
        assert now_id != before
        assert len(value) >= 32
        assert one.key(before) is not None


def test_no_secret_and_a_young_key_are_left_alone() -> None:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="ap-northeast-2")
        now = datetime.now(UTC)
        assert not SecretsLinkKeys(client, "there-is-none", lambda: now).renew(KEY_AGE, now)
        assert not SecretsLinkKeys(a_secret(), SECRET, lambda: now).renew(KEY_AGE, now)
