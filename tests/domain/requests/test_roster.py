"""A roster's rows: accepted values, and each error by row and column."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.identity.person import Language, Person, identity_key
from chalicelib.domain.identity.user_pools import PoolUser
from chalicelib.domain.requests.roster import COLUMNS, RosterRules, Row, cells_of, read_rows
from tests.fakes import NOW
from tests.paths import PROJECT

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
        ({"iamUser": "김철수"}, "iamUser", "invalid-name"),
        ({"iamUser": "ｋｉｍ"}, "iamUser", "invalid-name"),
        ({"iamUser": "\u3164"}, "iamUser", "invalid-name"),
        ({"identityCenter": "김철수"}, "identityCenter", "invalid-name"),
        ({"arn": "arn:aws:iam::１１１１２２２２３３３３:user/kim"}, "arn", "invalid-arn"),
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


def patterns() -> Iterator[tuple[str, str, bool]]:
    """Each regular expression of the service: its place, its text, and whether `\\w` and `\\d` are ASCII's in it."""
    for path in sorted((PROJECT / "chalicelib").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
                continue
            if ast.unparse(node.func) in ("pattern", "re.compile", "re.fullmatch", "re.match", "re.search"):
                yield f"{path.name}:{node.lineno}", str(node.args[0].value), "re.ASCII" in ast.unparse(node)


def test_a_name_or_number_that_aws_gives_is_ascii_wherever_it_is_read() -> None:
    """Python's `\\w` takes every letter, IAM's does not. Source: botocore, iam, userNameType, roleNameType: `[\\w+=,.@-]+`."""
    read = [
        (where, ascii_only)
        for where, text, ascii_only in patterns()
        if r"[\w+=,.@" in text or ("arn:" in text and r"\d" in text)
    ]
    assert len(read) >= 10
    assert [where for where, ascii_only in read if not ascii_only] == []


HOME, OTHER = "arn:aws:sts::111122223333:assumed-role", "arn:aws:sts::999988887777:assumed-role"
NAMES = st.from_regex(re.compile(r"[\w+=,.@-]{1,20}", re.ASCII), fullmatch=True)
#: Identities in AWS's and the service's formats, including those that only resemble Identity Center's.
FORMS = (
    "arn:aws:iam::111122223333:user/{}", "arn:aws:iam::111122223333:user/class/{}", "arn:aws:iam::999988887777:user/{}",
    "arn:aws:sts::111122223333:directory/{}", f"{HOME}/AWSReservedSSO_Labs/{{}}", f"{OTHER}/AWSReservedSSO_Labs/{{}}",
    f"{HOME}/unconfirmed/AWSReservedSSO_Labs_0123456789abcdef/{{}}", f"{HOME}/my-AWSReservedSSO_team/{{}}",
    f"{HOME}/Learners/{{}}", "login:pool/{}",
)  # fmt: skip
POOL = "arn:aws:cognito-idp:ap-northeast-2:111122223333:userpool/ap-northeast-2_abc"
IDENTITIES = st.one_of(
    *(st.builds(form.format, NAMES) for form in FORMS), st.builds(lambda name: PoolUser(POOL, "sub-1", name).arn, NAMES)
)


@given(st.lists(IDENTITIES, min_size=1, max_size=4), st.sampled_from([None, "kim@example.com"]), st.booleans())
def test_an_exported_row_is_read_as_the_same_person_and_as_nobody_else(
    identities: list[str], address: str | None, confirmed: bool
) -> None:
    mailed = {"address": address} if confirmed else {"asked": address}
    person = Person("person-1", tuple(identities), NOW, language=Language.KO, zone="UTC", **mailed)
    cells = cells_of(person, RULES)
    if cells is None:
        assert address is None or all(each.startswith("login:") for each in identities)
        return
    assert set(cells) <= set(COLUMNS)
    (row,), found = read_rows([("row 2", cells)], RULES)
    assert found == ()
    assert row.keys <= {identity_key(each) for each in identities}
    assert (row.address, row.language, row.zone) == (address, Language.KO, "UTC")


@pytest.mark.parametrize("role", ["unconfirmed/AWSReservedSSO_Labs_0123456789abcdef", "my-AWSReservedSSO_team"])
def test_a_role_that_is_only_named_like_identity_centers_is_exported_as_its_arn(role: str) -> None:
    """The caller chooses the session's name: in the column of Identity Center it would be another person's."""
    cells = cells_of(Person("person-1", (f"{HOME}/{role}/ceo@corp.example",), NOW, "mallory@example.com"), RULES)
    assert cells is not None
    assert cells["arn"] == f"{HOME}/{role}/ceo@corp.example"
    assert "identityCenter" not in cells
