"""Accounts over HTTP: permission to register them, labs in them, and the conditions for their removal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.core.place import Place
from chalicelib.domain.core.resources import Kind
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.labs.lab import Phase
from tests.api.http import ADMIN, Http
from tests.fakes import NOW, a_lab, a_spec
from tests.fakes.builders import ACCOUNT, in_phase

MEMBER, THERE = "444455556666", "us-east-1"
ROLE = f"arn:aws:iam::{MEMBER}:role/ekslab-member-read"
TRAINING: dict[str, Any] = {"name": "training", "regions": [THERE, "eu-west-1"], "roleArn": ROLE, "labs": True}


@pytest.fixture
def http() -> Http:
    """A service with one member account, open in one region."""
    http = Http()
    assert http.put(f"/accounts/{MEMBER}", TRAINING, caller=ADMIN).status == 200
    http.world.join(MEMBER, THERE)
    return http


def findings(answer: Any) -> dict[str, str]:
    assert answer.status == 400, answer.text
    return {finding["path"]: finding["code"] for finding in answer.json["findings"] if finding["severity"] == "error"}


def test_an_account_is_read_as_it_was_registered(http: Http) -> None:
    message = http.get(f"/accounts/{MEMBER}", caller=ADMIN).json
    assert message == {"account": MEMBER, "owner": None, "team": None, **TRAINING}
    assert http.get(f"/accounts/{ACCOUNT}").json["account"] == ACCOUNT
    assert http.get("/accounts/999999999999").status == 404
    assert [one["account"] for one in http.get("/accounts").json["accounts"]] == [ACCOUNT, MEMBER]


def test_by_which_role_and_for_whom_an_account_is_entered_is_for_administrators_to_see(http: Http) -> None:
    assert (
        http.put(f"/accounts/{MEMBER}", {**TRAINING, "owner": "jo@example.com", "team": "t"}, caller=ADMIN).status
        == 200
    )
    seen = {"account": MEMBER, "regions": TRAINING["regions"], "labs": True}
    assert http.get(f"/accounts/{MEMBER}").json == seen
    assert http.get("/accounts").json["accounts"][1] == seen
    whole = {**TRAINING, "account": MEMBER, "owner": "jo@example.com", "team": "t"}
    assert http.get("/accounts", caller=ADMIN).json["accounts"][1] == whole


def test_an_account_takes_no_labs_unless_it_is_said(http: Http) -> None:
    body = {key: value for key, value in TRAINING.items() if key != "labs"}
    assert http.put(f"/accounts/{MEMBER}", body, caller=ADMIN).json["labs"] is False
    asked = http.post("/labs", {"name": "a", "account": MEMBER, "region": THERE})
    assert findings(asked) == {"account": "account-not-registered"}


def test_a_lab_is_made_in_the_account_it_names_and_belongs_to_who_asked(http: Http) -> None:
    answer = http.post("/labs", {"name": "a", "account": MEMBER})
    assert answer.status == 202, answer.text
    lab = http.world.store.load_lab(answer.json["id"])
    assert (lab.place, lab.owner) == (Place(MEMBER, THERE), http.caller)
    assert (answer.json["account"], http.get(f"/labs/{lab.id}").json["account"]) == (MEMBER, MEMBER)


@pytest.mark.parametrize("body", [{"name": "a"}, {"name": "a", "account": ACCOUNT}])
def test_a_lab_that_names_no_other_account_is_at_home(http: Http, body: dict[str, Any]) -> None:
    answer = http.post("/labs", body)
    assert (answer.status, answer.json["account"]) == (202, ACCOUNT)


def test_a_file_of_eksctl_is_made_at_home(http: Http) -> None:
    document = {"apiVersion": "eksctl.io/v1alpha5", "kind": "ClusterConfig", "metadata": {"name": "a", "region": THERE}}
    assert http.post("/labs", document).json["account"] == ACCOUNT


def test_a_name_is_taken_in_one_account_and_region_only(http: Http) -> None:
    elsewhere = {"name": "a", "account": MEMBER, "region": THERE}
    assert http.post("/labs", {"name": "a", "region": THERE}).status == 202
    assert http.post("/labs", elsewhere).status == 202
    assert http.post("/labs", elsewhere).status == 409


def test_what_a_lab_needs_is_looked_up_where_it_will_be(http: Http) -> None:
    there = http.world.join(MEMBER, THERE)
    there.add(Kind.KEY_PAIR, key_name="course")
    assert http.put("/offers", {"keyPairs": ["course"]}, caller=ADMIN).status == 200
    asked = {"name": "a", "ssh": {"keyName": "course"}}
    assert findings(http.post("/labs", asked)) == {"ssh.keyName": "key-pair-missing"}
    assert http.post("/labs", {**asked, "account": MEMBER, "region": THERE}).status == 202


def test_an_account_that_lets_nobody_in_is_told_as_a_finding_not_as_a_failure_of_ours(http: Http) -> None:
    http.world.shut(MEMBER)
    answer = http.post("/labs", {"name": "a", "account": MEMBER, "region": THERE})
    assert findings(answer) == {"account": "account-closed"}
    assert "does not let this service in" in answer.json["findings"][0]["message"]
    assert http.world.store.labs == {}


def test_an_account_and_its_regions_stay_while_labs_live_there(http: Http) -> None:
    lab = replace(a_lab(phase=Phase.READY, spec=a_spec(region=THERE)), account=MEMBER)
    http.world.store.create_lab(lab, None, "", NOW)
    assert http.delete(f"/accounts/{MEMBER}", caller=ADMIN).status == 409
    assert lab.id in http.delete(f"/accounts/{MEMBER}", caller=ADMIN).json["detail"]
    assert http.put(f"/accounts/{MEMBER}", {**TRAINING, "regions": ["eu-west-1"]}, caller=ADMIN).status == 409
    assert http.put(f"/accounts/{MEMBER}", {**TRAINING, "regions": [THERE], "labs": False}, caller=ADMIN).status == 200
    http.world.store.change_lab(lab.id, lambda stored: in_phase(stored, Phase.DELETED, NOW))
    assert http.delete(f"/accounts/{MEMBER}", caller=ADMIN).status == 204
    assert http.delete(f"/accounts/{MEMBER}", caller=ADMIN).status == 204


def test_labs_are_made_at_home_whatever_is_registered_for_it(http: Http) -> None:
    home = f"/accounts/{ACCOUNT}"
    assert [one["labs"] for one in http.get("/accounts").json["accounts"]] == [True, True]
    body = {"regions": ["eu-west-1"], "labs": False}
    assert http.put(home, body, caller=ADMIN).json["labs"] is True
    assert (http.get(home).json["regions"], http.get(home).json["labs"]) == (["eu-west-1"], True)
    http.world.store.create_lab(a_lab(phase=Phase.READY), None, "", NOW)
    assert http.delete(home, caller=ADMIN).status == 204
    assert http.get(home).json["regions"] != ["eu-west-1"]
    assert http.post("/labs", {"name": "b"}).status == 202


def test_learners_look_and_do_not_touch(http: Http) -> None:
    assert http.get(f"/accounts/{MEMBER}").status == 200
    assert http.put(f"/accounts/{MEMBER}", {}).status == 403
    assert http.delete(f"/accounts/{MEMBER}").status == 403
    kept = Registration(MEMBER, "training", (THERE, "eu-west-1"), ROLE, labs=True)
    assert http.world.watch.store.registrations() == (kept,)
