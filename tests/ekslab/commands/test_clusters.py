"""The commands over watched clusters against the real routes on fakes."""

from __future__ import annotations

import pytest

from ekslab.__main__ import parser
from ekslab.commands.exit_codes import Exit
from tests.api.http import ADMIN
from tests.ekslab.wire import Wire, run
from tests.fakes.fleet_builders import HOME, REGION, a_key, a_notice, a_trouble, a_watched

ORDERS = f"111122223333/{REGION}/orders"


@pytest.fixture
def wire() -> Wire:
    wire = Wire(who=ADMIN)
    store = wire.http.world.watch.store
    store.put(a_watched("orders"), *(a_watched(f"later-{n:03}", at=None) for n in range(120)))
    store.set_place_trouble(HOME, a_trouble())
    store.add_notices([a_notice()])
    return wire


def test_all_pages_of_clusters_are_listed_with_what_comes_first(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "get", "deadlines", "-o", "wide") == Exit.PARTLY
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + 121 + 1
    assert lines[1].startswith(ORDERS)
    assert "365" in lines[1]
    assert lines[-1].startswith(f"could not read 111122223333 {REGION} since")


def test_filters_are_passed_on_and_a_wrong_one_is_refused(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(wire, "get", "deadlines", "--days-left", "30", "--owner", "ops@example.com", "--region", REGION)
        == Exit.PARTLY
    )
    assert "later" not in capsys.readouterr().out
    assert run(wire, "get", "deadlines", "--phase", "extendet") == 1
    assert "extended" in capsys.readouterr().err


def test_one_cluster_is_told_with_its_commands(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "describe", "cluster", ORDERS) == 0
    out = capsys.readouterr().out
    assert "2026-12-02  in 9 days" in out
    assert "aws eks update-cluster-version --name orders" in out
    assert "notice  deadline to ops@example.com" in out


def test_acknowledging_and_snoozing_are_kept(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "acknowledge", ORDERS) == 0
    assert f"acknowledged by {ADMIN}" in capsys.readouterr().out
    assert run(wire, "snooze", ORDERS, "2026-11-24T00:00:00Z") == 0
    kept = wire.http.world.watch.store.kept[a_key("orders")]
    assert (kept.acknowledged_by, str(kept.snoozed_until)) == (ADMIN, "2026-11-24 00:00:00+00:00")
    assert run(wire, "snooze", ORDERS, "2027-11-24T00:00:00Z") == 1


def test_the_calendar_comes_as_it_is(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "get", "deadlines", "--calendar") == 0
    assert capsys.readouterr().out.startswith("BEGIN:VCALENDAR\r\n")


@pytest.mark.parametrize("name", ["orders", "a/b", "a/b/c/d", "//orders", "111122223333/us-east-1/.."])
def test_a_cluster_is_named_by_account_region_and_name(name: str) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["acknowledge", name])


def test_what_labs_are_offered_is_printed_to_everyone(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Wire(), "get", "offers") == 0
    assert "instanceTypes:" in capsys.readouterr().out


def test_a_stray_cluster_is_made_a_lab_again_by_administrators_alone(capsys: pytest.CaptureFixture[str]) -> None:
    wire, stray = Wire(), "111122223333/ap-northeast-2/stray"
    assert run(wire, "adopt", stray) == 1
    assert "403" in capsys.readouterr().err
    wire.who = ADMIN
    assert run(wire, "adopt", stray) == 1
    assert "There is no cluster stray" in capsys.readouterr().err
