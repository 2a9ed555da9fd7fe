"""The contract of every PersonStore, tested on the fake and on moto's DynamoDB; and the adapter with lost answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from moto import mock_aws

from chalicelib.aws.dynamodb.people import DynamoPeople
from chalicelib.domain.errors.tree import AskedTooOften, AwsUnavailable, InvalidRequest, Throttled
from chalicelib.domain.identity.confirmation import Asking, Confirmation, address_digest, asked
from chalicelib.domain.identity.person import Choices, Language, Person, Topic
from chalicelib.ports.people import PersonStore
from tests.aws.dynamodb.table import create_table
from tests.fakes import NOW, Account
from tests.fakes.people import FakePeople

HOME = "111122223333"
ALICE = f"arn:aws:iam::{HOME}:user/alice"
SSO = f"arn:aws:sts::{HOME}:assumed-role/AWSReservedSSO_"


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        create_table(client)
        yield client


@pytest.fixture(params=["fake", "moto"])
def store(request: pytest.FixtureRequest) -> PersonStore:
    if request.param == "fake":
        return FakePeople(Account())
    return DynamoPeople(request.getfixturevalue("client"), "labs", HOME)


def a_person(name: str = "person-1", *identities: str, **more: Any) -> Person:
    return Person(name, identities or (ALICE,), NOW, **more)


def keep(store: PersonStore, person: Person) -> Person:
    assert store.save_people([], [person])
    return replace(person, version=1)


def test_a_person_is_kept_whole_and_found_by_identity_address_and_bare_name(store: PersonStore) -> None:
    login = "login:ap-northeast-2_pool/0f0e"
    person = a_person(
        "person-1", ALICE, f"{SSO}Labs/alice@example.com", login, address="alice@corp.example", language=Language.KO,
        zone="Asia/Seoul", muted=(Topic.REPORTS,), calendar="c" * 64, proved=True,
        own=(Choices("user/1/alice", Language.EN, None, (Topic.RESULTS,)),),
    )  # fmt: skip
    kept = keep(store, person)
    again = f"{SSO}Audit_0123456789abcdef/Alice@example.com"
    for name in (ALICE, "alice", "ALICE", again, "alice@example.com", "Alice@Corp.example", login):
        assert store.people_of([name]).get(name) == kept, name
    assert store.person_by_key(f"calendar/{'c' * 64}") == kept
    assert store.people_of(["bob"]).get("bob") is None
    assert store.people_of(["alice2"]).get("alice2") is None


def test_a_bare_name_of_two_people_is_nobodys_and_their_identities_stay_theirs(store: PersonStore) -> None:
    user, directory = f"arn:aws:iam::{HOME}:user/kim", f"{SSO}Labs/kim"
    one, other = keep(store, a_person("person-1", user)), keep(store, a_person("person-2", directory))
    assert store.people_of(["kim"]).get("kim") is None
    assert (store.people_of([user]).get(user), store.people_of([directory]).get(directory)) == (one, other)


def test_a_mail_address_is_its_readers_before_it_is_a_name(store: PersonStore) -> None:
    named = keep(store, a_person("person-1", f"{SSO}Labs/kim@example.com"))
    assert store.people_of(["kim@example.com"]).get("kim@example.com") == named
    reader = keep(store, a_person("person-2", address="kim@example.com"))
    assert store.people_of(["kim@example.com"]).get("kim@example.com") == reader


def test_a_chosen_session_name_is_nobodys_bare_name(store: PersonStore) -> None:
    keep(store, a_person("person-1", f"arn:aws:sts::{HOME}:assumed-role/Learners/kim"))
    assert store.people_of(["kim"]).get("kim") is None


def test_users_of_another_account_are_no_bare_names_here(store: PersonStore) -> None:
    keep(store, a_person("person-1", "arn:aws:iam::999988887777:user/kim"))
    assert store.people_of(["kim"]).get("kim") is None


def test_many_are_found_at_once(store: PersonStore) -> None:
    for number in range(130):
        keep(store, a_person(f"person-{number}", f"arn:aws:iam::{HOME}:user/u{number}"))
    found = store.people_of([f"u{number}" for number in range(131)])
    assert {name: person.id for name, person in found.items()} == {f"u{n}": f"person-{n}" for n in range(130)}


def test_an_identity_and_an_address_are_one_persons(store: PersonStore) -> None:
    keep(store, a_person(address="a@example.com"))
    assert not store.save_people([], [a_person("person-2", ALICE.replace("alice", "ALICE"))])
    assert not store.save_people([], [a_person("person-2", "arn:aws:iam::1:user/b", address="A@example.com")])
    assert store.list_people(10, None)[0] == (replace(a_person(address="a@example.com"), version=1),)


def test_a_change_frees_what_it_gives_up_and_a_late_one_saves_nothing(store: PersonStore) -> None:
    first = keep(store, a_person(address="a@example.com"))
    assert store.save_people([first], [replace(first, address="b@example.com")])
    assert not store.save_people([first], [replace(first, address="c@example.com")])
    assert store.people_of(["a@example.com"]).get("a@example.com") is None
    changed = store.people_of(["b@example.com"]).get("b@example.com")
    assert changed == replace(first, address="b@example.com", version=2)


def test_two_become_one_and_one_is_forgotten(store: PersonStore) -> None:
    one = keep(store, a_person("person-1", ALICE, address="a@example.com"))
    other = keep(store, a_person("person-2", f"{SSO}Labs/alice"))
    joined = replace(one, identities=(*one.identities, *other.identities))
    assert store.save_people([one, other], [joined])
    assert store.people_of([f"{SSO}Labs/alice"]).get(f"{SSO}Labs/alice") == replace(joined, version=2)
    assert store.save_people([replace(joined, version=2)], [])
    assert store.people_of([ALICE]).get(ALICE) is None
    assert store.list_people(10, None) == ((), None)
    assert not store.save_people([other], [other])


def test_who_was_joined_to_another_in_between_is_neither_saved_nor_deleted(store: PersonStore) -> None:
    one = keep(store, a_person("person-1", ALICE, address="a@example.com"))
    other = keep(store, a_person("person-2", f"{SSO}Labs/alice"))
    joined = replace(one, identities=(*one.identities, *other.identities))
    assert store.save_people([one, other], [joined])
    assert not store.save_people([other], [replace(other, zone="Asia/Seoul")])
    assert not store.save_people([other], [])
    assert store.change_person("person-2", lambda person: replace(person, zone="Asia/Seoul")) is None
    assert store.list_people(10, None)[0] == (replace(joined, version=2),)


def test_a_change_is_made_of_what_others_saved_meanwhile(store: PersonStore) -> None:
    first = keep(store, a_person())
    seen = list[int]()

    def changed(person: Person) -> Person:
        seen.append(person.version)
        if len(seen) == 1:
            assert store.save_people([first], [replace(first, language=Language.KO)])
        return replace(person, zone="Asia/Seoul")

    after = replace(first, language=Language.KO, zone="Asia/Seoul", version=3)
    assert store.change_person("person-1", changed) == after
    assert (store.person("person-1"), seen) == (after, [1, 2])
    assert store.change_person("person-1", lambda person: person) == after
    assert store.person_by_key("user/111122223333/alice") == after


def test_a_list_goes_by_age_and_refuses_other_cursors(store: PersonStore) -> None:
    for number in range(5):
        since = NOW + timedelta(minutes=number)
        keep(store, replace(a_person(f"person-{number}", f"arn:aws:iam::1:user/{number}"), since=since))
    page, cursor = store.list_people(3, None)
    rest, end = store.list_people(3, cursor)
    assert [one.id for one in (*page, *rest)] == ["person-4", "person-3", "person-2", "person-1", "person-0"]
    assert end is None
    with pytest.raises(InvalidRequest):
        store.list_people(3, "nonsense")


def test_confirmations_are_kept_by_address_and_changed_one_after_another(store: PersonStore) -> None:
    digest = address_digest("Kim@example.com")
    asking = Asking("kim@example.com", "person-1", ALICE, "n1")
    assert store.confirmation(digest) is None
    kept = store.change_confirmation(digest, lambda kept: asked(kept, asking, NOW))
    assert store.confirmation(address_digest("kim@example.com")) == kept
    assert store.change_confirmation(digest, lambda kept: kept or asked(None, asking, NOW)) == kept
    used = store.change_confirmation(digest, lambda kept: replace(kept or asked(None, asking, NOW), used_at=NOW))
    assert (used.used_at, used.version) == (NOW, 2)
    store.forget_confirmation(digest)
    store.forget_confirmation(digest)
    assert store.confirmation(digest) is None


def test_a_change_that_refuses_changes_nothing(store: PersonStore) -> None:
    def refuse(_: Confirmation | None) -> Confirmation:
        raise AskedTooOften("x")

    with pytest.raises(AskedTooOften):
        store.change_confirmation("d" * 32, refuse)
    assert store.confirmation("d" * 32) is None


def test_uses_are_counted_up_to_their_most(store: PersonStore) -> None:
    assert [store.spend("a", 2, NOW) for _ in range(4)] == [True, True, False, False]
    assert store.spend("b", 2, NOW)


def test_who_is_to_be_mailed_is_listed_until_they_were(store: PersonStore) -> None:
    for number in (2, 1):
        one = a_person(f"person-{number}", f"arn:aws:iam::1:user/{number}", invite_at=NOW + timedelta(minutes=number))
        keep(store, one)
    first, second = store.to_invite(10)
    assert (first.id, second.id) == ("person-1", "person-2")
    assert store.save_people([first], [replace(first, invite_at=None)])
    assert store.to_invite(10) == (second,)
    assert store.person("person-1") == replace(first, invite_at=None, version=2)
    assert store.person("person-9") is None


def test_a_person_is_found_by_any_of_their_keys_in_one_read_that_is_as_true_as_their_own_item(client: Any) -> None:
    """Issue 19: a request reads its caller's record in one read with all other data for its decision."""
    store, asked = DynamoPeople(client, "labs", HOME), list[str]()
    first = keep(store, a_person("person-1", ALICE, f"{SSO}Labs/alice", address="a@example.com", calendar="c" * 64))
    assert store.save_people([first], [replace(first, zone="Asia/Seoul", asked="b@example.com")])
    kept = store.person("person-1")
    client.meta.events.register("before-call.dynamodb", lambda model, **_: asked.append(model.name))
    assert [store.person_by_key(key) for key in sorted(first.keys)] == [kept] * 4
    assert store.people_of([ALICE, "a@example.com"]) == {ALICE: kept, "a@example.com": kept}
    assert asked == [*["GetItem"] * 4, "BatchGetItem"]


class Losing:
    """A client whose first transactions take effect and lose their answers."""

    def __init__(self, client: Any, times: int) -> None:
        self._client, self.times = client, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def transact_write_items(self, **request: Any) -> Any:
        answer = self._client.transact_write_items(**request)
        if self.times > 0:
            self.times -= 1
            raise ReadTimeoutError(endpoint_url="https://dynamodb")
        return answer


def test_a_lost_answer_leaves_one_person_that_a_second_try_finds(client: Any) -> None:
    store = DynamoPeople(Losing(client, 1), "labs", HOME)
    with pytest.raises(AwsUnavailable):
        store.save_people([], [a_person()])
    assert store.people_of([ALICE]).get(ALICE) == replace(a_person(), version=1)
    assert not store.save_people([], [a_person("person-2")])


class Leaving:
    """A client whose batches leave keys unprocessed: all but the first of each, or every one."""

    def __init__(self, client: Any, takes: Callable[[int], bool]) -> None:
        self._client, self._takes, self.calls = client, takes, 0

    def batch_get_item(self, **given: Any) -> Any:
        self.calls += 1
        ((table, request),) = given["RequestItems"].items()
        taken = [each for index, each in enumerate(request["Keys"]) if self._takes(index)]
        left = [each for index, each in enumerate(request["Keys"]) if not self._takes(index)]
        asked = {table: {**request, "Keys": taken}}
        answer = self._client.batch_get_item(RequestItems=asked) if taken else {"Responses": {}}
        return {**answer, "UnprocessedKeys": {table: {**request, "Keys": left}} if left else {}}


def test_what_a_batch_leaves_is_asked_for_again_and_never_taken_for_nobody(client: Any) -> None:
    store = DynamoPeople(client, "labs", HOME)
    assert store.save_people([], [a_person()])
    slow = DynamoPeople(Leaving(client, lambda index: index == 0), "labs", HOME)
    assert slow.people_of(["alice"]).get("alice") == replace(a_person(), version=1)
    with pytest.raises(Throttled):
        DynamoPeople(Leaving(client, lambda _: False), "labs", HOME).people_of(["alice"]).get("alice")
