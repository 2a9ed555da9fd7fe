"""Callers at the real API: requests need a signature, and a session of a permission set is its user."""

import urllib.error
import urllib.request
from urllib.parse import quote

import pytest

from emulator.process import Credentials
from sandbox.people import HttpAnswer, signed_request
from sandbox.stage import Stage
from tests.api.matrix import MATRIX, expected
from tests.story.steps import Learner, signed_in

pytestmark = pytest.mark.story

FORGED = Credentials("AKIAFORGEDFORGEDFORG", "made-up", None)


def test_no_route_but_the_links_is_reached_without_a_good_signature(stage: Stage) -> None:
    # Given every route
    signed = sorted(route for route in MATRIX if expected(route)["unsigned"] == 403)

    # Then requests without a signature, or signed with an unknown key, are rejected
    assert {route: unsigned(stage, *route) for route in signed} == dict.fromkeys(signed, 403)
    for method, path in signed[:3]:
        assert signed_request(method, stage.url + filled(path), FORGED, stage.sandbox.region).status == 403

    # And a link needs none, but must be valid
    assert unsigned(stage, "GET", "/keep/k1.made.up") == 404
    assert unsigned(stage, "POST", "/keep/k1.made.up") == 404

    # And pages and forms require a session
    for method in ("GET", "POST"):
        page = (method, "/ui/{path+}")
        assert unsigned(stage, *page) == expected(page)["unsigned"]


def test_a_session_of_a_permission_set_is_its_user_whatever_the_roles_suffix(stage: Stage) -> None:
    # Given a permission set that was assigned twice, so its role has another suffix
    before = signed_in(stage, "AWSReservedSSO_Stories_0123456789abcdef", "learner@example.com")
    after = signed_in(stage, "AWSReservedSSO_Stories_fedcba9876543210", "learner@example.com")
    learner = f"arn:aws:sts::{stage.sandbox.account}:assumed-role/AWSReservedSSO_Stories/learner@example.com"

    # Then both sessions can list the labs of the same person, and no other's
    for who in (before, after):
        assert labs_of(who, learner).status == 200
        assert labs_of(who, learner.replace("learner@", "other@")).status == 400
        assert labs_of(who, "*").status == 400


def test_a_role_that_is_only_called_like_a_permission_sets_is_not_its_user(stage: Stage) -> None:
    """Issue 11, row 5."""
    # Given a role made by hand, with a permission set's name and a person's session name
    impostor = signed_in(stage, "AWSReservedSSO_Stories_00000000deadbeef", "learner@example.com", "/x/")
    learner = f"arn:aws:sts::{stage.sandbox.account}:assumed-role/AWSReservedSSO_Stories/learner@example.com"

    # Then it cannot list the person's labs, and its own labs have no directory user as owner
    assert labs_of(impostor, learner).status == 400
    assert labs_of(impostor, "me").status == 200
    assert labs_of(impostor, learner.replace("assumed-role/", "assumed-role/unconfirmed/")).status == 400


def unsigned(stage: Stage, method: str, path: str) -> int:
    request = urllib.request.Request(stage.url + filled(path), data=b"{}" if method != "GET" else None, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code


def filled(path: str) -> str:
    """A path with a value for each parameter."""
    return "/".join("2026-11-23" if part.startswith("{") else part for part in path.split("/"))


def labs_of(who: Learner, owner: str) -> HttpAnswer:
    return who.sends("GET", f"/labs?owner={quote(owner, safe='')}")
