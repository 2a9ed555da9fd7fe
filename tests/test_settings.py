"""Settings are read from the environment once, with the defaults in docs/reference/settings.md."""

from __future__ import annotations

from datetime import time

import pytest

from chalicelib.domain.identity.callers import Team
from chalicelib.domain.labs.schedule import AtCurfew, Schedule
from chalicelib.domain.notices.reminders import REMINDER_DAYS
from chalicelib.settings import load_settings

REQUIRED = {
    "AWS_REGION": "ap-northeast-2",
    "EKSLAB_ACCOUNT": "111122223333",
    "EKSLAB_TABLE": "labs",
    "EKSLAB_STACK": "ekslab",
    "EKSLAB_LAB_STACK_ROLE": "arn:aws:iam::111122223333:role/labs",
    "EKSLAB_LAB_VIEW_ROLE": "arn:aws:iam::111122223333:role/looks",
}


def test_what_is_not_set_has_its_default() -> None:
    watch = load_settings(REQUIRED).watch
    assert (watch.regions, watch.reminder_days, watch.unreadable_after_days) == (("ap-northeast-2",), REMINDER_DAYS, 3)
    assert (watch.administrators, watch.default_owner, watch.chat_topic_arn) == (None,) * 3


def test_topics_are_english_unless_the_installation_says_otherwise() -> None:
    wished = load_settings({**REQUIRED, "EKSLAB_LANGUAGE": "ko"})
    assert (load_settings(REQUIRED).language, wished.language) == ("en", "ko")


def test_an_empty_parameter_is_one_that_is_not_set() -> None:
    names = (
        "WATCH_REGIONS",
        "REMINDER_DAYS",
        "NOTICE_ADMINISTRATORS",
        "EXTERNAL_ID",
        "NOTICE_DEFAULT_OWNER",
        "SESSION_POLICY",
    )
    assert load_settings({**REQUIRED, **{f"EKSLAB_{name}": "" for name in names}}) == load_settings(REQUIRED)


def test_curfew_is_at_ten_every_evening_unless_the_installation_says_otherwise() -> None:
    usual = load_settings(REQUIRED).curfew
    assert (usual.schedule, usual.zone, usual.report_hour) == (Schedule(), "UTC", 7)
    assert (usual.rules.max_ahead_hours, usual.rules.max_total_hours) == (72, 336)


def test_an_installation_has_an_evening_of_its_own() -> None:
    own = {"TIME_ZONE": "Asia/Seoul", "CURFEW": "21:30", "CURFEW_DAYS": "mon,fri", "HOLIDAYS": "KR"}
    more = {"AT_CURFEW": "hibernate", "WAKE": "08:30", "MAX_LEASE_HOURS": "48", "MAX_TOTAL_HOURS": "24"}
    curfew = load_settings({**REQUIRED, **{f"EKSLAB_{name}": value for name, value in (own | more).items()}}).curfew
    expected = Schedule("Asia/Seoul", time(21, 30), (0, 4), "KR", (), AtCurfew.HIBERNATE, time(8, 30))
    assert (curfew.schedule, curfew.zone) == (expected, "Asia/Seoul")
    assert (curfew.rules.max_ahead_hours, curfew.rules.max_total_hours) == (48, 48)


def test_a_ladder_falls_whatever_order_it_is_written_in() -> None:
    assert load_settings({**REQUIRED, "EKSLAB_REMINDER_DAYS": "1, 30,7,30,0"}).watch.reminder_days == (30, 7, 1, 0)


def test_teams_are_named_by_patterns_several_for_one_if_need_be() -> None:
    settings = load_settings({**REQUIRED, "EKSLAB_TEAMS": "shop=a/*, data=b=c,shop=d", "EKSLAB_VIEWERS": "x, y"})
    assert settings.teams == (Team("shop", ("a/*", "d")), Team("data", ("b=c",)))
    assert settings.viewers == ("x", "y")
    assert (load_settings(REQUIRED).teams, load_settings(REQUIRED).viewers) == ((), ())


@pytest.mark.parametrize("teams", ["shop", "shop=", "=a", "shop=a,data"])
def test_a_team_without_a_name_or_a_pattern_is_refused(teams: str) -> None:
    with pytest.raises(ValueError, match=r"EKSLAB_TEAMS: .* is not name=pattern"):
        load_settings({**REQUIRED, "EKSLAB_TEAMS": teams})


@pytest.mark.parametrize("missing", sorted(REQUIRED))
def test_a_required_variable_that_is_missing_is_named(missing: str) -> None:
    with pytest.raises(KeyError, match=missing):
        load_settings({name: value for name, value in REQUIRED.items() if name != missing})
