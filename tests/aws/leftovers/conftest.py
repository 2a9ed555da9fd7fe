"""An account on moto without its hundreds of default images and snapshots: listing them takes a second."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _empty_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
