"""The commands over the registry of accounts: requests, output and exit status."""

from __future__ import annotations

import pytest

from tests.api.http import ADMIN
from tests.ekslab.wire import Wire, run

MEMBER = "444455556666"
ROLE = f"arn:aws:iam::{MEMBER}:role/ekslab-member-read"
REGISTER = (
    "register",
    MEMBER,
    "--region",
    "us-east-1",
    "--region",
    "eu-west-1",
    "--role-arn",
    ROLE,
    "--labs",
    "--name",
    "training",
)


def test_an_account_is_registered_listed_and_unregistered(capsys: pytest.CaptureFixture[str]) -> None:
    wire = Wire(who=ADMIN)
    assert run(wire, *REGISTER) == 0
    assert run(wire, "get", "accounts") == 0
    line = f"{MEMBER}  yes   us-east-1 eu-west-1  training  -"
    message = capsys.readouterr().out
    assert message.splitlines()[1] == line
    assert line.split() in [one.split() for one in message.splitlines()[2:]]
    assert run(wire, "unregister", MEMBER) == 0
    assert capsys.readouterr().out == f"{MEMBER} is registered no longer.\n"
    assert run(wire, "unregister", MEMBER) == 0


def test_others_than_administrators_see_accounts_and_register_none(capsys: pytest.CaptureFixture[str]) -> None:
    wire = Wire()
    assert run(wire, "get", "accounts") == 0
    assert "111122223333" in capsys.readouterr().out
    assert run(wire, *REGISTER) == 1
    assert "403" in capsys.readouterr().err
