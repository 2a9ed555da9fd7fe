"""Installed and shipped packages are locked, file by file, to the tested ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.paths import PROJECT

KINDS = ("dev", "checkov", "kubectl", "browser", "hostile", "custodian")
LOCKS = ("requirements", *(f"requirements-{kind}" for kind in KINDS))


def pins(path: Path) -> set[tuple[str, str]]:
    """Names and versions that a requirements file pins."""
    found = re.findall(r"^([\w.-]+)==([\w.]+)", path.read_text(), re.MULTILINE)
    return {(re.sub(r"[-_.]+", "-", name).lower(), version) for name, version in found}


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_holds_what_is_asked_for(name: str) -> None:
    assert pins(PROJECT / f"{name}.in") <= pins(PROJECT / f"{name}.txt"), "run `make lock`"


def test_what_ships_is_what_is_tested() -> None:
    assert pins(PROJECT / "requirements.txt") <= pins(PROJECT / "requirements-dev.txt")


@pytest.mark.parametrize("name", LOCKS)
def test_every_file_has_its_hash_and_none_its_address(name: str) -> None:
    text = re.sub(r"\\\n\s*", " ", (PROJECT / f"{name}.txt").read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert [line[:60] for line in lines if not re.search(r" --hash=sha256:[0-9a-f]{64}", line)] == []
    assert [line[:60] for line in lines if "://" in line or line.startswith("-")] == []


def test_boto3_is_the_runtime_s() -> None:
    assert not {"boto3", "botocore", "aws-xray-sdk"} & {name for name, _ in pins(PROJECT / "requirements.txt")}
