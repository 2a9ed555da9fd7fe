"""The link in a warning, as people and mail scanners use it: no signature, GET changes nothing, the button keeps."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.plan import Trigger
from chalicelib.domain.curfew.signed_links import MOST_USES, sign_link
from chalicelib.domain.errors.tree import StaleLab, Throttled
from chalicelib.domain.labs.schedule import AtCurfew
from tests.api.curfew_world import CURFEW, LAB, NEXT, a_link, a_ready_lab, a_world, an_entry, hours
from tests.api.http import Answer, Http
from tests.examples import examples
from tests.fakes import NOW, OWNER, a_spec

NOBODY = ""
JSON = {"accept": "application/json"}


def get(http: Http, path: str, **options: Any) -> Answer:
    return http.get(path, caller=NOBODY, **options)


def press(http: Http, path: str, **options: Any) -> Answer:
    headers = {"content-type": "application/x-www-form-urlencoded", **options.pop("headers", {})}
    return http.post(path, "", caller=NOBODY, headers=headers, **options)


class Page(HTMLParser):
    """The visible text of a page, the resources that it would load, and the forms that it would send."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.forms: list[dict[str, str | None]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    @property
    def message(self) -> str:
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        self.open += [] if tag == "meta" else [tag]
        if tag == "form":
            self.forms.append(dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


def test_the_page_says_what_when_why_until_when_and_what_it_costs() -> None:
    http = a_world()
    answer = get(http, a_link(http))
    page = Page(answer.text)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    for words in (
        "Keep myeks for one night more?",
        "On Mon 23 Nov 22:00 (Asia/Seoul) the lab myeks in ap-northeast-2 is to end: everything of it is deleted.",
        "Idle since 15:40: no user pods scheduled in 5 h, CPU 3 % (baseline 3 %).",
        "The button keeps it until Tue 24 Nov 22:00 (Asia/Seoul) . That costs about $5.28, $0.22 an hour.",
    ):
        assert words in page.message
    assert page.forms == [{"method": "post"}]
    assert page.open == []


def test_looking_changes_nothing_however_often() -> None:
    http = a_world()
    before = http.world.store.labs[LAB]
    for _ in range(3):
        get(http, a_link(http))
    assert http.world.store.labs[LAB] == before
    assert http.world.store.events(LAB, 10, None).items == ()


def test_the_button_keeps_and_pressing_twice_is_pressing_once() -> None:
    http = a_world()
    link = a_link(http)
    first = press(http, link)
    kept = http.world.store.labs[LAB]
    assert first.status == 200
    assert (kept.kept_until, kept.lease_ends_at, kept.due_at) == (NEXT, NEXT, NOW)
    http.world.clock.advance(minutes=9)
    again = press(http, link)
    assert again.text == first.text
    assert http.world.store.labs[LAB] == kept
    assert [event.kind for event in http.world.store.events(LAB, 10, None).items] == ["kept"]
    assert "It is kept until Tue 24 Nov 22:00 (Asia/Seoul)" in Page(first.text).message


def test_once_kept_the_page_has_no_button() -> None:
    http = a_world()
    press(http, a_link(http))
    page = Page(get(http, a_link(http)).text)
    assert "myeks is kept" in page.message
    assert page.forms == []


def test_programs_get_json_and_nobodys_arn() -> None:
    http = a_world()
    answer = get(http, a_link(http), headers=JSON)
    assert answer.json == {
        "name": "myeks",
        "region": "ap-northeast-2",
        "act": "end",
        "effect": "everything of it is deleted",
        "trigger": "idle",
        "reason": an_entry().reason,
        "at": "2026-11-23T13:00:00Z",
        "atLocal": "Mon 23 Nov 22:00 (Asia/Seoul)",
        "kept": False,
        "until": "2026-11-24T13:00:00Z",
        "untilLocal": "Tue 24 Nov 22:00 (Asia/Seoul)",
        "leaseEnds": True,
        "clamped": False,
        "nextCurfewLocal": "Tue 24 Nov 22:00 (Asia/Seoul)",
        "cost": "$5.28, $0.22 an hour",
    }
    assert press(http, a_link(http), headers=JSON).json["kept"] is True
    for text in (answer.text, get(http, a_link(http)).text):
        assert OWNER not in text
        assert "111122223333" not in text


def test_where_the_allowance_ends_before_the_next_curfew_the_page_says_so() -> None:
    http = a_world(a_ready_lab(ends_by=CURFEW + hours(5)))
    link = a_link(http)
    assert "That is as far as its allowance reaches" in Page(get(http, link).text).message
    assert "Tue 24 Nov 03:00 (Asia/Seoul)" in Page(press(http, link).text).message
    assert http.world.store.labs[LAB].lease_ends_at == CURFEW + hours(5)


def test_a_price_that_is_not_known_is_not_told() -> None:
    entry = an_entry(hourly_usd=None)
    http = a_world(None, entry)
    assert "$" not in Page(get(http, a_link(http, entry)).text).message
    assert get(http, a_link(http, entry), headers=JSON).json["cost"] is None


def test_a_lab_that_would_hibernate_is_told_so() -> None:
    entry = an_entry(act=AtCurfew.HIBERNATE)
    http = a_world(None, entry)
    assert "is to go to sleep: its nodes are shut down" in Page(get(http, a_link(http, entry)).text).message


def with_lab(**changes: Any) -> Http:
    return a_world(a_ready_lab(**changes))


@pytest.mark.parametrize(
    ("http", "status", "message"),
    [
        (with_lab(phase="releasing"), 409, "It is too late: myeks is being deleted."),
        (with_lab(phase="blocked"), 409, "It is too late: myeks is being deleted."),
        (with_lab(phase="deleted", ended_at=NOW), 409, "It is too late: myeks is gone."),
        (with_lab(ends_by=CURFEW, lease_ends_at=CURFEW), 409, "has been kept as long as it may be"),
    ],
)
def test_what_can_not_be_kept_is_told_with_the_reason(http: Http, status: int, message: str) -> None:
    before = http.world.store.labs[LAB]
    for answer in (get(http, a_link(http)), press(http, a_link(http))):
        assert answer.status == status
        assert answer.headers["Content-Type"].startswith("text/html")
        assert message in Page(answer.text).message
        assert Page(answer.text).forms == []
    assert http.world.store.labs[LAB] == before


def test_an_expired_link_is_gone_and_says_since_when() -> None:
    http = a_world()
    link = a_link(http)
    http.world.clock.advance(hours=27)
    for answer in (get(http, link), press(http, link)):
        assert answer.status == 410
        assert "This link was good until 2026-11-24 13:00 UTC." in Page(answer.text).message
    assert http.world.store.labs[LAB].kept_until is None


def test_a_link_signed_with_the_key_before_still_keeps_and_one_before_that_does_not() -> None:
    http = a_world()
    link = a_link(http)
    http.world.curfew.keys.rotate("two", b"2" * 32)
    assert get(http, link).status == 200
    http.world.curfew.keys.rotate("three", b"3" * 32)
    assert get(http, link).status == 404


def test_a_link_to_an_entry_that_there_is_not_is_no_link() -> None:
    http = a_world()
    nowhere = a_link(http, an_entry(at=CURFEW + hours(1)))
    assert get(http, nowhere).status == press(http, nowhere).status == 404


def test_a_link_never_keeps_another_lab_than_its_entrys() -> None:
    http = a_world(None, an_entry(lab_id="lab-other"))
    entry = an_entry(lab_id="lab-other")
    key = http.world.deps.curfew.signing_key()
    crossed = sign_link(LAB, entry.night, entry.id, NEXT, key)
    assert press(http, f"/keep/{crossed}").status == 404
    assert http.world.store.labs[LAB].kept_until is None


def test_a_sweep_that_was_faster_wins_and_the_page_says_that_it_is_too_late() -> None:
    http = a_world()
    http.world.fail("store.change_lab", StaleLab("busy"))
    busy = press(http, a_link(http))
    assert busy.status == 409
    assert "try again" in Page(busy.text).message
    http.world.store.put(a_ready_lab(phase="releasing"))
    assert "It is too late" in Page(press(http, a_link(http)).text).message


def test_a_lease_that_ends_is_kept_from_ending() -> None:
    entry = an_entry(
        at=CURFEW + hours(1), trigger=Trigger.LEASE, reason="Its lease ends on Mon 23 Nov 23:00 (Asia/Seoul)."
    )
    http = a_world(None, entry)
    assert press(http, a_link(http, entry)).status == 200
    assert http.world.store.labs[LAB].lease_ends_at == NEXT


def test_when_the_store_does_not_answer_the_page_says_try_again() -> None:
    http = a_world()
    http.world.fail("curfew_store.line", Throttled("slow"))
    answer = get(http, a_link(http))
    assert answer.status == 503
    assert "try again" in Page(answer.text).message
    assert answer.headers["Retry-After"]


def test_an_accident_is_a_page_without_its_insides() -> None:
    http = a_world()
    http.world.fail("curfew_store.line", RuntimeError("secret insides"))
    answer = get(http, a_link(http))
    assert answer.status == 500
    assert "secret" not in answer.text
    assert Page(answer.text).message.count("Something went wrong here") == 2


HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex, nofollow",
}


@pytest.mark.parametrize("headers", [{}, JSON])
def test_every_answer_is_kept_by_nobody_framed_by_nobody_and_loads_nothing(headers: dict[str, str]) -> None:
    http = a_world()
    link = a_link(http)
    for answer in (get(http, link, headers=headers), press(http, link, headers=headers), get(http, "/keep/no")):
        assert HEADERS.items() <= dict(answer.headers).items()
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "form-action 'self'" in policy
        assert "script" not in policy


def test_no_page_runs_or_loads_anything() -> None:
    http = a_world()
    pages = [Page(get(http, a_link(http)).text), Page(press(http, a_link(http)).text), Page(get(http, "/keep/no").text)]
    for page in pages:
        assert not {"script", "link", "img", "iframe", "object", "base"} & set(page.tags)
        assert not {"src", "href", "action"} & {name for name, _ in page.attributes}


EVIL = "<script>alert('x')</script>\"'&<b>"


def test_what_others_wrote_is_text_on_the_page_and_nothing_else() -> None:
    entry = an_entry(reason=EVIL, name=EVIL, region=EVIL)
    http = a_world(a_ready_lab(spec=replace(a_spec(name=EVIL), schedule=a_ready_lab().spec.schedule)), entry)
    for answer in (get(http, a_link(http, entry)), press(http, a_link(http, entry))):
        page = Page(answer.text)
        assert "<script" not in answer.text
        assert "script" not in page.tags
        assert "b" not in page.tags
        assert EVIL in page.message


@settings(deadline=None, max_examples=examples(150))
@given(st.text(max_size=320))
def test_any_token_is_refused_with_the_same_page_and_reads_nothing(token: str) -> None:
    http = a_world()
    calls = list(http.world.account.calls)
    path = "/keep/" + (quote(token, safe="") or "-")
    assert {get(http, path).text, press(http, path).text} == {get(http, "/keep/no").text}
    assert http.world.account.calls == calls


def test_a_link_can_be_used_for_as_long_as_it_is_good_and_not_a_second_longer() -> None:
    http = a_world()
    link = a_link(http, expires_at=NOW + timedelta(minutes=1))
    http.world.clock.advance(seconds=59)
    assert get(http, link).status == 200
    http.world.clock.advance(seconds=1)
    assert get(http, link).status == 410


@pytest.mark.parametrize(
    ("lease", "then"),
    [
        (20.0, "Before that time, when its lease ends, you are asked again."),
        (72.0, "Before that time you are asked again, if it is still idle."),
    ],
)
def test_row_17_who_keeps_a_lab_reads_what_comes_next_of_what_will_end_it(lease: float, then: str) -> None:
    """Issue 12, row 17: "asked again, if it is still idle" was said of a lab whose lease ends."""
    http = a_world(a_ready_lab(lease_ends_at=NOW + hours(lease), ends_by=NOW + hours(lease)))
    path = a_link(http)
    assert press(http, path).status == 200
    assert then in Page(get(http, path).text).message


@pytest.mark.parametrize(
    "how", ["cut", "longer", "another signature", "another key", "another claim", "no form", "not ascii"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_link_that_is_not_ours_is_refused_before_anything_is_asked_of_aws(how: str, method: str) -> None:
    """Issue 11, row 10."""
    http = a_world(a_ready_lab(), an_entry())
    path = a_link(http, an_entry())
    head, _, signature = path.rpartition(".")
    forged = {
        "cut": path[:-1],
        "longer": f"{path}A",
        "another signature": f"{head}.{signature[::-1]}",
        "another key": f"{head[:-6]}AAAAAA.{signature}",
        "another claim": a_link(http, replace(an_entry(), lab_id="lab-other")).rpartition(".")[0] + f".{signature}",
        "no form": path.replace("k1.", "k2."),
        "not ascii": f"{head}.é{signature[1:]}",
    }[how]
    http.world.account.calls.clear()
    assert http.call(method, forged, caller=NOBODY).status == 404
    assert http.world.account.calls == []


def test_a_good_link_counts_for_itself_and_keeps_nobody_elses_away() -> None:
    """Issue 11, row 10: with one bucket for everyone one flood blocked everyone's link."""
    http = a_world(a_ready_lab(), an_entry())
    path = a_link(http, an_entry())
    answers = [get(http, path, headers=JSON).status for _ in range(MOST_USES + 5)]
    assert answers == [200] * MOST_USES + [429] * 5
    http.world.account.calls.clear()
    busy = press(http, path, headers=JSON)
    assert (busy.status, busy.json["type"], busy.headers["Retry-After"]) == (429, "urn:ekslab:problem:link-busy", "5")
    assert http.world.account.calls == []

    other = a_link(http, an_entry(), NEXT - timedelta(minutes=1))
    assert get(http, other, headers=JSON).status == 200
    http.world.clock.advance(minutes=2)
    assert get(http, path, headers=JSON).status == 200


def test_the_page_speaks_the_language_that_the_browser_asks_for() -> None:
    http = a_world()
    korean = {"accept-language": "ko-KR,ko;q=0.9,en;q=0.8"}
    asking = get(http, a_link(http), headers=korean)
    assert '<html lang="ko">' in asking.text
    assert "myeks 랩을 하룻밤 더 유지할까요?" in Page(asking.text).message
    assert (
        "11월 24일(화) 오후 10:00 KST 까지 유지됩니다." in Page(press(http, a_link(http), headers=korean).text).message
    )
    assert "이 서비스의 링크가 아닙니다." in Page(get(http, "/keep/nonsense", headers=korean).text).message
    assert '<html lang="en">' in get(http, a_link(http), headers={"accept-language": "fr"}).text


def test_the_page_says_the_reason_in_the_language_that_the_browser_asks_for() -> None:
    """It was English on a Korean page: a string method had turned it into a plain string."""
    entry = an_entry(reason=Sentence("idle since {at}: {reasons}", at="18:40", reasons="x"))
    http = a_world(None, entry)
    asking = get(http, a_link(http, entry), headers={"accept-language": "ko"})
    assert "18:40부터 유휴 상태" in Page(asking.text).message
    assert "idle since" not in asking.text
