"""`ekslab get costs`: a month as a table, and as complete CSV, from any number of pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from chalicelib.domain.costs import Billed
from ekslab.client import Answer
from tests.api.http import ADMIN, STRANGER
from tests.ekslab.wire import Wire, run
from tests.fakes import NOW, OWNER

MONTH = f"{NOW:%Y-%m}"


@dataclass
class SmallPages(Wire):
    """One row a page."""

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        return super().call(method, f"{path}&limit=1" if path.startswith("/costs") else path, body, headers)


def with_labs(wire: Wire) -> Wire:
    for name, who in (("one", OWNER), ("two", STRANGER)):
        assert wire.http.post("/labs", {"name": name}, caller=who).status == 202
    return wire


def test_a_month_is_a_table_with_its_sum(capsys: pytest.CaptureFixture[str]) -> None:
    wire = with_labs(Wire())
    assert run(wire, "get", "costs", "--month", MONTH) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[0].split() == ["PERSON", "LABS", "USD", "SAVED", "USD"]
    assert "is not over" in shown
    assert run(wire, "get", "costs", "--month", MONTH, "-o", "json") == 0
    assert json.loads(capsys.readouterr().out)["total"]["labs"] == 1, "a learner sees their own"


@pytest.mark.parametrize("form", ["csv", "focus"])
def test_csv_is_whole_with_one_header(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(with_labs(Wire(who=ADMIN)), "get", "costs", "--month", MONTH, "--csv", form) == 0
    whole = capsys.readouterr().out
    assert run(with_labs(SmallPages(who=ADMIN)), "get", "costs", "--month", MONTH, "--csv", form) == 0
    assert sorted(capsys.readouterr().out.splitlines()) == sorted(whole.splitlines())
    assert len(whole.splitlines()) == 3


@pytest.mark.parametrize("month", ["2026-13", "November", "2999-01"])
def test_a_wrong_month_is_refused(month: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Wire(), "get", "costs", "--month", month) == 1
    assert "month" in capsys.readouterr().err


def test_a_group_that_is_not_yours_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Wire(), "get", "costs", "--month", MONTH, "--by", "account", "--csv") == 1
    assert "administrators" in capsys.readouterr().err


def test_a_month_beside_awss_bill_is_a_second_table(capsys: pytest.CaptureFixture[str]) -> None:
    wire = with_labs(Wire(who=ADMIN))
    wire.http.world.curfew.cost_explorer.answer = Billed({"APN2-AmazonEKS-Hours:perCluster": 0.8}, True, 1)
    assert run(wire, "get", "costs", "--month", MONTH, "--compare") == 0
    shown = capsys.readouterr().out
    assert "control plane" in shown
    assert "-100.0 %" in shown
    assert "not final" in shown
    assert run(with_labs(Wire()), "get", "costs", "--month", MONTH, "--compare") == 1
    assert "administrators" in capsys.readouterr().err
