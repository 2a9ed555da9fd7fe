"""Public holidays: known days off in Seoul and Munich, and the lazy import of the library."""

from __future__ import annotations

import subprocess
import sys
from datetime import date

import pytest

from chalicelib.aws.system.holidays import is_known_country, public_holidays
from chalicelib.domain.labs.schedule import Schedule, is_quiet


@pytest.mark.parametrize(
    ("country", "day"),
    [
        ("KR", date(2026, 1, 1)),
        ("KR", date(2026, 2, 17)),
        ("KR", date(2026, 9, 25)),
        ("KR", date(2026, 12, 25)),
        ("DE", date(2026, 10, 3)),
        ("DE-BY", date(2026, 1, 6)),
        ("GB-SCT", date(2026, 1, 2)),
        ("US", date(2026, 11, 26)),
    ],
)
def test_a_public_holiday_is_known(country: str, day: date) -> None:
    assert day in public_holidays(country, day.year)
    assert is_quiet(Schedule("Asia/Seoul", holidays=country), day, public_holidays)


def test_a_holiday_that_falls_on_a_sunday_has_its_substitute_day() -> None:
    assert {date(2026, 3, 1), date(2026, 3, 2)} <= public_holidays("KR", 2026)


def test_a_subdivision_has_more_holidays_than_its_country() -> None:
    assert date(2026, 1, 6) not in public_holidays("DE", 2026)
    assert public_holidays("DE", 2026) < public_holidays("DE-BY", 2026)


def test_only_the_years_own_days_are_given() -> None:
    for year in (2025, 2026, 2027):
        assert {day.year for day in public_holidays("KR", year)} == {year}


def test_an_ordinary_day_is_not_quiet() -> None:
    assert not is_quiet(Schedule("Asia/Seoul", holidays="KR"), date(2026, 11, 23), public_holidays)


@pytest.mark.parametrize("country", ["KR", "US", "GB", "DE", "DE-BY", "GB-SCT", "US-CA"])
def test_a_country_is_known_by_its_iso_code(country: str) -> None:
    assert is_known_country(country)


@pytest.mark.parametrize(
    "country", ["", "-", "XX", "kr", "KOR", "UK", "Korea", "DE-", "DE-XX", "DE-by", "KR-BY", "../KR"]
)
def test_anything_else_is_no_country(country: str) -> None:
    assert not is_known_country(country)


def test_a_country_that_is_not_known_has_no_holidays_and_raises_nothing() -> None:
    assert public_holidays("XX", 2026) == frozenset()
    assert public_holidays("DE-XX", 2026) == frozenset()


def test_the_library_is_loaded_by_the_first_country_and_not_before() -> None:
    """In a process of its own: this one has imported it before."""
    code = (
        "import sys; import chalicelib.aws.system.holidays as ours; before = 'holidays' in sys.modules; "
        "ours.public_holidays('KR', 2026); print(before, 'holidays' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
