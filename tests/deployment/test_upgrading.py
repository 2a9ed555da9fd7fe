"""From any deployed version, today's is an upgrade by a change set, and labs, ledgers and receipts stay unchanged."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chalicelib.aws.dynamodb.curfew.store import DynamoCurfewStore
from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.domain.core.proof import Creator
from chalicelib.domain.core.resources import ASKED_FOR, BY_EKS, BY_STACK, EntryState, Kind, LedgerEntry, Resource
from chalicelib.domain.labs.lab import Phase
from chalicelib.domain.teardown.ownership import Action, judge
from chalicelib.domain.teardown.target import target_of
from deployment.deploy import Consent, deploy
from deployment.destroy import StillInUse, destroy
from deployment.packaging import Package, local_file
from deployment.stacks import Change, Pace, find_stack, outputs_of, protect
from emulator.process import Sandbox
from tests.paths import PROJECT

HERE = PROJECT / "tests" / "data/upgrade"
BEFORE = sorted(path.name.removesuffix("-template.json") for path in HERE.glob("*-template.json"))
STACK = "before"
QUICK = Pace(patience=60, interval=0.05)
#: Labs of `foundation-items.json`.
READY, GONE = "lab-0cde8399ef5d", "lab-e7671219722a"
OWNER = "arn:aws:iam::111122223333:user/learner"


def template_of(version: str) -> dict[str, Any]:
    kept: dict[str, Any] = json.loads((HERE / f"{version}-template.json").read_text())
    return kept


def items_of(version: str) -> list[dict[str, Any]]:
    def whole(value: dict[str, Any]) -> Any:
        return base64.b64decode(value["__b64__"]) if "__b64__" in value else value

    items: list[dict[str, Any]] = json.loads((HERE / f"{version}-items.json").read_text(), object_hook=whole)
    return items


def package_of(version: str) -> Package:
    """Its template, with a placeholder for its code: nothing is run before the upgrade."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", "def app(event, context): pass\n")
    machine = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}).encode()
    template = template_of(version)
    names = {local_file(resource) for resource in template["Resources"].values()} - {None}
    return Package(template, {str(name): machine if str(name).endswith(".json") else code.getvalue() for name in names})


@dataclass(frozen=True)
class Upgraded:
    """A stack that had another version a moment ago."""

    sandbox: Sandbox
    table: str
    changes: Sequence[Change]
    before: Sequence[Mapping[str, Any]]
    outputs: Mapping[str, str]

    @property
    def store(self) -> DynamoStore:
        return DynamoStore(self.sandbox.client("dynamodb"), self.table)


@pytest.fixture(scope="module", params=BEFORE)
def upgraded(request: pytest.FixtureRequest, sandbox: Sandbox, packaged: Package) -> Iterator[Upgraded]:
    table = deploy(sandbox.client, package_of(request.param), STACK, pace=QUICK)["LabsTableName"]
    dynamodb, items = sandbox.client("dynamodb"), items_of(request.param)
    for item in items:
        dynamodb.put_item(TableName=table, Item=item)
    seen: list[Change] = []
    outputs = deploy(sandbox.client, packaged, STACK, consent=Consent(_seeing(seen)), pace=QUICK)
    yield Upgraded(sandbox, table, seen, items, outputs)
    cloudformation = sandbox.client("cloudformation")
    with suppress(ClientError):
        protect(cloudformation, STACK, against_deletion=False)
    cloudformation.delete_stack(StackName=STACK)


def _seeing(seen: list[Change]) -> Callable[[Sequence[Change]], bool]:
    def ask(changes: Sequence[Change]) -> bool:
        seen.extend(changes)
        return True

    return ask


def test_the_table_is_the_same_one_with_the_same_items(upgraded: Upgraded) -> None:
    table = next(change for change in upgraded.changes if change.logical_id == "LabsTable")
    assert (table.action, table.replacement) == ("Modify", "False")
    assert upgraded.outputs["LabsTableName"] == upgraded.table
    pages = upgraded.sandbox.client("dynamodb").get_paginator("scan").paginate(TableName=upgraded.table)
    after = [item for page in pages for item in page["Items"]]
    assert sorted(after, key=_key) == sorted(upgraded.before, key=_key)


def _key(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def test_the_table_is_protected_now_as_today_s_template_wants_it(upgraded: Upgraded) -> None:
    table = upgraded.sandbox.client("dynamodb").describe_table(TableName=upgraded.table)["Table"]
    assert table["DeletionProtectionEnabled"]


def test_today_s_store_reads_whole_lives_of_labs(upgraded: Upgraded) -> None:
    store = upgraded.store
    ready, gone = store.load_lab(READY), store.load_lab(GONE)
    assert (ready.name, ready.phase, ready.owner) == ("here", Phase.READY, OWNER)
    assert (gone.name, gone.phase) == ("gone", Phase.DELETED)
    assert {lab.id for lab in store.list_labs(OWNER, (), 10, None).items} == {READY, GONE}
    assert [lab.id for lab in store.list_labs(None, (Phase.READY,), 10, None).items] == [READY]
    assert {entry.resource.kind for entry in store.ledger(READY)} >= {"cluster", "nodegroup", "stack"}
    assert next(step.name for step in store.steps(READY)) == "create_stack"
    assert store.events(GONE, 100, None).items[-1].at >= store.events(GONE, 100, None).items[0].at
    assert [receipt.clean for receipt in store.receipts(GONE)] == [True]


def test_of_labs_from_before_only_what_aws_answered_is_proved(upgraded: Upgraded) -> None:
    store = upgraded.store
    lab, ledger = store.load_lab(READY), store.ledger(READY)
    assert store.before(READY) is None
    assert (lab.facts.created_at, lab.facts.role_ids, lab.facts.subdomain) == (None, {}, None)
    answered = {entry.how for entry in ledger if entry.grounds is not None}
    assert answered <= {ASKED_FOR, BY_STACK, BY_EKS}
    assert {entry.how for entry in ledger if entry.how.startswith("tag ")} & answered == set()


def test_what_only_tags_say_of_labs_from_before_is_unproven_and_stays(upgraded: Upgraded) -> None:
    """No list of earlier resources, no role ids, no createdAt: no creator in CloudTrail can be compared with it."""
    store = upgraded.store
    lab, ledger = store.load_lab(READY), store.ledger(READY)
    target, born = target_of(lab, ledger, store.before(READY)), lab.created_at + timedelta(minutes=30)
    role = Creator("arn:aws:sts::111122223333:assumed-role/ekslab-lab/x", born, role_id="AROAWHOEVER")
    tags = {"ekslab:lab-id": lab.id, f"kubernetes.io/cluster/{lab.name}": "owned"}
    for kind in (
        Kind.VOLUME,
        Kind.SNAPSHOT,
        Kind.KEY_PAIR,
        Kind.LAUNCH_TEMPLATE,
        Kind.ELASTIC_IP,
        Kind.AUTO_SCALING_GROUP,
    ):
        thing = Resource(kind, f"{kind}-1", f"arn:{kind}:1", tags, {}, born)
        looked_into = LedgerEntry(thing, EntryState.UNPROVEN, "tag x", born, born, creator=role)
        assert judge(thing, target, {}).action is Action.UNPROVEN
        assert judge(thing, target, {thing.arn: looked_into}).action is Action.UNPROVEN


def test_every_item_has_a_reader(upgraded: Upgraded) -> None:
    """Every item in the table is read by some code."""
    store = upgraded.store
    parts = sum(
        1 + len(store.steps(lab)) + len(store.events(lab, 1000, None).items) + len(store.ledger(lab))
        for lab in (READY, GONE)
    )
    claims = [
        item for item in upgraded.before if item["sk"]["S"] in ("CLAIM", "COUNT") or "RECEIPT#" in item["sk"]["S"]
    ]
    assert parts + len(claims) == len(upgraded.before)


def test_labs_from_before_are_minded_from_now_on(upgraded: Upgraded) -> None:
    """A lab whose lease ends is the curfew run's now; it was the recovery run's. Ended labs are checked again, as before."""
    lab = upgraded.store.load_lab(READY)
    assert lab.due_at is not None
    later = (lab.due_at + timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {"source": "aws.events", "detail-type": "Scheduled Event", "time": later, "id": "1", "detail": {}}
    event |= {"version": "0", "account": upgraded.sandbox.account, "region": upgraded.sandbox.region, "resources": []}
    answer = upgraded.sandbox.client("lambda").invoke(
        FunctionName=upgraded.outputs["RecoverFunction"], Payload=json.dumps(event)
    )
    message = json.load(answer["Payload"])
    assert message.get("failed") == [], message
    assert {each["lab_id"]: each["act"] for each in message["done"]}[READY] == "rest"
    assert upgraded.store.load_lab(READY).phase is Phase.READY
    assert upgraded.store.labs_due(datetime.now(UTC) + timedelta(days=2), 10) in ((), (GONE,))


def test_labs_from_before_count_when_the_stack_shall_go(upgraded: Upgraded) -> None:
    assert DynamoCurfewStore(upgraded.sandbox.client("dynamodb"), upgraded.table).alive_count() == 1
    with pytest.raises(StillInUse, match=f"1 alive\\.\n{READY}"):
        destroy(upgraded.sandbox.client, STACK, pace=QUICK)
    there = find_stack(upgraded.sandbox.client("cloudformation"), STACK)
    assert outputs_of(there)["LabsTableName"] == upgraded.table


@pytest.mark.parametrize("version", BEFORE)
def test_the_table_s_keys_stay_and_one_index_at_most_comes_or_goes(version: str, packaged: Package) -> None:
    """DynamoDB creates or deletes one index in an update; CloudFormation refuses two, and replaces a table of other keys."""
    before, now = (
        template["Resources"]["LabsTable"]["Properties"] for template in (template_of(version), packaged.template)
    )
    assert now["KeySchema"] == before["KeySchema"]
    types = {each["AttributeName"]: each["AttributeType"] for each in now["AttributeDefinitions"]}
    for each in before["AttributeDefinitions"]:
        assert types.get(each["AttributeName"], each["AttributeType"]) == each["AttributeType"]
    indexes, others = ({each["IndexName"]: each for each in table["GlobalSecondaryIndexes"]} for table in (before, now))
    assert len(indexes.keys() ^ others.keys()) <= 1
    assert all(others[name] == indexes[name] for name in indexes.keys() & others.keys())
    assert "TableName" not in now
    assert "LocalSecondaryIndexes" not in now
    assert now["TimeToLiveSpecification"] == before["TimeToLiveSpecification"]


@pytest.mark.parametrize("version", BEFORE)
def test_what_keeps_data_keeps_its_name_and_type_in_the_template(version: str, packaged: Package) -> None:
    """Under another logical id CloudFormation would create an empty one."""
    kept = ("AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::KMS::Key")
    for name, resource in template_of(version)["Resources"].items():
        if resource["Type"] in kept:
            assert packaged.template["Resources"][name]["Type"] == resource["Type"], name
