"""The contract of every PostStore, tested on the fake and on moto's DynamoDB."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.aws.dynamodb.posts import DynamoPosts
from chalicelib.domain.core.message import (
    Bullets,
    Heading,
    Letter,
    Link,
    Message,
    Ordered,
    Rows,
    Severity,
    commands,
    message_of,
    para,
)
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.notices.posts import Waiting, messages_of, passed_on, post_of, taken_back, taken_up, told
from chalicelib.ports.mail import PostStore
from chalicelib.workflows.shared.posts import drop_post
from tests.aws.dynamodb.table import create_table
from tests.fakes import NOW, Account, make_deps
from tests.fakes.posts import FakePosts

LETTER = Letter(
    Sentence("{name} did not end", name="c-lab"),
    (
        para(Sentence("{name} did not end", name="c-lab"), "plain"),
        commands("ekslab describe cluster c-lab", "ekslab wake c-lab"),
        Link("https://api.example.com/keep/x", Sentence("Keep it")),
        Bullets(Sentence("Why"), ("one", Sentence("{n} lab", "{n} labs", n=2))),
        Heading(Sentence("Deadlines")),
        Rows((("a", "b"), ("c", "d"))),
        Ordered(((Sentence("first"), ("aws eks",), ()), ("second", (), ("eksctl", "get")))),
    ),
)
NOTICE = (ClusterKey("111122223333", "ap-northeast-2", "orders"), "deadline#x")
JANE = message_of(
    LETTER, "jane", "curfew-called-off", Severity.INFO, "111122223333", "arn:aws:iam::111122223333:user/jane"
)
OPS = Message("ops@example.com", "s", "As it is.\n", "digest", Severity.URGENT, "1", "o", 3, (NOTICE,))
POST = post_of((JANE, OPS), "lab-a", NOW, nightly=True, lab_id="lab-a")


@pytest.fixture(params=["fake", "moto"])
def store(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake":
        yield FakePosts(Account())
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        create_table(client)
        yield DynamoPosts(client, "labs")


def test_a_post_waits_as_it_was_written_in_any_language(store: PostStore) -> None:
    assert store.waiting() == Waiting()
    store.add_post(POST)
    [waiting] = store.waiting().posts
    assert waiting == POST
    assert messages_of(waiting) == (JANE, OPS)
    letter = waiting.messages[0].letter
    assert letter is not None
    assert isinstance(letter.subject, Sentence)
    assert [type(block) for block in letter.blocks] == [type(block) for block in LETTER.blocks]


def test_the_oldest_comes_first_and_the_same_is_there_once(store: PostStore) -> None:
    store.add_post(replace(POST, id="b", posted_at=NOW + timedelta(minutes=1)))
    store.add_post(replace(POST, id="c"))
    store.add_post(replace(POST, id="a", posted_at=NOW + timedelta(minutes=2)))
    store.add_post(replace(POST, id="c", lab_id="another"))
    assert [(post.id, post.lab_id) for post in store.waiting().posts] == [
        ("c", "lab-a"),
        ("b", "lab-a"),
        ("a", "lab-a"),
    ]


def test_it_is_changed_by_one_at_a_time(store: PostStore) -> None:
    store.add_post(POST)
    until = NOW + timedelta(minutes=5)
    assert store.post(POST.id) == POST
    changed = store.change_post(POST.id, lambda post: taken_up(post, "jane", "m-1", NOW, until))
    assert store.post(POST.id) == changed
    assert changed is not None
    assert (changed.recipient, changed.mail, changed.sending_until, changed.version) == ("jane", "m-1", until, 1)
    assert store.change_post(POST.id, lambda post: taken_up(post, "ops", "m-2", NOW, until)) == changed
    assert store.change_post(POST.id, lambda post: taken_up(post, "ops", "m-2", until, until)) != changed
    assert store.change_post("unknown", lambda post: post) is None
    assert store.post("unknown") is None


def test_what_is_told_waits_no_more_is_not_told_again_and_waits_again_when_its_mail_comes_back(
    store: PostStore,
) -> None:
    store.add_post(POST)
    until = NOW + timedelta(minutes=5)
    store.change_post(POST.id, lambda post: taken_up(post, "jane", "m-1", NOW, until))
    for _ in range(2):
        store.change_post(POST.id, lambda post: replace(post, told_at=NOW))
        store.add_post(POST)
        assert store.waiting() == Waiting()
    assert not replace(POST, told_at=NOW).is_free(NOW)
    for _ in range(2):
        store.change_post(POST.id, lambda post: taken_back(post, "m-1", "refused"))
        [waiting] = store.waiting().posts
        assert (waiting.unheard, waiting.told_at, waiting.is_free(NOW)) == ((("jane", "refused"),), None, True)


def test_a_sent_post_keeps_its_messages_only_while_its_mail_may_bounce(store: PostStore) -> None:
    """Each was stored in full for two days, in a partition that every run reads."""
    until, published = NOW + timedelta(minutes=5), replace(POST, id="published")
    for post, mail in ((POST, "m-1"), (published, "")):
        store.add_post(post)
        store.change_post(post.id, lambda stored, mail=mail: told(taken_up(stored, "jane", mail, NOW, until), NOW))
        store.add_post(post)
    assert store.waiting() == Waiting()
    changed = store.change_post(published.id, lambda stored: taken_back(stored, "m-1", "refused"))
    assert changed is not None
    assert (changed.id, changed.told_at, changed.messages) == ("published", NOW, ())
    store.change_post(POST.id, lambda stored: taken_back(stored, "m-1", "refused"))
    [waiting] = store.waiting().posts
    assert messages_of(waiting) == (JANE, OPS)


def test_two_who_change_a_post_at_once_both_see_what_the_other_wrote() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        create_table(client)
        store = DynamoPosts(client, "labs")
        store.add_post(POST)
        seen: list[str] = []

        def first(post: Any) -> Any:
            if not seen:
                store.change_post(POST.id, lambda kept: replace(kept, recipient="ops"))
            seen.append(post.recipient)
            return replace(post, mail="m-1")

        changed = store.change_post(POST.id, first)
    assert seen == ["", "ops"]
    assert changed == replace(POST, recipient="ops", mail="m-1", version=2)


def test_the_oldest_are_given_first_and_those_of_the_hourly_run_only_to_it(store: PostStore) -> None:
    for number in range(4):
        nightly = number == 0
        store.add_post(replace(POST, id=f"{9 - number}", posted_at=NOW + timedelta(minutes=number), nightly=nightly))
    assert [post.id for post in store.waiting().posts] == ["9", "8", "7", "6"]
    assert [post.id for post in store.waiting(2).posts] == ["9", "8"]
    assert [post.id for post in store.waiting(2, nightly=False).posts] == ["8", "7"]
    store.change_post("9", lambda post: passed_on(post, "refused"))
    assert [post.id for post in store.waiting(2, nightly=False).posts] == ["9", "8"]


def test_a_post_that_cannot_be_read_keeps_no_other_from_being_told() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        create_table(client)
        store = DynamoPosts(client, "labs")
        store.add_post(replace(POST, id="a lost"))
        store.add_post(replace(POST, id="b"))
        key = {"pk": {"S": "OUTBOX"}, "sk": {"S": "a lost"}}
        client.update_item(
            TableName="labs", Key=key, UpdateExpression="SET body = :b", ExpressionAttributeValues={":b": {"S": "{}"}}
        )
        waiting = store.waiting(1)
        client.update_item(TableName="labs", Key=key | {"sk": {"S": "b"}}, UpdateExpression="REMOVE posted_at")
        without = store.waiting()
        drop_post(replace(make_deps().deps, posts=store), "a", "lost")
    assert ([post.id for post in waiting.posts], waiting.unreadable) == (["b"], ("a lost",))
    assert without == waiting
