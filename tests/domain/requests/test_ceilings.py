"""The highest possible ceilings of a person whose teams are not all known."""

from __future__ import annotations

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.identity.callers import Caller, Team
from chalicelib.domain.requests.ceilings import AtLimit, Ceilings, MonthLimits, TeamRule, ceilings_of, highest

AMOUNTS = st.none() | st.sampled_from([0.0, 1.0, 2.0, 3.0])
TEAMS = tuple(Team(name, ()) for name in "abc")
RULES = st.tuples(
    *(
        st.builds(
            TeamRule,
            st.just(team.name),
            max_usd_hour=AMOUNTS,
            max_usd_lease=AMOUNTS,
            max_usd_month=AMOUNTS,
            ask_usd=AMOUNTS,
            at_limit=st.none() | st.sampled_from(AtLimit),
        )
        for team in TEAMS
    )
)
USUAL = st.builds(
    Ceilings,
    AMOUNTS,
    AMOUNTS,
    AMOUNTS,
    st.builds(MonthLimits, AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS),
    at_limit=st.sampled_from(AtLimit),
)


def amounts(ceilings: Ceilings) -> list[float]:
    return [
        inf if each is None else each for each in (ceilings.hour, ceilings.lease, ceilings.ask, ceilings.month.person)
    ]


@given(USUAL, RULES, st.sets(st.sampled_from(TEAMS)), st.sets(st.sampled_from(TEAMS)))
def test_no_team_that_is_not_known_makes_a_ceiling_higher_or_a_lab_sleep_sooner(
    usual: Ceilings, rules: tuple[TeamRule, ...], known: set[Team], others: set[Team]
) -> None:
    by_known, truly = (
        ceilings_of(usual, rules, Caller("", "", None, teams=tuple(teams))) for teams in (known, known | others)
    )
    most = highest(by_known, rules)
    assert [True for one, other in zip(amounts(truly), amounts(most), strict=True) if one > other] == []
    assert not (most.at_limit is AtLimit.HIBERNATE and truly.at_limit is AtLimit.ASK)
    assert (most.month.role, most.month.team, most.month.installation, most.teams) == (
        *(by_known.month.role, by_known.month.team, by_known.month.installation),
        by_known.teams,
    )
