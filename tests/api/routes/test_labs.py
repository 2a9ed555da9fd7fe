"""The HTTP surface on fakes: permissions, and the form of every answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import yaml

from chalicelib.api.views.labs import calendar_view
from chalicelib.domain.errors.tree import AccessDenied, AwsUnavailable, Throttled
from chalicelib.domain.labs.lab import ClusterFacts, Phase, Protection
from chalicelib.domain.labs.spec import EndpointAccess, EndpointSpec
from chalicelib.domain.teardown.receipt import Receipt, ReceiptLine, ReceiptOutcome
from tests.api.http import ADMIN, STRANGER, Http
from tests.fakes import NOW, a_calendar, a_lab, a_spec

READY_FACTS = ClusterFacts(
    arn="arn:aws:eks:ap-northeast-2:111122223333:cluster/myeks",
    endpoint="https://0123.gr7.ap-northeast-2.eks.amazonaws.com",
    certificate_authority="LS0t",
)


@pytest.fixture
def http() -> Http:
    return Http()


@pytest.fixture
def ready(http: Http) -> Http:
    http.world.store.put(a_lab(phase="ready", facts=READY_FACTS, due_at=None))
    return http


LAB = f"/labs/{a_lab().id}"


def test_a_request_is_stored_started_and_answered_with_where_to_look(http: Http) -> None:
    answer = http.post("/labs", {"name": "myeks"})
    assert answer.status == 202
    lab_id = answer.json["id"]
    assert answer.headers["Location"] == f"/api/labs/{lab_id}"
    assert answer.json["phase"] == "requested"
    assert answer.json["links"]["receipt"] == f"/api/labs/{lab_id}/receipt"
    assert http.world.workflows.started == [("provision", f"{lab_id}-0-provision", {"lab_id": lab_id})]
    assert http.world.store.labs[lab_id].spec.endpoint.allowed_cidrs == ("15.230.39.7/32",)


def test_a_request_is_answered_with_its_lease_its_curfew_and_its_price(http: Http) -> None:
    answer = http.post("/labs", {"name": "myeks"}).json
    assert answer["leaseEndsLocal"].endswith(f"({answer_zone(http, answer['id'])})")
    assert answer["nextCurfew"]["local"]
    cost = answer["cost"]
    assert cost["usdAnHour"] == pytest.approx(sum(part["usdAnHour"] for part in cost["parts"]), abs=1e-3)
    assert cost["usd"] == pytest.approx(8 * cost["usdAnHour"], abs=0.01)


def test_a_dry_run_prices_each_part_by_the_hour_and_for_the_lease_awake_and_asleep(http: Http) -> None:
    cost = http.post("/labs", {"name": "myeks"}, query={"dryRun": "true"}).json["cost"]
    shown = {part["name"]: (part["usdAnHour"], part["usdAnHourAsleep"], part["usd"]) for part in cost["parts"]}
    assert shown == {
        "control plane": (0.1, 0.1, 0.8),
        "2 t3.medium": (0.104, 0.0, 0.83),
        "60 GiB of gp3": (0.0075, 0.0, 0.06),
        "2 public IPv4 addresses": (0.01, 0.0, 0.08),
    }
    assert (cost["usd"], cost["usdAsleep"], cost["usdAnHourAsleep"]) == (1.77, 0.8, 0.1)
    assert (cost["source"], cost["asOf"], cost["atLeast"]) == ("a price list of 1 Nov 2026", "2026-11-01", False)


def answer_zone(http: Http, lab_id: str) -> str:
    return http.world.store.labs[lab_id].spec.schedule.time_zone


def test_a_dry_run_answers_the_completed_request_and_its_price_and_stores_nothing(http: Http) -> None:
    answer = http.post("/labs", {"name": "myeks", "leaseHours": 4}, query={"dryRun": "true"})
    assert answer.status == 200
    assert answer.json["dryRun"] is True
    assert answer.json["spec"]["nodegroups"][0]["instanceTypes"] == ["t3.medium"]
    assert answer.json["cost"]["usd"] == pytest.approx(4 * answer.json["cost"]["usdAnHour"], abs=0.01)
    assert [finding["code"] for finding in answer.json["warnings"]] == ["volumes"]
    assert (http.world.store.labs, http.world.workflows.started) == ({}, [])
    asked = http.post("/labs", answer.json["spec"])
    assert http.world.store.labs[asked.json["id"]].spec.name == "myeks"


def test_a_dry_run_is_refused_as_the_request_would_be(http: Http) -> None:
    for query in ({"dryRun": "true"}, {"dryRun": "false"}):
        assert http.post("/labs", {"name": "_bad"}, query=query).status == 400
    assert http.post("/labs", {"name": "myeks"}, query={"dryRun": "yes"}).status == 400
    assert http.post("/labs", {"name": "myeks"}, query={"dryrun": "true"}).status == 400
    assert http.world.store.labs == {}


def test_a_dry_run_of_an_unknown_price_is_an_at_least(http: Http) -> None:
    group = {"name": "amd", "instanceTypes": ["m7a.large"], "desired": 1}
    answer = http.post("/labs", {"name": "myeks", "nodegroups": [group]}, query={"dryRun": "true"})
    cost = answer.json["cost"]
    assert (cost["unknown"], cost["usd"]) == (["m7a.large"], None)
    assert cost["message"].startswith("at least $")


@pytest.mark.parametrize("kind", ["application/yaml", "text/plain; charset=utf-8", "application/x-www-form-urlencoded"])
def test_an_eksctl_document_in_yaml_is_a_request_too_whatever_curl_calls_it(http: Http, kind: str) -> None:
    body = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: dev, region: us-east-1, version: '1.36'}\n"
    answer = http.post("/labs", body, headers={"content-type": kind})
    assert answer.status == 202
    assert (answer.json["name"], answer.json["region"]) == ("dev", "us-east-1")


def test_bad_fields_are_all_named_in_one_problem(http: Http) -> None:
    answer = http.post("/labs", {"name": "-bad", "version": "1.28", "nodegrups": []})
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"name", "version", "nodegrups"} <= {finding["path"] for finding in answer.json["findings"]}
    assert http.world.store.labs == {}
    assert http.world.workflows.started == []


def test_what_the_account_has_against_it_is_told_by_the_callers_path(http: Http) -> None:
    answer = http.post("/labs", {"name": "myeks", "ssh": {"keyName": "nobody"}})
    assert answer.status == 400
    assert ("ssh.keyName", "key-pair-missing") in {(f["path"], f["code"]) for f in answer.json["findings"]}


def test_the_same_idempotency_key_is_the_same_lab_even_at_the_limit(http: Http) -> None:
    key = {"Idempotency-Key": "abc"}
    first = http.post("/labs", {"name": "myeks"}, headers=key)
    for number in range(4):
        assert http.post("/labs", {"name": f"other-{number}"}).status == 202
    again = http.post("/labs", {"name": "myeks"}, headers=key)
    assert (again.status, again.json["id"]) == (202, first.json["id"])
    assert len(http.world.workflows.started) == 5
    assert http.post("/labs", {"name": "one-more"}).json["type"] == "urn:ekslab:problem:too-many-labs"


def test_the_same_idempotency_key_with_another_body_is_refused(http: Http) -> None:
    http.post("/labs", {"name": "myeks"}, headers={"Idempotency-Key": "abc"})
    answer = http.post("/labs", {"name": "other"}, headers={"Idempotency-Key": "abc"})
    assert (answer.status, answer.json["type"]) == (422, "urn:ekslab:problem:idempotency-conflict")


def test_a_taken_name_tells_the_lab_to_its_owner_only(http: Http) -> None:
    first = http.post("/labs", {"name": "myeks"})
    mine = http.post("/labs", {"name": "myeks"})
    assert (mine.status, mine.json["labId"]) == (409, first.json["id"])
    theirs = http.post("/labs", {"name": "myeks"}, caller=STRANGER)
    assert (theirs.status, theirs.json["labId"]) == (409, None)
    assert first.json["id"] not in theirs.text


def test_a_start_that_fails_after_the_store_is_still_accepted(http: Http) -> None:
    http.world.fail("start", Throttled("slow down"))
    answer = http.post("/labs", {"name": "myeks"})
    assert answer.status == 202
    assert "start-delayed" in [warning["code"] for warning in answer.json["warnings"]]
    assert http.world.store.labs[answer.json["id"]].due_at == NOW + timedelta(seconds=60)


def test_a_lost_answer_of_the_start_starts_once(http: Http) -> None:
    http.world.lose_answer("start")
    key = {"Idempotency-Key": "abc"}
    assert http.post("/labs", {"name": "myeks"}, headers=key).status == 202
    assert http.post("/labs", {"name": "myeks"}, headers=key).status == 202
    assert len(http.world.workflows.started) == 1


@pytest.mark.parametrize("path", ["", "/events", "/kubeconfig", "/inventory", "/receipt"])
def test_someone_elses_lab_does_not_exist_and_an_administrator_sees_it(ready: Http, path: str) -> None:
    ready.world.store.put_receipt(a_lab().id, Receipt("now", NOW, (), ("tags",)))
    hidden, missing = ready.get(LAB + path, caller=STRANGER), ready.get(f"/labs/lab-none{path}", caller=STRANGER)
    assert (hidden.status, missing.status) == (404, 404)
    assert hidden.text.replace(a_lab().id, "lab-none") == missing.text
    assert ready.get(LAB + path, caller=ADMIN).status == 200


def test_a_stranger_changes_and_releases_nothing(ready: Http) -> None:
    assert ready.delete(LAB, caller=STRANGER).status == 404
    assert ready.patch(LAB, {"rubbish": 1}, caller=STRANGER).status == 404
    assert ready.world.store.labs[a_lab().id].phase is Phase.READY


def test_an_unsigned_request_is_forbidden() -> None:
    assert Http(caller=None).get("/labs").status == 403


def test_a_lab_shows_phase_steps_and_what_happens_next(ready: Http) -> None:
    answer = ready.get(LAB)
    assert answer.json["phase"] == "ready"
    assert any("The lease ends on Mon 23 Nov 18:00 (UTC)" in line and "volumes" in line for line in answer.json["next"])
    assert answer.json["createdAt"] == "2026-11-23T10:00:00Z"
    assert answer.json["spec"]["nodegroups"][0]["instanceTypes"] == ["t3.medium"]


def test_releasing_starts_a_teardown_once_and_tells_about_volumes(ready: Http) -> None:
    first, second = ready.delete(LAB), ready.delete(LAB)
    assert (first.status, second.status) == (202, 202)
    assert first.json["phase"] == second.json["phase"] == "releasing"
    assert ready.world.workflows.names("teardown") == [f"{a_lab().id}-1-teardown"]
    assert "volumes" in [warning["code"] for warning in first.json["warnings"]]


def test_releasing_what_is_blocked_tries_again_and_what_is_over_stays(http: Http) -> None:
    http.world.store.put(a_lab(phase="blocked", run=3), a_lab(id="lab-old", phase="deleted"))
    assert http.delete(LAB).json["phase"] == "releasing"
    assert http.world.workflows.names("teardown") == [f"{a_lab().id}-4-teardown"]
    assert http.delete("/labs/lab-old").json["phase"] == "deleted"


def test_a_ready_lab_is_sealed_private(ready: Http) -> None:
    answer = ready.patch(
        LAB, {"endpoint": {"access": "private"}, "nodegroups": [{"name": "myeks-nodegroup", "desired": 3}]}
    )
    assert (answer.status, answer.json["phase"]) == (202, "updating")
    change = ready.world.store.labs[a_lab().id].change
    assert change is not None
    assert (change.endpoint_access, change.nodes) == ("private", {"myeks-nodegroup": 3})
    assert "no-way-in" in [warning["code"] for warning in answer.json["warnings"]]
    assert ready.world.workflows.names("update") == [f"{a_lab().id}-1-update"]


def test_the_same_change_again_is_the_same_answer_and_another_has_to_wait(ready: Http) -> None:
    body = {"endpoint": {"access": "private"}}
    assert ready.patch(LAB, body).status == ready.patch(LAB, body).status == 202
    other = ready.patch(LAB, {"nodegroups": [{"name": "myeks-nodegroup", "desired": 1}]})
    assert (other.status, other.json["phase"]) == (409, "updating")
    assert ready.world.workflows.names("update") == [f"{a_lab().id}-1-update"]


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({}, "", "nothing-asked"),
        ({"endpoint": {"acess": "private"}}, "endpoint.acess", "unknown-field"),
        ({"endpoint": {"access": "secret"}}, "endpoint.access", "unknown-value"),
        ({"endpoint": {"allowedCidrs": ["10.0.0.1/8"]}}, "endpoint.allowedCidrs[0]", "invalid-cidr"),
        ({"endpoint": {"allowedCidrs": []}}, "endpoint.allowedCidrs", "empty"),
        (
            {"endpoint": {"access": "private", "allowedCidrs": ["1.2.3.4/32"]}},
            "endpoint.allowedCidrs",
            "no-public-endpoint",
        ),
        ({"nodegroups": [{"name": "myeks-nodegrup", "desired": 1}]}, "nodegroups[0].name", "unknown-nodegroup"),
        ({"nodegroups": [{"name": "myeks-nodegroup", "desired": 99}]}, "nodegroups", "too-many-nodes"),
        ({"nodegroups": [{"name": "myeks-nodegroup", "desired": "two"}]}, "nodegroups[0].desired", "wrong-type"),
        ({"nodegroups": [{"name": "myeks-nodegroup"}]}, "nodegroups[0].desired", "missing"),
        ({"nodegroups": [{"name": "myeks-nodegroup", "desired": -1}]}, "nodegroups[0].desired", "negative"),
        ("not json", "", None),
    ],
)
def test_a_bad_change_is_refused_by_field(ready: Http, body: object, path: str, code: str | None) -> None:
    answer = ready.patch(LAB, body)
    assert answer.status == 400
    assert path in [f["path"] for f in answer.json["findings"]]
    assert code is None or (path, code) in [(f["path"], f["code"]) for f in answer.json["findings"]]
    assert ready.world.store.labs[a_lab().id].phase is Phase.READY


def test_a_private_lab_opened_again_is_opened_to_the_caller_only(http: Http) -> None:
    spec = a_spec(endpoint=EndpointSpec(EndpointAccess.PRIVATE, ()))
    http.world.store.put(a_lab(phase="ready", spec=spec))
    assert http.patch(LAB, {"endpoint": {"access": "public"}}).status == 202
    change = http.world.store.labs[a_lab().id].change
    assert change is not None
    assert (change.endpoint_access, change.allowed_cidrs) == ("public-and-private", ("15.230.39.7/32",))


def test_a_change_that_changes_nothing_starts_nothing(ready: Http) -> None:
    answer = ready.patch(LAB, {"nodegroups": [{"name": "myeks-nodegroup", "desired": 2}]})
    assert (answer.status, answer.json["phase"]) == (202, "ready")
    assert ready.world.workflows.started == []


def test_labs_are_listed_with_filters_and_pages(http: Http) -> None:
    for number in range(3):
        http.world.store.put(a_lab(id=f"lab-{number}", created_at=NOW + timedelta(minutes=number)))
    http.world.store.put(a_lab(id="lab-x", owner=STRANGER, phase="ready"))
    first = http.get("/labs", query={"limit": "2"})
    assert [lab["id"] for lab in first.json["labs"]] == ["lab-2", "lab-1"]
    rest = http.get("/labs", query={"limit": "2", "cursor": first.json["cursor"]})
    assert ([lab["id"] for lab in rest.json["labs"]], rest.json["cursor"]) == (["lab-0"], None)
    assert http.get("/labs", caller=ADMIN).json["labs"] == []
    assert len(http.get("/labs", caller=ADMIN, query={"owner": "*"}).json["labs"]) == 4
    assert [
        lab["id"] for lab in http.get("/labs", caller=ADMIN, query={"owner": "*", "phase": "ready"}).json["labs"]
    ] == ["lab-x"]
    assert [lab["id"] for lab in http.get("/labs", caller=ADMIN, query={"owner": STRANGER}).json["labs"]] == ["lab-x"]


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": "²"}, "limit"),
        ({"phase": "redy"}, "phase"),
        ({"owner": STRANGER}, "owner"),
        ({"owner": "*"}, "owner"),
        ({"cursor": "made-up"}, "cursor"),
        ({"phas": "ready"}, "phas"),
    ],
)
def test_bad_query_parameters_are_named(http: Http, query: dict[str, str], path: str) -> None:
    answer = http.get("/labs", query=query)
    assert (answer.status, [f["path"] for f in answer.json["findings"]]) == (400, [path])


def test_history_is_told_in_order(http: Http) -> None:
    lab_id = http.post("/labs", {"name": "myeks"}).json["id"]
    http.world.clock.advance(minutes=1)
    http.delete(f"/labs/{lab_id}")
    events = http.get(f"/labs/{lab_id}/events").json["events"]
    assert [(event["kind"], event["at"]) for event in events] == [
        ("requested", "2026-11-23T10:00:00Z"),
        ("phase-changed", "2026-11-23T10:01:00Z"),
    ]


def test_the_kubeconfig_asks_aws_for_tokens_and_holds_no_secret(ready: Http) -> None:
    answer = ready.get(f"{LAB}/kubeconfig")
    assert answer.headers["Content-Type"] == "application/yaml"
    document = yaml.safe_load(answer.text)
    command = document["users"][0]["user"]["exec"]
    assert [command["command"], *command["args"][:4]] == ["aws", "eks", "get-token", "--cluster-name", "myeks"]
    assert set(document["users"][0]["user"]) == {"exec"}
    assert document["clusters"][0]["cluster"]["server"] == READY_FACTS.endpoint


@pytest.mark.parametrize("phase", ["requested", "provisioning", "releasing", "deleted"])
def test_there_is_no_kubeconfig_before_or_after_the_cluster(http: Http, phase: str) -> None:
    facts = READY_FACTS if phase in ("releasing", "deleted") else ClusterFacts()
    http.world.store.put(a_lab(phase=phase, facts=facts))
    assert http.get(f"{LAB}/kubeconfig").status == 409


def test_the_receipt_is_there_after_the_teardown_with_a_verdict(ready: Http) -> None:
    early = ready.get(f"{LAB}/receipt")
    assert (early.status, early.json["type"]) == (404, "urn:ekslab:problem:no-receipt-yet")
    assert "2026-11-23T18:00Z" in early.json["detail"]
    ready.world.store.put(a_lab(phase="ready", protection=Protection(NOW + timedelta(days=2), "ops@", "an exam")))
    assert "2026-11-25T10:00Z" in ready.get(f"{LAB}/receipt").json["detail"]
    line = ReceiptLine("arn:aws:ec2:::volume/vol-1", "volume", ReceiptOutcome.KEPT, "asked for", "on the ledger")
    ready.world.store.put_receipt(a_lab().id, Receipt("now", NOW, (line,), ("tags",)))
    receipt = ready.get(f"{LAB}/receipt").json
    assert receipt["clean"] is True
    assert receipt["looks"][0]["lines"][0]["outcome"] == "kept"
    assert "1 kept" in receipt["verdict"]
    blocked = replace(line, outcome=ReceiptOutcome.BLOCKED)
    ready.world.store.put_receipt(a_lab().id, Receipt("after 15 minutes", NOW + timedelta(minutes=15), (blocked,), ()))
    assert ready.get(f"{LAB}/receipt").json["verdict"].startswith("Not empty: 1")


def test_the_default_of_versions_is_what_a_request_without_one_gets() -> None:
    calendar = a_calendar()
    older = calendar.available(NOW)[1]
    versions = tuple(replace(each, is_default=each == older) for each in calendar.versions)
    view = calendar_view(replace(calendar, versions=versions), "us-east-1", NOW)
    assert view["default"] == older.version


def test_versions_tell_status_source_and_default(http: Http) -> None:
    answer = http.get("/versions", query={"region": "us-east-1"}).json
    assert (answer["default"], answer["source"], answer["region"]) == ("1.37", "bundled table", "us-east-1")
    statuses = {entry["version"]: entry["status"] for entry in answer["versions"]}
    assert (statuses["1.34"], statuses["1.31"], statuses["1.28"]) == (
        "STANDARD_SUPPORT",
        "EXTENDED_SUPPORT",
        "UNSUPPORTED",
    )
    assert http.get("/versions", query={"region": "mars"}).status == 400


def test_an_inventory_of_which_a_part_is_refused_shows_the_rest(ready: Http) -> None:
    ready.world.fail("security_groups", AccessDenied("ec2:DescribeSecurityGroups", "UnauthorizedOperation", "no"))
    facts = replace(READY_FACTS, cluster_security_group_id="sg-1")
    ready.world.store.put(a_lab(phase="ready", facts=facts))
    answer = ready.get(f"{LAB}/inventory")
    assert answer.status == 200
    assert "securityGroups" in answer.json["unreadable"]
    assert answer.json["endpoint"]["access"] == "public"
    assert answer.json["support"]["status"] == "STANDARD_SUPPORT"


@pytest.mark.parametrize("phase", ["deleted", "failed"])
def test_an_inventory_of_a_lab_that_is_over_says_so_and_asks_aws_nothing(ready: Http, phase: str) -> None:
    ready.world.fail("versions", AwsUnavailable("it is not asked"))
    ready.world.store.put(a_lab(phase=phase, facts=READY_FACTS))
    answer = ready.get(f"{LAB}/inventory")
    assert answer.status == 200
    assert answer.json["message"].startswith(f"The lab is {phase}, and nothing of it is there to look at")
    assert (answer.json["unreadable"], answer.json["endpoint"]["means"]) == ({}, "It answers no more.")
    ready.world.store.put(a_lab(phase="ready", facts=READY_FACTS))
    answer = ready.get(f"{LAB}/inventory").json
    assert (answer["message"], "support" in answer["unreadable"]) == (None, True)


def test_troubles_of_aws_are_told_without_insides(http: Http) -> None:
    http.world.fail("versions", AwsUnavailable("secret internals"))
    answer = http.post("/labs", {"name": "myeks"})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert "secret" not in answer.text
    http.world.fail("versions", AccessDenied("eks:DescribeClusterVersions", "AccessDenied", "role x may not"))
    assert http.post("/labs", {"name": "myeks"}).status == 502
    http.world.fail("versions", ZeroDivisionError("secret internals"))
    answer = http.post("/labs", {"name": "myeks"})
    assert (answer.status, answer.headers["Content-Type"]) == (500, "application/problem+json")
    assert "secret" not in answer.text


def test_what_was_answered_can_be_asked_for_again(http: Http) -> None:
    body = {
        "name": "myeks",
        "nodegroups": [{"name": "a", "labels": {"x.y/z": "1"}, "taints": [{"key": "k", "effect": "NO_SCHEDULE"}]}],
        "addons": [{"name": "aws-ebs-csi-driver"}],
        "workHost": {},
        "logTypes": ["audit"],
        "tags": {"Course": "k8s"},
    }
    first = http.post("/labs", body)
    assert first.status == 202, first.text
    spec = http.get(f"/labs/{first.json['id']}").json["spec"]
    http.delete(f"/labs/{first.json['id']}")
    again = http.post("/labs", {**spec, "name": "again"})
    assert again.status == 202, again.text
    assert http.get(f"/labs/{again.json['id']}").json["spec"] == {**spec, "name": "again"}
