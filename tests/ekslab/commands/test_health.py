"""The command about the service itself, against the real route on fakes."""

from __future__ import annotations

import pytest

import ekslab
from tests.api.routes.test_health import ran
from tests.ekslab.wire import Wire, run


def test_a_service_that_is_well_is_a_status_of_nought(capsys: pytest.CaptureFixture[str]) -> None:
    wire = Wire()
    ran(wire.http)
    wire.http.world.clock.advance(minutes=7)
    assert run(wire, "health") == 0
    message = capsys.readouterr().out.splitlines()
    assert message[0] == f"ok, version {ekslab.__version__}"
    assert [line.split()[0] for line in message[2:]] == ["recover_labs", "curfew", "watch_support"]
    assert all(line.endswith(" 7") for line in message[2:])


def test_one_that_is_not_says_why_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    wire = Wire()
    assert run(wire, "health") == 1
    message = capsys.readouterr().out.splitlines()
    assert message[0] == f"degraded, version {ekslab.__version__}"
    assert "curfew has not come to an end of a run yet." in message
