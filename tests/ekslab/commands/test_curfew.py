"""The commands about evenings against the real routes on fakes: requests, output and exit status."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest

from chalicelib.domain.curfew.plan import EntryOutcome
from chalicelib.domain.curfew.rules import Mode
from chalicelib.domain.labs.lab import Phase
from chalicelib.domain.labs.schedule import AtCurfew, Schedule
from chalicelib.domain.teardown.receipt import Receipt, ReceiptLine, ReceiptOutcome
from ekslab.__main__ import parser
from ekslab.commands.curfew import span
from tests.api.curfew_world import CURFEW, LAB, NEXT, NIGHT, SEOUL, a_ready_lab, a_world, an_entry, hours
from tests.api.http import ADMIN, STRANGER
from tests.ekslab.wire import Wire, run
from tests.fakes import NOW, a_lab, a_spec
from tests.fakes.builders import in_phase


@pytest.fixture
def wire() -> Wire:
    return Wire(a_world())


def the_lab(wire: Wire) -> Any:
    return wire.http.world.store.labs[LAB]


@pytest.mark.parametrize("lab", ["myeks", LAB])
def test_a_lab_is_extended_by_its_name_or_its_id(wire: Wire, lab: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "extend", lab, "4h") == 0
    assert the_lab(wire).lease_ends_at == CURFEW + hours(5)
    message = capsys.readouterr().out
    assert "the lease ends at 2026-11-23T18:00:00Z, Tue 24 Nov 03:00 (Asia/Seoul)." in message
    assert "It costs $0.89 ($0.22 an hour)." in message


def test_of_two_labs_of_one_name_the_one_alive_is_meant(wire: Wire) -> None:
    wire.http.world.store.put(a_lab(id="lab-former", phase="deleted", created_at=NOW + hours(1)))
    assert run(wire, "extend", "myeks", "1h") == 0
    assert the_lab(wire).lease_ends_at == CURFEW + hours(2)


def test_a_name_on_a_later_page_is_found(wire: Wire) -> None:
    for number in range(120):
        lab = a_ready_lab(id=f"lab-{number:03}", created_at=NOW, spec=a_spec(name=f"n{number:03}", schedule=SEOUL))
        wire.http.world.store.put(lab)
    assert run(wire, "extend", "n000", "1h") == 0
    assert wire.http.world.store.labs["lab-000"].lease_ends_at == CURFEW + hours(2)


def test_a_name_that_is_nobodys_is_refused(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "extend", "theirs", "1h") == 1
    assert "404" in capsys.readouterr().err


def test_a_lease_can_not_go_back(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(wire, "extend", "myeks", "-4h")
    assert "-4h: a lease can't go back" in capsys.readouterr().err


def test_an_extension_that_is_clamped_says_so(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "extend", "myeks", "2026-12-24T00:00:00Z") == 0
    assert "That is as far as the allowance reaches" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "body"),
    [("4h", {"hours": 4}), ("2d", {"hours": 48}), ("2026-12-01T00:00:00Z", {"until": "2026-12-01T00:00:00Z"})],
)
def test_a_span_of_time_is_hours_days_or_an_instant(text: str, body: dict[str, Any]) -> None:
    assert span(text) == body


@pytest.mark.parametrize("text", ["", "4", "h", "-4h", "4w", "tomorrow", "four h"])
def test_anything_else_is_a_wrong_command_line(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        span(text)


def test_an_evening_is_shown_and_changed_in_part(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "schedule", "myeks") == 0
    assert "curfew      22:00 Asia/Seoul, mon, tue, wed, thu, fri, sat, sun: end" in capsys.readouterr().out
    assert run(wire, "schedule", "myeks", "--at-curfew", "hibernate", "--wake", "08:30", "--weekdays", "mon,fri") == 0
    changed = Schedule("Asia/Seoul", weekdays=(0, 4), at_curfew=AtCurfew.HIBERNATE, wake=time(8, 30))
    assert the_lab(wire).spec.schedule == changed
    assert run(wire, "schedule", "myeks", "--wake", "no", "--holidays", "KR", "--quiet-dates", "2026-12-24") == 0
    wanted = replace(changed, wake=None, holidays="KR", quiet_dates=(date(2026, 12, 24),))
    assert the_lab(wire).spec.schedule == wanted
    assert run(wire, "schedule", "myeks", "--quiet-dates", "no", "--holidays", "no") == 0
    assert the_lab(wire).spec.schedule == replace(wanted, holidays=None, quiet_dates=())


def test_a_wrong_evening_is_refused_with_what_would_be_right(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "schedule", "myeks", "--time-zone", "Asia/Seol") == 1
    assert "Did you mean Asia/Seoul?" in capsys.readouterr().err


def test_administrators_protect_and_lift(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "protect", LAB, "2026-11-25T00:00:00Z", "--why", "Exam.") == 1
    wire.who = ADMIN
    assert run(wire, "protect", LAB, "2026-11-25T00:00:00Z", "--why", "Exam.") == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"protected until Wed 25 Nov 09:00 by {ADMIN}: Exam." in said
    assert run(wire, "protect", LAB, "no") == 0
    assert the_lab(wire).protection is None


def test_a_lab_is_put_to_sleep_and_woken(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "hibernate", "myeks") == 0
    assert the_lab(wire).phase == "hibernating"
    assert "still-costs" not in capsys.readouterr().out
    assert run(wire, "wake", "myeks") == 1
    wire.http.world.store.put(replace(the_lab(wire), phase=Phase.HIBERNATED))
    assert run(wire, "wake", "myeks") == 0
    assert the_lab(wire).phase == "waking"


def test_watching_a_lab_fall_asleep_ends_when_it_sleeps(wire: Wire) -> None:
    wire.http.world.store.put(a_ready_lab(phase="hibernated"))
    assert run(wire, "hibernate", "myeks", "--watch") == 0


def test_tonights_plan_is_printed_with_fates_and_hash(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    store = wire.http.world.curfew.store
    store.change_status(
        NIGHT, an_entry().id, lambda f: replace(f, outcome=EntryOutcome.SKIPPED, reason="It is kept.", warned_at=NOW)
    )
    for arguments in (["get", "plan"], ["get", "plan", "2026-11-23"]):
        assert run(wire, *arguments) == 0
        message = capsys.readouterr().out
        assert "myeks  Mon 23 Nov 22:00  end  Mon 23 Nov 19:00  skipped\n  idle since 15:40" in message
        assert "It is kept." in " ".join(message.split())
        assert store.headers[NIGHT].hash in message
    assert run(wire, "get", "plan", "2026-11-01") == 1


def test_in_a_wide_plan_times_are_told_in_utc_as_well(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "get", "plan", "-o", "wide") == 0
    head, line = capsys.readouterr().out.splitlines()[1:3]
    assert head.endswith("AT (UTC)              ZONE")
    assert line.endswith("2026-11-23T13:00:00Z  Asia/Seoul")


def test_a_held_night_is_released_by_administrators_with_the_hash_that_they_saw(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    store = wire.http.world.curfew.store
    seen = store.headers[NIGHT].hash
    assert run(wire, "release", "2026-11-23", seen) == 1
    assert "administrators" in capsys.readouterr().err
    wire.who = ADMIN
    assert run(wire, "release", "2026-11-23", "0" * 64) == 1
    assert run(wire, "release", "2026-11-23", seen) == 0
    assert store.headers[NIGHT].released_by == ADMIN


def test_others_lines_are_counted(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    wire.who = STRANGER
    assert run(wire, "get", "plan") == 0
    assert "and 1 of others" in capsys.readouterr().out


def test_an_evening_without_a_plan_says_when_there_will_be_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Wire(), "get", "plan") == 0
    assert capsys.readouterr().out.startswith("Nothing is planned for 2026-11-23 so far.")


def test_the_stop_switch_is_thrown_and_shown(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "curfew") == 0
    assert "mode            on" in capsys.readouterr().out
    assert run(wire, "curfew", "off") == 1
    wire.who = ADMIN
    assert run(wire, "curfew", "off", "--set", "maxPercent=50", "--set", "maxCount=5") == 0
    rules = wire.http.world.curfew.store.kept_rules
    assert rules is not None
    assert (rules.mode, rules.max_percent, rules.max_count) == (Mode.OFF, 50, 5)
    assert f"by {ADMIN}" in capsys.readouterr().out


def test_the_list_of_offers_is_changed_by_parts_and_shown(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "offers") == 0
    assert "keyPairs        []" in capsys.readouterr().out
    assert run(wire, "offers", "--set", 'keyPairs=["course"]') == 1
    wire.who = ADMIN
    assert run(wire, "offers", "--set", 'keyPairs=["course"]', "--set", "maxNodes=4") == 0
    kept = wire.http.world.store.kept_offers
    assert kept is not None
    assert (kept.key_pairs, kept.max_nodes) == (("course",), 4)
    assert f"by {ADMIN}" in capsys.readouterr().out
    rules = 'teams=[{"team": "shop", "maxUsdHour": 1}]'
    assert run(wire, "offers", "--set", rules, "--set", "maxNodes=null", "--set", "maxUsdHour=null") == 0
    assert "teams[0].team: No team is called shop, so its rule holds for nobody" in capsys.readouterr().out
    kept = wire.http.world.store.kept_offers
    assert (kept.max_nodes, kept.max_usd_hour, kept.key_pairs) == (None, None, ("course",))
    with pytest.raises(SystemExit):
        parser().parse_args(["offers", "--set", "keyPairs=course"])


def test_a_wrong_setting_is_a_wrong_command_line() -> None:
    for arguments in (["curfew", "of"], ["curfew", "--set", "maxPercent"], ["curfew", "--set", "maxPercent=many"]):
        with pytest.raises(SystemExit):
            parser().parse_args(arguments)


def test_a_verdict_is_told_with_its_signals(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "get", "verdict", "myeks") == 0
    message = capsys.readouterr().out
    assert "SIGNAL" in message
    assert "could not be read: AWS/EKS metrics: not there" in message


def test_a_kept_lab_says_until_when(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    wire.http.world.store.put(a_ready_lab(kept_until=NEXT))
    assert run(wire, "schedule", "myeks") == 0
    assert "kept        until Tue 24 Nov 22:00\n" in capsys.readouterr().out
    assert run(wire, "schedule", "myeks", "-o", "wide") == 0
    assert "kept        until Tue 24 Nov 22:00 (2026-11-24T13:00:00Z)\n" in capsys.readouterr().out


def test_row_17_a_lab_that_ends_at_curfew_is_not_said_to_wake(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    """Issue 12, row 17: "wakes 08:30" of a lab that is deleted at 22:00."""
    assert run(wire, "schedule", "myeks", "--at-curfew", "end", "--wake", "08:30") == 0
    assert "wakes" not in capsys.readouterr().out
    assert run(wire, "schedule", "myeks", "--at-curfew", "hibernate") == 0
    assert "wakes       08:30" in capsys.readouterr().out


def test_an_approver_answers_by_name_and_a_lab_that_waits_for_nobody_says_so(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    wire.http.world.store.put(a_ready_lab(id="lab-0123456789ab"))
    wire.who = ADMIN
    for what in ("approve", "refuse"):
        assert run(wire, what, "lab-0123456789ab", "--why", "It is for the exam.") == 1
        assert "lab" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        run(wire, "approve", "lab-0123456789ab")


def test_an_owner_says_what_of_a_receipt_stays(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    arn = "arn:aws:ec2:ap-northeast-2:111122223333:volume/vol-1"
    left = ReceiptLine(arn, "volume", ReceiptOutcome.LEFT, "looks like the lab's; created by unknown", "tag x")
    wire.http.world.store.put(in_phase(the_lab(wire), Phase.DELETED, NOW))
    wire.http.world.store.put_receipt(LAB, Receipt("now", NOW, (left,), ("tags",)))
    assert run(wire, "leftovers", LAB, "--keep", arn.replace("vol-1", "vol-2")) == 1
    assert run(wire, "leftovers", LAB, "--keep", arn) == 0
    assert "volume/vol-1" in capsys.readouterr().out
