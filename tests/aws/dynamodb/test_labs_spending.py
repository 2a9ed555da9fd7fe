"""The months' sums in DynamoDB: equal to the fake's, exact in a race, and with the documented maximum of calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.aws.dynamodb.keys import key
from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.aws.dynamodb.labs.sums import SUMS_KEPT
from chalicelib.domain.errors.tree import EkslabError, OverBudget, Transient
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.meter import MICRO, Meter
from chalicelib.domain.labs.spending import COST, LABS, MonthCeilings, Scope, foreseen
from chalicelib.ports.deps import NewLabLimits, Store
from emulator.process import Sandbox
from tests.aws.dynamodb.table import create_table
from tests.fakes import NOW, Account, FakeStore, a_lab, a_spec

SESSION = "arn:aws:sts::111122223333:assumed-role/Learners/{}"


def a_priced_lab(number: int = 0, **changes: Any) -> Lab:
    meter = Meter(MICRO // 10, {"myeks-nodegroup": MICRO // 20}, zone="Asia/Seoul")
    return a_lab(id=f"lab-{number}", spec=a_spec(name=f"n{number}"), meter=meter, **changes)


@pytest.fixture(params=["fake", "moto"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "fake":
        yield FakeStore(Account())
    else:
        with mock_aws():
            client = boto3.client("dynamodb", region_name="ap-northeast-2")
            yield DynamoStore(client, create_table(client))


def test_sums_are_kept_for_everyone_each_person_each_role_and_each_account(store: Store) -> None:
    price = foreseen(a_priced_lab())
    for number in (1, 2):
        lab = a_priced_lab(number, owner=SESSION.format(number), cost_tags=("course=eks", f"seat={number}"))
        store.create_lab(lab, None, "d", NOW)
    one = {LABS: 1, COST: price}
    assert store.month_sums("2026-11", Scope.PERSON) == {SESSION.format(1): one, SESSION.format(2): one}
    both = {LABS: 2, COST: 2 * price}
    role = "arn:aws:sts::111122223333:assumed-role/Learners"
    assert store.month_sums("2026-11", Scope.ROLE) == {role: both}
    assert store.month_sums("2026-11", Scope.INSTALLATION) == {"": both}
    assert store.month_sums("2026-11", Scope.ACCOUNT) == {"111122223333": both}
    assert store.month_sums("2026-11", Scope.TAG) == {"course=eks": both, "seat=1": one, "seat=2": one}
    assert store.month_sums("2026-12", Scope.PERSON) == {}


def test_a_lease_over_a_months_end_is_in_both_months(store: Store) -> None:
    start = NOW.replace(day=30, hour=14)
    lab = store.create_lab(a_priced_lab(created_at=start, lease_ends_at=start + timedelta(hours=2)), None, "d", start)
    november, december = (store.month_sums(month, Scope.INSTALLATION)[""][COST] for month in ("2026-11", "2026-12"))
    assert november == december
    assert november + december == foreseen(lab)


def test_people_of_neighbouring_months_and_sums_by_their_keys_are_the_sums(store: Store) -> None:
    start = NOW.replace(day=30, hour=14)
    for number in (1, 2):
        lab = a_priced_lab(number, owner=SESSION.format(number), created_at=start)
        store.create_lab(replace(lab, lease_ends_at=start + timedelta(hours=number)), None, "d", start)
    months = ["2026-11", "2026-12", "2027-01"]
    people = store.month_people(months)
    assert {month: [one.whose for one in sums] for month, sums in people.items()} == {
        "2026-11": [SESSION.format(1), SESSION.format(2)],
        "2026-12": [SESSION.format(2)],
        "2027-01": [],
    }
    role = SESSION.format(1).rpartition("/")[0]
    whose = {Scope.PERSON: SESSION.format(2), Scope.ROLE: role, Scope.ACCOUNT: "111122223333", Scope.INSTALLATION: ""}
    wanted = [(month, scope, one) for month in months for scope, one in whose.items()]
    assert store.sums_at(wanted) == {each: store.month_sums(*each[:2]).get(each[2], {}) for each in wanted}
    assert store.sums_at([]) == {}


def test_what_would_pass_a_ceiling_is_not_stored_and_says_what_is_there(store: Store) -> None:
    price = foreseen(a_priced_lab())
    ceilings = MonthCeilings(person=price + 5)
    store.create_lab(a_priced_lab(1), None, "d", NOW, NewLabLimits(ceilings=ceilings))
    with pytest.raises(OverBudget) as refusal:
        store.create_lab(a_priced_lab(2), None, "d", NOW, NewLabLimits(ceilings=ceilings))
    assert (refusal.value.asked, refusal.value.most, refusal.value.there) == (price, price + 5, price)
    for most in (price - 1, 0):
        with pytest.raises(OverBudget) as refusal:
            store.create_lab(a_priced_lab(2), None, "d", NOW, NewLabLimits(ceilings=MonthCeilings(installation=most)))
        assert (refusal.value.asked, refusal.value.most, refusal.value.there) == (price, most, price)
    other = a_priced_lab(3, owner=SESSION.format(3))
    with pytest.raises(OverBudget) as refusal:
        store.create_lab(other, None, "d", NOW, NewLabLimits(ceilings=MonthCeilings(person=price - 1)))
    assert (refusal.value.most, refusal.value.there) == (price - 1, 0)
    assert len(store.list_labs(None, (), 10, None).items) == 1


def test_sums_follow_every_save_and_the_end_frees_what_was_not_used(store: Store) -> None:
    lab = store.create_lab(a_priced_lab(), None, "d", NOW)
    for phase in (Phase.PROVISIONING, Phase.READY):
        store.change_lab(lab.id, lambda stored, to=phase: stored.moved_to(to, NOW), lab)
        lab = store.load_lab(lab.id)
    longer = store.change_lab(lab.id, lambda stored: stored.leased_until(lab.lease_ends_at + timedelta(hours=2), NOW))
    assert store.month_sums("2026-11", Scope.PERSON)[lab.owner][COST] == foreseen(longer)
    with pytest.raises(OverBudget):
        store.change_lab(
            lab.id,
            lambda stored: stored.leased_until(stored.lease_ends_at + timedelta(hours=1), NOW),
            ceilings=MonthCeilings(person=foreseen(longer)),
        )
    for phase in (Phase.RELEASING, Phase.DELETED):
        store.change_lab(lab.id, lambda stored, to=phase: stored.moved_to(to, NOW + timedelta(hours=1)))
    for _ in range(2):
        store.change_lab(lab.id, lambda stored: replace(stored, due_at=(stored.due_at or NOW) + timedelta(hours=1)))
    sums = store.month_sums("2026-11", Scope.PERSON)[lab.owner]
    assert (sums[LABS], sums[COST], sums["ended"]) == (1, MICRO // 5, foreseen(longer) - MICRO // 5)


def test_of_64_at_once_at_the_last_dollar_exactly_as_many_are_admitted_as_fit(sandbox: Sandbox) -> None:
    """Retry after "too busy", as a client does on 503."""
    client = sandbox.client("dynamodb")
    store = DynamoStore(client, create_table(client, "race"))
    price, fit = foreseen(a_priced_lab()), 7

    def ask(number: int) -> str:
        while True:
            try:
                ceilings = MonthCeilings(installation=fit * price + price - 1)
                return type(
                    store.create_lab(a_priced_lab(number), None, "d", NOW, NewLabLimits(ceilings=ceilings))
                ).__name__
            except Transient:
                continue
            except EkslabError as error:
                return type(error).__name__

    with ThreadPoolExecutor(64) as threads:
        assert Counter(threads.map(ask, range(64))) == {"Lab": fit, "MonthOverBudget": 64 - fit}
    assert store.month_sums("2026-11", Scope.INSTALLATION)[""] == {LABS: fit, COST: fit * price}


def test_a_months_sums_go_some_days_more_than_a_year_after_it() -> None:
    """Issue 11, row 13: the owners in the costs of labs were kept for ever."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        table = create_table(client)
        store = DynamoStore(client, table)
        for number in (1, 2):
            store.create_lab(a_priced_lab(number), None, "d", NOW)
        items = [item for item in client.scan(TableName=table)["Items"] if item["pk"]["S"].startswith("SPENDING#")]
        assert len(items) == 3
        instant = int((NOW.replace(day=1, hour=0, minute=0) + SUMS_KEPT).timestamp())
        assert {item["expires_at"]["N"] for item in items} == {str(instant)}


def test_a_person_has_one_sum_by_whatever_permission_set_and_is_known_by_each(store: Store) -> None:
    sso, price = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_{}/mina", foreseen(a_priced_lab())
    for number, name in enumerate(("Labs", "PowerUser", "Labs")):
        store.create_lab(a_priced_lab(number, owner=sso.format(name)), None, "d", NOW)
    store.create_lab(a_priced_lab(9, owner="arn:aws:iam::111122223333:user/jun"), None, "d", NOW)
    mina = "arn:aws:sts::111122223333:directory/mina"
    people = {one.whose: one for one in store.month_people(["2026-11"])["2026-11"]}
    assert people[mina].identities == (sso.format("Labs"), sso.format("PowerUser"))
    assert people[mina].amounts == {LABS: 3, COST: 3 * price}
    assert people["arn:aws:iam::111122223333:user/jun"].identities == ("arn:aws:iam::111122223333:user/jun",)
    assert store.month_sums("2026-11", Scope.PERSON)[mina] == people[mina].amounts


def test_pages_of_sums_are_the_sums(store: Store) -> None:
    for number in range(5):
        store.create_lab(a_priced_lab(number, owner=SESSION.format(number)), None, "d", NOW)
    found, cursor, first = list[str](), None, True
    while first or cursor:
        page = store.month_page("2026-11", Scope.PERSON, 2, cursor)
        found += [each.whose for each in page.items]
        cursor, first = page.cursor, False
    assert found == sorted(store.month_sums("2026-11", Scope.PERSON))


class Metered:
    """A client that counts the read units of its queries: 4 KiB each, strongly consistent."""

    def __init__(self, client: Any) -> None:
        self._client, self.units = client, 0

    def query(self, **asked: Any) -> Any:
        answer = self._client.query(**asked)
        values = [(name, str(next(iter(value.values())))) for item in answer["Items"] for name, value in item.items()]
        self.units += max(1, -(-sum(len(name) + len(value) for name, value in values) // 4096))
        return answer


def test_costs_of_10000_labs_in_12_months_are_answered_in_20_read_units() -> None:
    """With 300 people: a month by person, by account, by tag; and the whole year by account."""
    owner = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Labs/learner-000@example.com"
    people = [f"arn:aws:sts::111122223333:directory/learner-{n:03}@example.com" for n in range(300)]
    amounts = {LABS: {"N": "3"}, **{name: {"N": "123456789"} for name in (COST, "slept", "ended", "extended")}}
    others = ["ALL", "ACCOUNT#111122223333", *(f"TAG#course=eks-{n}" for n in range(20))]
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        table = create_table(client)
        months = [f"2026-{month:02}" for month in range(1, 13)]
        for month, whose in [(each, one) for each in months for one in others]:
            client.put_item(TableName=table, Item={**key(f"SPENDING#{month}", whose), **amounts})
        for month, whose in product(("2026-05", "2026-06", "2026-07"), people):
            kept = {**amounts, "identities": {"SS": [owner]}}
            client.put_item(TableName=table, Item={**key("SPENDING#PEOPLE", f"{month}#{whose}"), **kept})
        for scope, rows in ((Scope.PERSON, 300), (Scope.ACCOUNT, 1), (Scope.TAG, 20)):
            metered = Metered(client)
            assert len(DynamoStore(metered, table).month_sums("2026-06", scope)) == rows
            assert metered.units <= 20, scope
        metered = Metered(client)
        assert all(DynamoStore(metered, table).month_sums(month, Scope.ACCOUNT) for month in months)
        assert metered.units <= 20


def test_a_months_mail_is_noted_and_no_more_than_that(store: Store) -> None:
    """Including finance's, which is stored without a person's name."""
    for whose in ("arn:aws:iam::111122223333:user/jun", ""):
        assert whose not in store.month_told("2026-11")
        for _ in range(2):
            store.note_month_told("2026-11", whose, NOW)
        assert whose in store.month_told("2026-11")
    assert store.month_told("2026-10") == frozenset()
    assert store.month_sums("2026-11", Scope.PERSON) == {}


class Busy:
    """A client that always loses to a concurrent transaction, and records its calls."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def transact_write_items(self, **given: Any) -> Any:
        self.asked.append("transact_write_items")
        reasons = [{"Code": "TransactionConflict"}, *({"Code": "None"} for _ in given["TransactItems"][1:])]
        answer: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
        raise ClientError(answer, "TransactWriteItems")


def test_storing_a_lab_is_one_call_and_in_the_worst_race_eight() -> None:
    """With the offers and the rules that is 3 calls, with the key's lab and teams' months no more than 12."""
    busy = Busy()
    with pytest.raises(Transient):
        DynamoStore(busy, "t").create_lab(
            a_priced_lab(), None, "d", NOW, NewLabLimits(ceilings=MonthCeilings(person=10**12))
        )
    assert busy.asked == ["transact_write_items"] * 8
