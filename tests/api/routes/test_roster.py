"""`POST /people` and `GET /people`: a roster in spreadsheets' formats, all of it or nothing; and the export that can be
imported.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from chalicelib.domain.errors.tree import AwsUnavailable
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.identity.confirmation import LASTS, MOST_MAILS
from chalicelib.domain.identity.invitation import KIND
from chalicelib.domain.identity.person import Language, Person, identity_key
from chalicelib.domain.identity.user_pools import PoolUser
from chalicelib.services.login import open_session
from chalicelib.workflows.schedules import recover_labs
from tests.api.http import ADMIN, STRANGER, Answer, Http
from tests.api.routes.test_me import ADDRESS, KIM, USER, an_http, ask, confirmed, link, mails, me, press
from tests.fakes.builders import ACCOUNT, NOW

HEAD = "iamUser,identityCenter,address,language,timeZone"
ROWS = f"{HEAD}\nkim,,kim@example.com,ko,Asia/Seoul\n,lee@corp.example,lee@example.com,,\n"


def send(http: Http, text: str | bytes, kind: str = "text/csv", caller: str = ADMIN) -> Answer:
    """From API Gateway: bytes of application/octet-stream in base64."""
    if isinstance(text, str):
        return http.call("POST", "/people", body=text, caller=caller, headers={"content-type": kind})
    headers = {"content-type": "application/octet-stream"}
    return http.call("POST", "/people", body=text, caller=caller, headers=headers)


def counted(answer: Answer) -> tuple[int, ...]:
    assert answer.status == 200, answer.text
    return tuple(answer.json[name] for name in ("added", "changed", "same", "invited"))


def people(http: Http) -> dict[str, Any]:
    return {one["asked"] or one["address"]: one for one in http.get("/people", caller=ADMIN).json["people"]}


def test_a_roster_is_kept_and_each_person_confirms_by_a_mail() -> None:
    http = an_http()
    assert counted(send(http, ROWS)) == (2, 0, 0, 2)
    assert mails(http) == []
    assert people(http)[ADDRESS]["address"] is None
    recover_labs(http.world.deps)
    assert sorted(message.recipient for message in mails(http)) == ["kim@example.com", "lee@example.com"]
    for message in mails(http):
        found = re.search(r"/api(/confirm/\S+)", message.body)
        assert found
        assert press(http, found[1]).status == 200
    kim = http.world.deps.people.people_of(["kim@example.com"]).get("kim@example.com")
    assert kim is not None
    assert (kim.identities, kim.language, kim.zone) == ((USER,), Language.KO, "Asia/Seoul")
    recover_labs(http.world.deps)
    assert len(mails(http)) == 2


def test_the_same_roster_again_changes_nothing_and_mails_nobody() -> None:
    http = an_http()
    send(http, ROWS)
    recover_labs(http.world.deps)
    assert counted(send(http, ROWS)) == (0, 0, 2, 0)
    recover_labs(http.world.deps)
    assert len(mails(http)) == 2


def test_of_a_thousand_rows_with_one_bad_one_nothing_is_kept() -> None:
    http = an_http()
    rows = [f"user{n},,user{n}@example.com,," for n in range(1000)]
    rows[499] = "user499,,nowhere,xx,"
    answer = send(http, "\n".join([HEAD, *rows]))
    assert [one["path"] for one in answer.json["findings"]] == ["row 501, address", "row 501, language"]
    assert http.world.people.people == {}


def test_every_rows_fault_is_in_one_answer() -> None:
    rows = "\n".join(f"user{n},,nowhere,," for n in range(1000))
    answer = send(an_http(), f"{HEAD}\n{rows}")
    assert [one["path"] for one in answer.json["findings"]] == [f"row {n}, address" for n in range(2, 1002)]


def test_a_thousand_people_are_kept_by_few_calls() -> None:
    http = an_http()
    rows = "\n".join(f"user{n},,user{n}@example.com,," for n in range(1000))
    before = len(http.world.account.calls)
    assert counted(send(http, f"{HEAD}\n{rows}")) == (1000, 0, 0, 1000)
    assert len(http.world.account.calls) - before <= 60


KOREAN = f"{HEAD}\r\nkim,,김@example.com,ko,\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        ROWS.encode("utf-8-sig"),
        ROWS.encode("cp949"),
        ROWS.replace(",", ";").encode(),
        ROWS.replace(",", "\t").encode(),
        ROWS.replace("\n", "\r\n").encode(),
        ROWS.replace("\n", "\r").encode(),
        ROWS.replace("\n", "\r").replace(",", ";").encode(),
        f"\n\n{ROWS}\n\n,,,,\n".encode().lstrip(),
        ROWS.replace("iamUser", "IAM user").replace("timeZone", "Time-Zone").encode(),
    ],
    ids=[
        "byte-order mark",
        "CP949",
        "semicolons",
        "tabs",
        "CRLF",
        "CR",
        "CR and semicolons",
        "empty rows",
        "names of columns",
    ],
)
def test_a_roster_is_read_as_spreadsheets_save_it(raw: bytes) -> None:
    assert counted(send(an_http(), raw)) == (2, 0, 0, 2)


def test_a_fault_of_a_cp949_roster_is_told_in_its_own_letters() -> None:
    from chalicelib.api.inputs.roster_body import read_roster

    rows = read_roster(KOREAN.encode("cp949"), "application/octet-stream")
    assert rows[0][1]["address"] == "김@example.com"


@pytest.mark.parametrize(
    ("text", "path", "code"),
    [
        ("", "", "body-empty"),
        (f"{HEAD}\n", "", "body-empty"),
        ("user,mail\nkim,kim@example.com\n", "row 1, column 1", "unknown-column"),
        (f"{HEAD},address\nkim,,kim@example.com,,,\n", "row 1, column 6", "duplicate"),
        (f"{HEAD}\nkim,,kim@example.com,,,,extra\n", "row 2", "too-many-cells"),
        (f'{HEAD}\n"kim,,kim@example.com', "", "malformed-csv"),
        ("\ufffd\ufffd\n", "", "not-utf-8"),
        (f"{HEAD}\nkim,,k@example.com,,\nKIM,,l@example.com,,\n", "row 3, identity", "duplicate"),
        (f'{HEAD}\nkim,,"k@example.com\nBcc: x@example.com",,\n', "row 2, address", "unseen-character"),
    ],
)
def test_what_is_no_roster_is_told_by_row_and_column(text: str, path: str, code: str) -> None:
    http = an_http()
    answer = send(http, text)
    assert answer.status == 400
    assert (answer.json["findings"][0]["path"], answer.json["findings"][0]["code"]) == (path, code)
    assert http.world.people.people == {}


@pytest.mark.parametrize("cell", ['"kim', '"kim"x', f'"{"k" * 140_000}"'])
def test_a_malformed_row_is_told_in_the_readers_language_by_its_number(cell: str) -> None:
    text = f"{HEAD}\nlee,,lee@example.com,,\n{cell},,kim@example.com,,\n"
    headers = {"content-type": "text/csv", "accept-language": "ko"}
    (finding,) = an_http().call("POST", "/people", body=text, caller=ADMIN, headers=headers).json["findings"]
    assert (finding["code"], "3" in finding["message"]) == ("malformed-csv", True)
    assert re.findall(r"[a-z]{3,}", finding["message"]) == []


def test_json_does_as_well() -> None:
    body = json.dumps({"people": [{"iamUser": "kim", "address": ADDRESS}, {"iamUser": "lee"}, {"name": "x"}]})
    answer = send(an_http(), body, "application/json")
    assert {one["path"] for one in answer.json["findings"]} == {"people[2].name"}
    body = json.dumps({"people": [{"iamUser": "kim", "address": ADDRESS}, {"iamUser": "lee"}]})
    answer = send(an_http(), body, "application/json")
    assert [one["path"] for one in answer.json["findings"]] == ["people[1], address"]


def test_nobody_but_administrators_sends_or_sees_it() -> None:
    http = an_http()
    assert send(http, "rubbish", caller=STRANGER).status == 403
    assert http.get("/people", caller=STRANGER).status == 403
    assert http.call("GET", "/people", caller=STRANGER, headers={"accept": "text/csv"}).status == 403


def test_who_comes_before_confirming_is_not_joined_to_whom_a_roster_puts_beside_them() -> None:
    http = an_http()
    send(http, f"{HEAD}\nkim,kim@corp.example,kim@example.com,ko,\n")
    ask(http, USER, "mallory@example.com")
    press(http, link(http))
    other = http.world.deps.people.people_of([KIM]).get(KIM)
    assert other is not None
    assert (other.address, me(http, USER)["address"]) == (None, "mallory@example.com")


def test_the_press_behind_a_rosters_mail_joins_what_its_row_says() -> None:
    http = an_http()
    send(http, f"{HEAD}\nkim,kim@corp.example,kim@example.com,ko,\n")
    recover_labs(http.world.deps)
    shown = http.call("GET", link(http), caller=None, headers={"accept": "application/json"}).json
    assert len(shown["identities"]) == 2
    press(http, link(http))
    assert me(http, USER)["address"] == me(http, KIM)["address"] == ADDRESS


def test_a_roster_changes_no_confirmed_address_and_no_choice_of_a_person() -> None:
    http = an_http()
    confirmed(http, USER)
    answer = send(http, f"{HEAD}\nkim,,other@example.com,ko,\n")
    assert [one["code"] for one in answer.json["findings"]] == ["address-confirmed"]
    assert counted(send(http, f"{HEAD}\nkim,,kim@example.com,ko,\n")) == (0, 0, 1, 0)
    assert me(http, USER)["language"] == "en"


BOTH = f"{HEAD}\nkim,kim@corp.example,kim@example.com,ko,\n"


@pytest.mark.parametrize("act", ["language", "timeZone", "hears", "calendar", "no calendar", "their own address"])
def test_what_a_person_does_before_the_press_leaves_their_rosters_link_alive(act: str) -> None:
    http = an_http()
    send(http, BOTH)
    recover_labs(http.world.deps)
    mailed = link(http)
    done = {
        "language": lambda: http.put("/me", {"language": "en"}, caller=USER),
        "timeZone": lambda: http.put("/me", {"timeZone": "Asia/Seoul"}, caller=USER),
        "hears": lambda: http.put("/me", {"hears": []}, caller=USER),
        "calendar": lambda: http.call("POST", "/me/calendar", caller=USER),
        "no calendar": lambda: http.delete("/me/calendar", caller=USER),
        "their own address": lambda: ask(http, USER, "Kim@example.com"),
    }
    assert done[act]().status < 300
    assert send(http, BOTH).status == 200
    assert press(http, mailed).status == 200
    assert me(http, USER)["address"].lower() == me(http, KIM)["address"].lower() == ADDRESS
    assert counted(send(http, BOTH)) == (0, 0, 1, 0)


def test_what_somebody_chooses_before_the_press_is_theirs_alone_until_then() -> None:
    """They switched off their neighbour's mails, and changed the language of the neighbour's page."""
    http = an_http()
    send(http, BOTH)
    recover_labs(http.world.deps)
    before = me(http, KIM)
    for who in (USER, KIM):
        open_session(http.world.deps, (who, ACCOUNT, None), who, who, NOW)
    chosen = {"language": "en", "timeZone": "Asia/Tokyo", "hears": []}
    assert http.put("/me", chosen, caller=USER).status == 200
    assert me(http, USER).items() >= chosen.items()
    assert me(http, KIM) == before
    (person,) = http.world.people.people.values()
    assert (person.language, person.muted) == (Language.KO, ())
    languages = {one.arn: one.language for one in http.world.store.session_table.values()}
    assert languages == {USER: Language.EN, KIM: Language.KO}
    assert http.put("/me", {"hears": ["results"]}, caller=KIM).status == 200
    assert (me(http, KIM)["language"], me(http, USER)["hears"]) == ("ko", [])
    assert press(http, link(http)).status == 200
    assert me(http, USER) == me(http, KIM)
    assert (me(http, USER)["language"], me(http, USER)["hears"]) == ("ko", ["results"])


def test_whoever_leaves_takes_their_own_choices_along_and_no_others() -> None:
    http = an_http()
    send(http, BOTH)
    http.put("/me", {"language": "en"}, caller=USER)
    http.put("/me", {"timeZone": "Asia/Tokyo"}, caller=KIM)
    ask(http, USER, "mallory@example.com")
    assert [(me(http, one)["language"], me(http, one)["timeZone"]) for one in (USER, KIM)] == [
        ("en", "UTC"),
        ("ko", "Asia/Tokyo"),
    ]


@pytest.mark.parametrize("body", [{"address": "mallory@example.com"}, {"address": None}])
def test_who_wants_another_address_leaves_and_the_link_is_the_others(body: dict[str, str | None]) -> None:
    http = an_http()
    send(http, BOTH)
    recover_labs(http.world.deps)
    mailed = link(http)
    assert http.put("/me", body, caller=USER).status == 200
    shown = http.call("GET", mailed, caller=None, headers={"accept": "application/json"}).json
    assert len(shown["identities"]) == 1
    press(http, mailed)
    assert (me(http, KIM)["address"], me(http, USER)["address"]) == (ADDRESS, None)


@pytest.mark.parametrize("address", [ADDRESS, "Kim@example.com"])
@pytest.mark.parametrize("mailed", [False, True])
def test_a_roster_about_somebody_known_changes_nothing_the_second_time(mailed: bool, address: str) -> None:
    http = an_http()
    confirmed(http, USER)
    http.world.clock.advance(hours=1)
    rows = f"{HEAD}\nkim,kim@corp.example,{address},,\n"
    assert counted(send(http, rows)) == (1, 0, 0, 1)
    if mailed:
        recover_labs(http.world.deps)
    before = dict(http.world.people.people)
    for _ in range(2):
        assert counted(send(http, rows.replace("kim@example", "KIM@example"))) == (0, 0, 1, 0)
    assert http.world.people.people == before


def test_a_link_of_a_roster_works_although_a_later_one_writes_the_address_in_another_case() -> None:
    http = an_http()
    send(http, ROWS)
    recover_labs(http.world.deps)
    assert counted(send(http, ROWS.replace("kim@example", "KIM@example"))) == (0, 0, 2, 0)
    for message in mails(http):
        found = re.search(r"/api(/confirm/\S+)", message.body)
        assert found
        assert press(http, found[1]).status == 200


def test_an_invitation_waits_for_whoever_asked_first_and_goes_out_then() -> None:
    http = an_http()
    ask(http, STRANGER)
    send(http, ROWS)
    recover_labs(http.world.deps)
    warned = http.post("/labs", {"name": "one"}, caller=USER).json["warnings"]
    assert "still to go" in next(one["message"] for one in warned if one["code"] == "no-address")
    http.world.clock.advance(days=LASTS.days)
    recover_labs(http.world.deps)
    press(http, link(http))
    assert me(http, USER)["address"] == ADDRESS


def test_an_invitation_to_an_address_that_had_its_mails_goes_out_a_day_later() -> None:
    http = an_http()
    for _ in range(MOST_MAILS):
        ask(http, STRANGER)
        http.world.clock.advance(hours=1)
    http.put("/me", {"address": None}, caller=STRANGER)
    http.world.clock.advance(hours=LASTS.days * 24 - 2)
    send(http, f"{HEAD}\nkim,,kim@example.com,,\n")
    recover_labs(http.world.deps)
    assert me(http, USER)["pending"] is None
    http.world.clock.advance(days=1)
    recover_labs(http.world.deps)
    press(http, link(http))
    assert me(http, USER)["address"] == ADDRESS


def test_an_invitation_that_its_reader_refused_is_sent_no_more_and_nothing_claims_it() -> None:
    http = an_http()
    send(http, ROWS)
    recover_labs(http.world.deps)
    kim = next(message for message in mails(http) if message.recipient == ADDRESS)
    found = re.search(r"/api(/confirm/\S+)", kim.body)
    assert found
    form = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
    assert http.call("POST", found[1], body="answer=no", caller=None, headers=form).status == 200
    for _ in range(3):
        http.world.clock.advance(days=9)
        send(http, ROWS)
        recover_labs(http.world.deps)
    assert len([message for message in mails(http) if message.recipient == ADDRESS]) == 1
    warned = http.post("/labs", {"name": "one"}, caller=USER).json["warnings"]
    assert "ekslab me --address" in next(one["message"] for one in warned if one["code"] == "no-address")


def test_two_peoples_identities_in_one_row_are_refused() -> None:
    http = an_http()
    confirmed(http, USER)
    http.put("/me", {"language": "ko"}, caller=KIM)
    answer = send(http, f"{HEAD}\nkim,kim@corp.example,kim@example.com,,\n")
    assert [(one["path"], one["code"]) for one in answer.json["findings"]] == [("row 2, identity", "identity-taken")]


def test_another_identity_of_somebody_known_waits_for_their_press() -> None:
    http = an_http()
    confirmed(http, USER)
    http.world.clock.advance(hours=1)
    assert counted(send(http, f"{HEAD}\nkim,kim@corp.example,kim@example.com,,\n")) == (1, 0, 0, 1)
    assert me(http, KIM)["address"] is None
    recover_labs(http.world.deps)
    press(http, link(http))
    assert me(http, KIM)["address"] == ADDRESS
    assert len(http.world.people.people) == 1


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("operation", ["save_people", "people_of"])
def test_a_roster_whose_answer_is_lost_is_sent_again(operation: str, after: bool) -> None:
    http = an_http()
    rows = "\n".join(f"user{n},,user{n}@example.com,," for n in range(50))
    http.world.fail(operation, AwsUnavailable("dynamodb: gone"), after=after)
    assert send(http, f"{HEAD}\n{rows}").status == 503
    assert send(http, f"{HEAD}\n{rows}").status == 200
    assert len(http.world.people.people) == 50


def test_two_rosters_at_once_make_everybody_once() -> None:
    http = an_http()

    def meanwhile() -> None:
        assert send(http, ROWS).status == 200

    http.world.account.hooks["people_of"] = meanwhile
    assert send(http, ROWS).status == 200
    assert len(http.world.people.people) == 2


def exported(http: Http) -> list[list[str]]:
    answer = http.call("GET", "/people", caller=ADMIN, headers={"accept": "text/csv"})
    assert answer.headers["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.text)))


def test_an_export_is_a_roster_that_can_be_sent_again() -> None:
    http = an_http()
    send(http, ROWS)
    text = http.call("GET", "/people", caller=ADMIN, headers={"accept": "text/csv"}).text
    assert counted(send(http, text)) == (0, 0, 2, 0)
    assert counted(send(an_http(), text)) == (2, 0, 0, 2)


def test_an_export_of_whoever_came_by_themselves_can_be_sent_again() -> None:
    """A person who only chose a language, a login of a user pool, a role with a name like Identity Center's."""
    http = an_http()
    http.put("/me", {"language": "ko"}, caller=STRANGER)
    confirmed(http, KIM)
    login = PoolUser("arn:aws:cognito-idp:us-east-1:111122223333:userpool/us-east-1_a", "sub-1", "lee").arn
    named_so = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Labs_fedcba9876543210/ceo@corp.example"
    unsure = Caller(named_so, ACCOUNT, None).identity
    for number, identity in enumerate((login, unsure)):
        person = Person(f"person-{number}", (identity,), NOW, address=f"p{number}@example.com")
        assert http.world.people.save_people([], [person])
    before = dict(http.world.people.claims)
    text = http.call("GET", "/people", caller=ADMIN, headers={"accept": "text/csv"}).text
    assert counted(send(http, text)) == (0, 0, 3, 0)
    assert http.world.people.claims == before
    other = an_http()
    assert counted(send(other, text)) == (3, 0, 0, 3)
    assert {key for key in before if not key.startswith("address/")} - set(other.world.people.claims) == {
        identity_key(STRANGER)
    }


def test_an_export_has_one_row_for_an_address_that_a_second_person_waits_for() -> None:
    http = an_http()
    confirmed(http, STRANGER)
    http.world.clock.advance(hours=1)
    assert counted(send(http, ROWS.replace("kim@", "Kim@"))) == (2, 0, 0, 2)
    text = http.call("GET", "/people", caller=ADMIN, headers={"accept": "text/csv"}).text
    assert text.lower().count(ADDRESS) == 1
    before = dict(http.world.people.people)
    assert counted(send(http, text)) == (0, 0, 2, 0)
    assert http.world.people.people == before


@pytest.mark.parametrize("name", ["=cmd", "+1", "-1", "@sum"])
def test_no_cell_of_an_export_is_run_as_a_formula(name: str) -> None:
    http = an_http()
    ask(http, f"arn:aws:iam::111122223333:user/{name}")
    cells = [cell for row in exported(http) for cell in row]
    assert f"'{name}" in cells
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []


def test_a_mail_of_a_roster_comes_once_although_the_run_dies_before_its_mark() -> None:
    http = an_http()
    send(http, ROWS)
    http.world.fail("save_people", AwsUnavailable("dynamodb: gone"))
    recover_labs(http.world.deps)
    recover_labs(http.world.deps)
    assert sorted(message.recipient for message in mails(http) if message.kind == KIND) == [
        "kim@example.com",
        "lee@example.com",
    ]


def test_a_person_who_changes_their_record_while_their_invitation_goes_out_gets_one() -> None:
    http = an_http()
    send(http, f"{HEAD}\nkim,,kim@example.com,,\n")

    def meanwhile() -> None:
        assert http.put("/me", {"timeZone": "Asia/Tokyo"}, caller=USER).status == 200

    http.world.account.hooks["send"] = meanwhile
    for _ in range(3):
        recover_labs(http.world.deps)
        http.world.clock.advance(minutes=6)
    assert [message.recipient for message in mails(http)] == [ADDRESS]
    assert me(http, USER)["timeZone"] == "Asia/Tokyo"
    assert [one.invite_at for one in http.world.people.people.values()] == [None]


def test_who_takes_their_address_back_stays_one_person_until_a_roster_adds_an_identity() -> None:
    """Their calendar became empty, and their next change of an address left the others behind."""
    http = an_http()
    send(http, BOTH)
    recover_labs(http.world.deps)
    assert press(http, link(http)).status == 200
    assert http.put("/me", {"address": None}, caller=USER).status == 200
    (person,) = http.world.people.people.values()
    assert (person.address, person.is_proved) == (None, True)
    ask(http, USER, "new@example.com")
    press(http, link(http))
    assert me(http, KIM)["address"] == "new@example.com"
    http.put("/me", {"address": None}, caller=KIM)
    assert counted(send(http, BOTH)) == (0, 1, 0, 1)
    assert next(iter(http.world.people.people.values())).is_proved
    http.put("/me", {"address": None}, caller=KIM)
    head = "iamUser,identityCenter,arn,address"
    row = f"kim,kim@corp.example,arn:aws:iam::{ACCOUNT}:user/other,kim@example.com"
    assert counted(send(http, f"{head}\n{row}\n")) == (0, 1, 0, 1)
    assert not next(iter(http.world.people.people.values())).is_proved


def test_a_roster_of_people_with_many_identities_is_saved_in_writes_that_a_transaction_takes() -> None:
    """Each save writes all keys of a person; a DynamoDB transaction has at most one hundred items."""
    http = an_http()
    people = http.world.deps.people
    names = [f"u{number}" for number in range(20)]
    for name in names:
        mine = (f"arn:aws:iam::{ACCOUNT}:user/{name}", *(f"login:pool/{name}-{each}" for each in range(12)))
        assert people.save_people([], [Person(f"person-{name}", mine, http.world.clock.now())])
    writes = list[int]()
    save = http.world.people.save_people

    def counted_save(before: Sequence[Person], after: Sequence[Person]) -> bool:
        writes.append(len(after) + len({key for one in (*before, *after) for key in one.keys}))
        return save(before, after)

    http.world.deps = replace(http.world.deps, people=Counted(http.world.people, counted_save))
    roster = "\n".join([HEAD, *(f"{name},,{name}@example.com,," for name in names)])
    assert counted(send(http, roster)) == (0, 20, 0, 20)
    assert max(writes) <= 100 < sum(writes)


@dataclass
class Counted:
    """People with a count of their saves."""

    people: Any
    save_people: Callable[[Sequence[Person], Sequence[Person]], bool]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.people, name)


def test_two_rows_about_one_known_person_are_refused_both_named_with_every_other_fault() -> None:
    """Two writes of one item in a transaction: DynamoDB refused the whole roster, every time."""
    http = an_http()
    assert http.world.people.save_people([], [Person("person-1", (USER, KIM), NOW)])
    head = "iamUser,identityCenter,address"
    rows = "kim,,kim@example.com\nlee,,lee@example.com\n,kim@corp.example,other@example.com\n"
    answer = send(http, f"{head}\n{rows}")
    assert [(one["path"], one["code"]) for one in answer.json["findings"]] == [("row 4, identity", "identity-taken")]
    assert "row 2" in answer.json["findings"][0]["message"]
    assert answer.status == 400
    assert len(http.world.people.people) == 1
    assert counted(send(http, f"{head}\nkim,kim@corp.example,kim@example.com\nlee,,lee@example.com\n")) == (1, 1, 0, 2)
