"""A roster's rows: what is taken, and each fault by row and column."""

from __future__ import annotations

import pytest

from chalicelib.domain.identity.person import Language
from chalicelib.domain.requests.roster import RosterRules, Row, read_rows

RULES = RosterRules("111122223333", "aws", frozenset({"Asia/Seoul", "UTC"}))
RIGHT = {"iamUser": "kim", "address": "kim@example.com"}


def faults(*rows: dict[str, str]) -> list[tuple[str, str]]:
    return [(one.path, one.code) for one in read_rows([(f"row {n}", row) for n, row in enumerate(rows, 2)], RULES)[1]]


def test_a_row_is_read_whole() -> None:
    cells = {**RIGHT, "identityCenter": "kim@corp.example", "language": "KO", "timeZone": "Asia/Seoul", "arn": ""}
    identities = ("arn:aws:iam::111122223333:user/kim", "arn:aws:sts::111122223333:directory/kim@corp.example")
    assert read_rows([("row 2", cells)], RULES) == (
        (Row("row 2", identities, "kim@example.com", Language.KO, "Asia/Seoul"),),
        (),
    )


@pytest.mark.parametrize(
    ("change", "column", "code"),
    [
        ({"iamUser": ""}, "iamUser", "missing"),
        ({"iamUser": "kim lee"}, "iamUser", "invalid-name"),
        ({"iamUser": "=cmd|'/c calc'!A1"}, "iamUser", "invalid-name"),
        ({"identityCenter": "a/b"}, "identityCenter", "invalid-name"),
        ({"arn": "arn:aws:s3:::bucket"}, "arn", "invalid-arn"),
        ({"address": ""}, "address", "invalid-address"),
        ({"address": "kim"}, "address", "invalid-address"),
        ({"address": "kim@example.com\r\nBcc: x@example.com"}, "address", "unseen-character"),
        ({"iamUser": "kim\u202e"}, "iamUser", "unseen-character"),
        ({"address": f"{'k' * 400}@example.com"}, "address", "too-long"),
        ({"language": "fr"}, "language", "unknown-language"),
        ({"timeZone": "Seoul"}, "timeZone", "unknown-time-zone"),
    ],
)
def test_a_fault_is_told_by_row_and_column(change: dict[str, str], column: str, code: str) -> None:
    assert faults(RIGHT | change) == [(f"row 2, {column}", code)]


def test_every_fault_of_every_row_is_told() -> None:
    bad = {"iamUser": "a b", "address": "nowhere", "language": "xx", "timeZone": "Mars"}
    assert len(faults(*[bad] * 50)) == 200


def test_one_identity_and_one_address_stand_in_one_row() -> None:
    named_so = {"arn": "arn:aws:iam::111122223333:user/KIM", "address": "other@example.com"}
    mailed_so = {"iamUser": "lee", "address": "KIM@example.com"}
    assert faults(RIGHT, named_so, mailed_so) == [("row 3, identity", "duplicate"), ("row 4, address", "duplicate")]
