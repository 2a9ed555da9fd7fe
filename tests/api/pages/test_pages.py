"""The contents of pages and the effects of their forms, requested as by a browser, on the fakes."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode, urljoin, urlsplit

import pytest

from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry, Resource
from chalicelib.domain.costs import meter_of
from chalicelib.domain.identity.callers import Team
from chalicelib.domain.identity.people import People
from chalicelib.domain.labs.lab import ClusterFacts, Phase, Planned
from chalicelib.domain.labs.spec import WorkHostSpec
from chalicelib.domain.labs.steps import Step, StepStatus
from chalicelib.domain.teardown.receipt import Receipt, ReceiptLine, ReceiptOutcome
from tests.api.curfew_world import CURFEW, LAB, NEXT, NIGHT, a_ready_lab, a_world, an_entry
from tests.api.http import ADMIN, Http
from tests.api.pages.browser import Browser, read
from tests.fakes import NOW, OWNER, a_lab, a_spec
from tests.fakes.builders import ACCOUNT
from tests.fakes.fleet_builders import a_fleet_cluster, a_watched
from tests.words.reading import english_left, unresolved

FACTS = ClusterFacts(endpoint="https://0123.gr7.ap-northeast-2.eks.amazonaws.com", certificate_authority="LS0t")
PAGES = (
    *("/ui/labs", f"/ui/labs/{LAB}", "/ui/ask", "/ui/clusters", "/ui/tonight", "/ui/administration"),
    *("/ui/administration/accounts", "/ui/api", "/ui/no-such-page"),
)


def world() -> Http:
    """A ready lab on tonight's plan, with a history, and a watched cluster."""
    entry = an_entry()
    lab = a_ready_lab(facts=FACTS, planned=Planned(NIGHT, entry.id, CURFEW))
    http = a_world(lab, entry)
    prices = http.world.deps.curfew.prices(lab.region)
    http.world.store.put(lab.metered_since(meter_of(lab.spec, prices, None, "UTC"), lab.created_at))
    http.world.store.record_step(LAB, Step("provision", "verify", "Verification", StepStatus.DONE, NOW, NOW))
    http.world.watch.store.put(a_watched("orders", cluster=a_fleet_cluster("orders"), owner="learner@example.com"))
    return http


def owner(http: Http | None = None) -> Browser:
    return Browser.of(http or world(), OWNER)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("arn", [OWNER, ADMIN], ids=["owner", "administrator"])
def test_a_page_is_whole_and_asks_the_table_three_times_at_most(path: str, arn: str) -> None:
    browser = Browser.of(world(), arn)
    account = browser.http.world.account
    account.calls.clear()
    answer = browser.get(path)
    stores = ("store", "curfew_store", "fleet_store")
    asked = [name for name, _ in account.calls if name in questions(browser.http, stores)]
    assert answer.status == (404 if path.endswith("no-such-page") else 200), answer.text
    assert len(asked) <= 3, asked
    assert answer.text.rstrip().endswith("</html>")


def questions(http: Http, ports: tuple[str, ...]) -> set[str]:
    stores = (http.world.store, http.world.curfew.store, http.world.watch.store)
    assert all(getattr(store, "port_name", "") for store in stores), ports
    return {name for store in stores for name in dir(type(store)) if not name.startswith("_")}


@pytest.mark.parametrize("path", PAGES)
def test_every_link_of_a_page_leads_somewhere(path: str) -> None:
    browser = owner()
    for link in read(browser.get(path).text).links:
        parts = urlsplit(urljoin(path, link))
        if link.startswith("#"):
            continue
        there = parts.path + (f"?{parts.query}" if parts.query else "")
        expected = 200
        assert browser.get(there).status == expected, (path, link)


def test_the_first_load_is_four_requests_and_sixty_kilobytes_at_most() -> None:
    browser = owner()
    page = browser.get("/ui/labs")
    tags = read(page.text).tags
    loaded = [str(given.get("href")) for tag, given in tags if tag == "link"]
    loaded += [str(given.get("src")) for tag, given in tags if tag in ("script", "img")]
    assert len(loaded) + 1 <= 4
    files = [browser.get(urljoin("/ui/labs", each)) for each in loaded]
    assert [file.status for file in files] == [200] * len(files)
    assert all("immutable" in file.headers["Cache-Control"] for file in files)
    assert len(page.text.encode()) + sum(len(file.text.encode()) for file in files) <= 60_000


def test_the_script_is_short_and_pages_carry_none_and_no_style() -> None:
    browser = owner()
    assert browser.get("/ui/static/page.js").text.count("\n") < 100
    for path in PAGES:
        for tag, given in read(browser.get(path).text).tags:
            assert tag != "style", path
            assert not [name for name in given if name == "style" or name.startswith("on")], (path, tag)
            assert tag != "script" or given.get("src"), path
            assert not str(given.get("href", "")).startswith(("http:", "https:", "//", "javascript:")), (path, tag)


def test_without_a_session_there_is_the_way_in_and_nothing_else() -> None:
    browser = Browser(world())
    for path in ("/", "/ui/labs", f"/ui/labs/{LAB}", "/ui/anything/at/all"):
        answer = browser.get(path)
        assert answer.status == 401
        assert "ekslab dashboard" in answer.text
        assert "myeks" not in answer.text


def test_the_root_shows_the_labs_and_without_its_slash_leads_to_it() -> None:
    browser = owner()
    assert "myeks" in browser.get("/").text
    answer = browser.get("/ui")
    assert (answer.status, answer.headers["Location"]) == (303, "ui/")


def test_the_list_says_how_a_lab_stands_what_tonight_brings_and_what_it_costs() -> None:
    text = owner().get("/ui/labs").text
    for words in ("myeks", "ready", "4 h 0 min", "idle since 15:40", "an hour", "so far", "Keep this night"):
        assert words in text


def test_progress_stands_against_the_usual_time() -> None:
    http = world()
    http.world.store.put(a_lab(phase="provisioning", phase_since=NOW - timedelta(minutes=40)))
    text = owner(http).get("/ui/labs").text
    assert "40 of usually 18 min, longer than usual" in text
    assert "data-refresh" in text


def test_a_learner_sees_their_own_labs_a_team_its_own_and_an_administrator_all() -> None:
    http = world()
    mate, stranger = OWNER.replace("learner", "mate"), OWNER.replace("learner", "stranger")
    http.people = People(ACCOUNT, (ADMIN,), (), (Team("shop", (OWNER, mate)),))
    http.world.store.put(a_lab(id="lab-mate", owner=mate), a_lab(id="lab-other", owner=stranger))
    shown = {arn: Browser.of(http, arn).get("/ui/labs?whose=team").text for arn in (OWNER, stranger)}
    assert ("lab-mate" in shown[OWNER], "lab-other" in shown[OWNER]) == (True, False)
    assert ("lab-mate" in shown[stranger], "lab-other" in shown[stranger]) == (False, True)
    everyone = Browser.of(http, ADMIN).get("/ui/labs?whose=all").text
    assert "lab-mate" in everyone
    assert "lab-other" in everyone
    assert Browser.of(http, OWNER).get("/ui/labs/lab-other").status == 404


def test_a_lab_is_extended_kept_put_to_sleep_and_ended_by_forms() -> None:
    browser = owner()
    store = browser.http.world.store
    before = store.labs[LAB].lease_ends_at
    answer = browser.send(f"/ui/labs/{LAB}/extend", hours="4")
    assert "The lease was extended." in browser.follow(answer, f"/ui/labs/{LAB}/extend").text
    assert store.labs[LAB].lease_ends_at == before + timedelta(hours=4)
    browser.send(f"/ui/labs/{LAB}/keep")
    assert store.labs[LAB].kept_until == NEXT
    browser.send(f"/ui/labs/{LAB}/sleep")
    assert store.labs[LAB].phase is Phase.HIBERNATING
    assert browser.send(f"/ui/labs/{LAB}/end").status == 400
    assert store.labs[LAB].phase is Phase.HIBERNATING
    browser.send(f"/ui/labs/{LAB}/end", sure="yes")
    assert store.labs[LAB].phase is Phase.RELEASING


def test_a_hibernated_lab_is_woken() -> None:
    http = a_world(a_ready_lab(phase="hibernated"))
    owner(http).send(f"/ui/labs/{LAB}/wake")
    assert http.world.store.labs[LAB].phase is Phase.WAKING


@pytest.mark.parametrize("hours", ["", "0", "-4", "x", "9999999", "４", "1e3"])
def test_hours_that_are_none_are_refused_beside_what_they_may_be(hours: str) -> None:
    browser = owner()
    answer = browser.send(f"/ui/labs/{LAB}/extend", hours=hours)
    assert answer.status == 400
    [field] = [given for tag, given in read(answer.text).tags if tag == "input" and given.get("name") == "hours"]
    assert (field["value"], field["aria-invalid"]) == (hours, "true")
    found = answer.text.split(f'id="{field["aria-describedby"]}"')[1].split("</div>")[0]
    assert "a whole number from 1 to 8760" in found
    assert "myeks" in answer.text


def test_an_end_that_is_not_sure_opens_its_fold_and_says_what_is_missing() -> None:
    answer = owner().send(f"/ui/labs/{LAB}/end")
    assert answer.status == 400
    fold = answer.text.split("<details open>")[1].split("</details>")[0]
    assert "Tick the box" in fold


@pytest.mark.parametrize(
    ("phase", "act", "status"), [("provisioning", "sleep", 409), ("deleted", "extend", 409), ("failed", "wake", 409)]
)
def test_what_can_not_be_done_is_said_on_the_lab_s_own_page(phase: str, act: str, status: int) -> None:
    http = a_world(a_ready_lab(phase=phase))
    answer = owner(http).send(f"/ui/labs/{LAB}/{act}", hours="1")
    assert answer.status == status, answer.text
    assert "finding error" in answer.text.split('role="alert"')[1].split("</div>")[0]
    assert "<h1>myeks" in answer.text


def test_asking_shows_the_price_first_and_makes_the_lab_once() -> None:
    browser = owner(Http())
    store = browser.http.world.store
    key = "0" * 32
    priced = browser.send("/ui/ask", name="mine", leaseHours="4", key=key, then="price")
    assert priced.status == 200
    assert "an hour" in priced.text
    assert store.labs == {}
    first = browser.send("/ui/ask", name="mine", leaseHours="4", key=key, then="ask")
    again = browser.send("/ui/ask", name="mine", leaseHours="4", key=key, then="ask")
    assert first.headers["Location"] == again.headers["Location"]
    [lab] = store.labs.values()
    assert (lab.name, lab.spec.lease_hours, lab.owner) == ("mine", 4, OWNER)
    assert lab.id in browser.follow(first, "/ui/ask").text


def test_every_field_of_the_form_is_one_that_the_api_takes() -> None:
    fields = {
        "name": "mine", "leaseHours": "5", "nodegroups[0].desired": "1", "nodegroups[0].instanceTypes": "t3.medium",
        "nodegroups[0].min": "1", "nodegroups[0].max": "2", "nodegroups[0].placement": "public", "region": "ap-northeast-2",
        "account": ACCOUNT, "version": "1.36", "supportPolicy": "STANDARD", "network.cidr": "10.0.0.0/16", "network.nat": "none",
        "endpoint.access": "public", "endpoint.allowedCidrs": "15.230.39.0/24", "workHost": "yes",
        "schedule.timeZone": "Asia/Seoul", "schedule.curfew": "21:00",
        "schedule.atCurfew": "hibernate", "schedule.wake": "09:00", "volumes": "delete",
    }  # fmt: skip
    browser = owner(Http())
    answer = browser.send("/ui/ask", key="1" * 32, then="ask", **fields)
    assert answer.status == 303, answer.text
    [lab] = browser.http.world.store.labs.values()
    group = lab.spec.nodegroups[0]
    assert (group.desired, group.max, lab.spec.schedule.time_zone, lab.spec.lease_hours) == (1, 2, "Asia/Seoul", 5)
    assert lab.spec.work_host is not None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "no good"),
        ("leaseHours", "many"),
        ("network.cidr", "x"),
        ("endpoint.allowedCidrs", "x y"),
        ("version", "0.1"),
    ],
)
def test_findings_stand_beside_their_fields(field: str, value: str) -> None:
    browser = owner(Http())
    answer = browser.send("/ui/ask", key="0" * 32, then="price", **{"name": "mine", field: value})
    assert answer.status == 400
    assert "finding error" in answer.text.split(f'data-finding="{field}"')[1].split("</div>")[0]
    assert value in answer.text
    assert ("<details open>" in answer.text) == (field not in ("name", "leaseHours"))


def test_an_eksctl_file_stands_for_the_form() -> None:
    browser = owner(Http())
    file = (
        "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata:\n  name: from-file\n  region: ap-northeast-2\n"
    )
    browser.send("/ui/ask", name="", file=file, key="0" * 32, then="ask")
    assert [lab.name for lab in browser.http.world.store.labs.values()] == ["from-file"]


def test_the_kubeconfig_is_saved_as_a_file() -> None:
    answer = owner().get(f"/ui/labs/{LAB}/kubeconfig")
    assert answer.status == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    assert "gr7.ap-northeast-2" in answer.text


def test_the_way_onto_the_work_host_names_its_instance() -> None:
    http = a_world(a_ready_lab(spec=a_spec(work_host=WorkHostSpec())))
    arn = f"arn:aws:ec2:ap-northeast-2:{ACCOUNT}:instance/i-0123"
    made = Resource(Kind.INSTANCE, "i-0123", arn)
    assert "once it was launched" in owner(http).get(f"/ui/labs/{LAB}").text
    http.world.store.record(LAB, LedgerEntry(made, EntryState.PRESENT, "asked for by provision", NOW, NOW))
    assert "start-session --region ap-northeast-2 --target i-0123" in owner(http).get(f"/ui/labs/{LAB}").text


def test_the_network_is_drawn_with_its_subnets_and_who_may_reach_whom() -> None:
    text = owner().get(f"/ui/labs/{LAB}").text
    for words in ("192.168.0.0/18", "192.168.192.0/18", "public subnet", "private subnet", "ap-northeast-2c"):
        assert words in text
    assert "15.230.39.7/32" in text.split("Who may reach whom")[1]


def test_the_receipt_is_read_on_the_page() -> None:
    http = a_world(a_ready_lab(phase="deleted", ended_at=NOW))
    line = ReceiptLine("arn:aws:ec2:x:1:volume/vol-1", "volume", ReceiptOutcome.DELETED, "", "ledger")
    http.world.store.put_receipt(LAB, Receipt("now", NOW, (line,), ("tags",)))
    text = owner(http).get(f"/ui/labs/{LAB}").text
    assert "Nothing of the lab&#39;s is left." in text
    assert "volume/vol-1" in text


def test_clusters_are_filtered_drawn_and_sent_as_a_file() -> None:
    browser = owner()
    page = browser.get("/ui/clusters").text
    assert "orders" in page
    assert "<svg" in page
    assert "orders" not in browser.get("/ui/clusters?owner=nobody").text
    sent = browser.get("/ui/clusters.csv")
    assert sent.headers["Content-Type"].startswith("text/csv")
    assert "orders" in sent.text


def test_tonight_says_what_ends_and_why_and_hides_what_is_others() -> None:
    assert "idle since 15:40" in owner().get("/ui/tonight").text
    other = Browser.of(world(), ADMIN.replace("teacher", "stranger")).get("/ui/tonight").text
    assert "myeks" not in other
    assert "1 more lab is on it that is not yours to see" in other


def test_pages_of_a_plan_say_nothing_of_what_they_have_not_read() -> None:
    owners = ["other" if number in (50, 120, 121) else OWNER for number in range(160)]
    entries = [an_entry(lab_id=f"lab-{number:03}", owner=owner) for number, owner in enumerate(owners)]
    browser = Browser.of(a_world(None, *entries), OWNER)
    first = browser.get("/ui/tonight")
    [onward] = [link for link in read(first.text).links if "after=" in link]
    for text in (first.text, browser.get(urljoin("/ui/tonight", onward)).text):
        assert "not yours to see" not in text


def test_rules_are_changed_by_administrators_alone() -> None:
    http = world()
    assert owner(http).send("/ui/administration", mode="off").status == 403
    assert http.world.curfew.store.kept_rules is None
    admin = Browser.of(http, ADMIN)
    assert admin.send("/ui/administration", mode="off", leadHours="5").status == 303
    kept = http.world.curfew.store.kept_rules
    assert kept is not None
    assert (str(kept.mode), kept.lead_hours) == ("off", 5)


@pytest.mark.parametrize("given", ["99", "-1", "x", "1.5", "４"])
def test_a_rule_that_is_none_is_refused_beside_its_field_and_nothing_is_changed(given: str) -> None:
    admin = Browser.of(world(), ADMIN)
    answer = admin.send("/ui/administration", mode="off", leadHours=given, maxPercent="40")
    assert (answer.status, admin.http.world.curfew.store.kept_rules) == (400, None)
    fields = {given.get("name"): given for tag, given in read(answer.text).tags if tag == "input"}
    assert (fields["leadHours"]["value"], fields["maxPercent"]["value"]) == (given, "40")
    assert (fields["leadHours"]["aria-invalid"], fields["maxPercent"].get("aria-invalid")) == ("true", None)
    assert "finding error" in answer.text.split('id="leadHours-found"')[1].split("</div>")[0]
    assert 'value="off" selected' in answer.text


@pytest.mark.parametrize("given", ["x", "-1", "1.5", "99999", "４"])
def test_days_that_are_none_are_said_and_do_not_filter(given: str) -> None:
    text = owner().get(f"/ui/clusters?{urlencode({'days': given})}").text
    assert 'role="alert"' in text
    assert "orders" in text
    assert 'role="alert"' not in owner().get("/ui/clusters?days=30").text


def test_who_is_who_is_for_administrators_to_see() -> None:
    http = world()
    assert ADMIN in Browser.of(http, ADMIN).get("/ui/administration/accounts").text
    assert ADMIN not in owner(http).get("/ui/administration/accounts").text


def test_openapi_is_served() -> None:
    answer = Browser(world()).get("/openapi.json")
    assert (answer.status, answer.json["openapi"]) == (200, "3.1.0")
    assert "POST /labs" in owner().get("/ui/api").text


def test_an_error_of_aws_and_one_of_ours_are_pages_without_their_insides() -> None:
    browser = owner()
    browser.http.world.fail("store.whole_lab", RuntimeError("secret inside"))
    answer = browser.get(f"/ui/labs/{LAB}")
    assert answer.status == 500
    assert "secret" not in answer.text
    assert "text/html" in answer.headers["Content-Type"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("arn", [OWNER, ADMIN], ids=["owner", "administrator"])
def test_every_page_speaks_korean_to_a_browser_that_asks_for_it(path: str, arn: str) -> None:
    browser = Browser.of(world(), arn)
    browser.language = "ko-KR,ko;q=0.9,en;q=0.8"
    text = browser.get(path).text
    assert '<html lang="ko">' in text
    assert unresolved(text) == []
    shown = re.sub(r"<(option|code|textarea)\b.*?</\1>", "", text, flags=re.DOTALL)
    assert english_left(shown, frozenset({"myeks", LAB})) == []


def test_a_language_that_was_chosen_is_the_pages_whatever_the_browser_asks_for() -> None:
    """Set on the page or by the API, by this session or another one; it needs no further query of the table."""
    http = world()
    mine, elsewhere, other = Browser.of(http, OWNER), Browser.of(http, OWNER), Browser.of(http, ADMIN)
    for browser in (mine, elsewhere, other):
        browser.language = "en"
    shown = mine.follow(mine.send("/ui/language", language="ko", to="tonight"), "/ui/language")
    assert '<html lang="ko">' in shown.text
    assert "<h1>" in shown.text
    assert '<html lang="ko">' in elsewhere.get("/ui/labs").text
    assert '<html lang="ko">' in Browser.of(http, OWNER).get("/ui/labs").text
    assert '<html lang="en">' in other.get("/ui/labs").text
    http.put("/me", {"language": "en"}, caller=OWNER)
    mine.language = elsewhere.language = "ko"
    http.world.account.calls.clear()
    assert '<html lang="en">' in mine.get("/ui/nothing").text
    assert [name for name, _ in http.world.account.calls] == ["session"]
    assert '<html lang="en">' in elsewhere.get("/ui/labs").text


@pytest.mark.parametrize("given", ["", "fr", "ko<script>"])
def test_a_language_that_is_none_is_refused_and_a_foreign_place_is_not_gone_to(given: str) -> None:
    browser = owner()
    assert browser.send("/ui/language", language=given).status == 400
    led = browser.send("/ui/language", language="ko", to="//evil.example")
    assert led.headers["Location"] == "labs"


def test_who_said_no_language_is_shown_the_browsers() -> None:
    http = world()
    http.put("/me", {"timeZone": "Asia/Seoul"}, caller=OWNER)
    browser = Browser.of(http, OWNER)
    browser.language = "ko"
    assert '<html lang="ko">' in browser.get("/ui/labs").text
    assert http.get("/me", caller=OWNER).json["language"] == "en"


def test_a_browser_that_asks_for_another_language_gets_english() -> None:
    browser = owner()
    browser.language = "fr"
    assert '<html lang="en">' in browser.get("/ui/labs").text
