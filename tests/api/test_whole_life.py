"""A lab's life through HTTP alone, its workflows run on fakes in between."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.http import Http
from tests.fakes import FakeWorld
from tests.workflows.theatre import Theatre

BODY = {
    "name": "myeks",
    "workHost": {},
    "ssh": {"publicKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJTGgmVoOEKO2MVkJvqyIJUsGVzhsuCUzyCm4a8XoDTA me"},
}


class Life:
    """One lab requested over HTTP; all started workflows run to their end."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.http = Http()
        self.world: FakeWorld = self.http.world
        self.theatre = Theatre(self.world)
        answer = self.http.post("/labs", body)
        assert answer.status == 202, answer.text
        self.path = f"/labs/{answer.json['id']}"
        self.theatre.lab_id = answer.json["id"]
        self.theatre.play()

    def get(self, part: str = "") -> Any:
        return self.http.get(self.path + part).json


@pytest.fixture
def life() -> Life:
    return Life(BODY)


def test_a_lab_comes_up_and_shows_all_its_steps_done(life: Life) -> None:
    lab = life.get()
    assert (lab["phase"], lab["reason"]) == ("ready", None)
    assert lab["endpoint"].startswith("https://")
    assert {step["status"] for step in lab["steps"]} <= {"done", "skipped"}
    assert all(step["startedAt"] and step["endedAt"] for step in lab["steps"])


def test_its_inventory_shows_every_part_and_why_it_is_there(life: Life) -> None:
    inventory = life.get("/inventory")
    assert inventory["unreadable"] == {}
    assert inventory["controlPlane"]["status"] == "ACTIVE"
    assert len(inventory["controlPlane"]["zones"]) == 2
    assert inventory["endpoint"]["seen"]["addresses"]
    assert {policy["name"] for policy in inventory["nodeRole"]["policies"]} >= {"AmazonEKSWorkerNodePolicy"}
    assert all("look at the policy itself" not in policy["why"] for policy in inventory["nodeRole"]["policies"])
    roles = [group["role"] for group in inventory["securityGroups"]]
    assert roles == ["cluster", "control-plane", "nodes", "remote-access", "work-host"]
    assert len(inventory["subnets"]) == 4
    assert [group["status"] for group in inventory["nodegroups"]] == ["ACTIVE"]
    assert {addon["status"] for addon in inventory["addons"]} == {"ACTIVE"}
    policies = {entry["ofService"]: entry["policies"] for entry in inventory["accessEntries"]}
    assert [policies[True][0].rpartition("/")[2], len(policies)] == ["AmazonEKSViewPolicy", 2]
    assert inventory["workHost"]["status"] == "running"
    assert inventory["support"]["dates"]["endOfStandard"].endswith("Z")


def test_it_is_sealed_private_then_gone_and_proved_gone(life: Life) -> None:
    assert life.http.patch(life.path, {"endpoint": {"access": "private"}}).status == 202
    life.theatre.play()
    assert life.get()["spec"]["endpoint"]["access"] == "private"
    assert life.http.delete(life.path).status == 202
    life.theatre.play()
    assert life.get()["phase"] == "deleted"
    receipt = life.get("/receipt")
    assert (receipt["clean"], receipt["looks"][0]["look"]) == (True, "now")
    assert receipt["verdict"].startswith("Nothing of the lab's is left")
    assert receipt["verdict"].endswith("were to be deleted.")
    assert life.get()["endpoint"] is None
    assert life.http.get(f"{life.path}/kubeconfig").status == 409
    assert life.http.post("/labs", {"name": "myeks"}).status == 202


def test_the_inventory_of_a_lab_that_is_gone_still_lists_what_there_was(life: Life) -> None:
    life.http.delete(life.path)
    life.theatre.play()
    inventory = life.get("/inventory")
    assert (inventory["controlPlane"], inventory["unreadable"]) == (None, {})
    assert inventory["message"].startswith("The lab is deleted")
    assert {entry["state"] for entry in inventory["ledger"]} <= {"deleted", "kept"}
    assert len(inventory["ledger"]) > 10
