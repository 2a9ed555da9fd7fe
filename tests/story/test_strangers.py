"""Strangers: a person's lab is invisible to others."""

import urllib.error
import urllib.request

import pytest

from sandbox.stage import Stage
from tests.story.account import left_of
from tests.story.steps import administrator, learner

pytestmark = pytest.mark.story

ROUTES = [("GET", part) for part in ("", "/events", "/kubeconfig", "/inventory", "/receipt")] + [("DELETE", "")]


def test_a_lab_does_not_exist_for_anyone_else_but_the_administrator(stage: Stage) -> None:
    # Given a person's lab
    owner, stranger, admin = learner(stage), learner(stage), administrator(stage)
    lab = owner.asks_for("private-matter")

    # Then a stranger gets the answer for an unknown lab to every request
    for method, part in ROUTES:
        answer = stranger.sends(method, lab.path + part)
        nowhere = stranger.sends(method, f"/labs/lab-000000000000{part}")
        assert (answer.status, answer.json["title"]) == (404, nowhere.json["title"])
        assert answer.json["type"] == "urn:ekslab:problem:lab-not-found"
    assert stranger.sends("PATCH", lab.path, {"endpoint": {"access": "private"}}).status == 404
    assert stranger.sends("GET", "/labs").json["labs"] == []
    assert stranger.sends("GET", "/labs?owner=%2A").status == 400

    # And the name is taken, without naming the owner; the owner learns which lab has it
    refused = stranger.sends("POST", "/labs", {"name": "private-matter"})
    assert (refused.status, refused.json["labId"]) == (409, None)
    assert lab.id.encode() not in refused.body
    assert owner.sends("POST", "/labs", {"name": "private-matter"}).json["labId"] == lab.id

    # And unsigned requests are rejected
    with pytest.raises(urllib.error.HTTPError) as unsigned:
        urllib.request.urlopen(stage.url + lab.path)
    assert unsigned.value.code == 403

    # But the administrator sees it, and may end it
    assert admin.sends("GET", lab.path).json["owner"] == owner.arn
    assert lab.id in {found["id"] for found in admin.sends("GET", "/labs?owner=%2A&limit=100").json["labs"]}
    assert admin.sends("DELETE", lab.path).status == 202
    lab.becomes("deleted")
    assert f"released by {admin.arn}" in lab.events()
    assert left_of(lab) == []
