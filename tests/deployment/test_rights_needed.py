"""The proof of tests/story/test_rights.py without running stories: on the stored questions of the last whole run."""

from __future__ import annotations

import json

import pytest

from tests.deployment import rights

HOW = "tell all stories and keep what they asked: make rights"


@pytest.fixture(scope="module")
def questions() -> tuple[rights.Question, ...]:
    return rights.recorded()


def test_each_right_of_a_function_was_needed_in_some_story(questions: tuple[rights.Question, ...]) -> None:
    assert rights.unneeded_rights(questions) - rights.excused() == set(), HOW


def test_no_right_is_excused_that_stories_need_or_that_nobody_has(questions: tuple[rights.Question, ...]) -> None:
    assert rights.excused_but_needed(questions) == set()


def test_a_right_too_many_is_noticed(questions: tuple[rights.Question, ...]) -> None:
    """It can fail: without one function's questions, its rights are unneeded."""
    others = [each for each in questions if each.function != "teardown_begin"]
    assert rights.Right("teardown_begin", "watch-workflows") in rights.unneeded_rights(others)


def test_a_right_that_is_not_needed_every_time_was_needed_by_somebody(questions: tuple[rights.Question, ...]) -> None:
    assert rights.never_needed(questions) == set(), HOW


def test_a_right_that_nobody_ever_needed_is_noticed(questions: tuple[rights.Question, ...]) -> None:
    others = [each for each in questions if each.action != "route53:ChangeResourceRecordSets"]
    assert rights.never_needed(others) == {"sweep-dns-records"}


def test_each_action_was_asked_for_or_has_its_reason(questions: tuple[rights.Question, ...]) -> None:
    assert rights.unneeded_actions(questions) == rights.excused_actions(), HOW


def test_an_action_too_many_is_noticed(questions: tuple[rights.Question, ...]) -> None:
    others = [each for each in questions if each.action != "ec2:DeleteVpcEndpoints"]
    assert ("sweep-own", "ec2:DeleteVpcEndpoints") in rights.unneeded_actions(others)


def test_each_right_that_is_not_asked_for_has_its_reason() -> None:
    said = [each for path in (rights.UNASKED, rights.UNASKED_ACTIONS) for each in json.loads(path.read_text())]
    assert [each for each in said if len(each["why"]) < 30] == []
