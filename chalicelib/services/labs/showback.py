"""The cost of labs in a month, by person, team, account or tag: from the store's sums, without reading a lab.

Everyone sees their own and, in a team, their team's people; administrators and viewers see all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.costs import Billed, part_of_usage, parts_of_months
from chalicelib.domain.errors.findings import Finding, error, warning
from chalicelib.domain.errors.tree import AwsRefused, InvalidRequest, NotYours, Transient
from chalicelib.domain.identity.callers import Caller, Team
from chalicelib.domain.identity.user_pools import all_teams
from chalicelib.domain.labs.lab import INSTALLATION_TAG, Lab
from chalicelib.domain.labs.meter import first_of_month
from chalicelib.domain.labs.spending import MonthSum, Scope
from chalicelib.ports.deps import Deps
from chalicelib.services.labs.offers import teams_of_groups

#: The group of people without a team.
NO_TEAM = ""
#: Labs, newest first, that a comparison reads.
_MOST_LABS = 1000
_BY = (Scope.PERSON, Scope.TEAM, Scope.ACCOUNT, Scope.TAG)


@dataclass(frozen=True)
class CostRow:
    """`amounts`: named as in `spending`, in millionths of USD. `whose` is empty for people without a team."""

    whose: str
    amounts: Mapping[str, int]


@dataclass(frozen=True)
class Showback:
    """A month's rows, dearest first, and the total, each lab once; an export has one page's rows, and no total.

    `running`: the month has not ended; sums include reservations. `findings`: what may be missing in teams.
    """

    month: str
    by: Scope
    zone: str
    running: bool
    rows: tuple[CostRow, ...]
    total: Mapping[str, int]
    cursor: str | None = None
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class CostQuery:
    """The question: a month such as 2026-11, the grouping, and for an export the page."""

    month: str
    by: str
    format: str
    limit: int
    cursor: str | None
    compare: bool = False


def showback(deps: Deps, caller: Caller, teams: Iterable[Team], month: str, by: str, now: datetime) -> Showback:
    """Raises InvalidRequest for an invalid or a future month; NotYours for others' accounts and tags."""
    scope, present = _checked(deps, caller, month, by, now)
    groups, findings = teams_of_groups(deps, caller, "by") if scope is Scope.TEAM else ((), ())
    rows = tuple(sorted(_rows(deps, caller, all_teams(teams, groups or ()), month, scope), key=_dearest_first))
    once = _rows(deps, caller, (), month, Scope.PERSON) if scope in (Scope.TEAM, Scope.TAG) else rows
    total: Counter[str] = Counter()
    for row in once:
        total.update(row.amounts)
    return Showback(month, scope, deps.curfew.zone, month == present, rows, total, findings=findings)


def export(deps: Deps, caller: Caller, teams: Iterable[Team], asked: CostQuery, now: datetime) -> Showback:
    """A page of a month's rows; it reads nothing else. Teams, whose sums are made of people's, are one page; so are the rows of
    callers who don't see everybody: a cursor would name hidden people. A file has no room for findings: while
    the user pool does not answer, there is no file by team. Raises AwsRefused, Transient.
    """
    scope, present = _checked(deps, caller, asked.month, asked.by, now)
    cursor = None
    if scope is Scope.TEAM or not caller.sees_all:
        groups = deps.user_pool.teams() if scope is Scope.TEAM and deps.user_pool is not None else ()
        rows = tuple(_rows(deps, caller, all_teams(teams, groups), asked.month, scope))
    else:
        page = deps.store.month_page(asked.month, scope, asked.limit, asked.cursor)
        cursor, rows = page.cursor, tuple(CostRow(one.whose, one.amounts) for one in page.items)
    ordered = tuple(sorted(rows, key=_dearest_first))
    return Showback(asked.month, scope, deps.curfew.zone, asked.month == present, ordered, {}, cursor)


@dataclass(frozen=True)
class PartDifference:
    """A part of all labs by our estimate and by AWS's bill, in USD."""

    part: str
    usd: float
    billed_usd: float

    @property
    def percent(self) -> float | None:
        """The estimate's percentage above AWS's bill; negative below it; None without a bill."""
        return round(100 * (self.usd - self.billed_usd) / self.billed_usd, 1) if self.billed_usd else None


@dataclass(frozen=True)
class Comparison:
    """A month's estimate beside AWS's bill. `parts` is empty without an answer from AWS: then a finding says why."""

    start: datetime
    until: datetime
    parts: tuple[PartDifference, ...]
    findings: tuple[Finding, ...]
    requests: int = 0


def compare(deps: Deps, caller: Caller, month: str, now: datetime) -> Comparison:
    """The cost of all labs so far in a month beside Cost Explorer's, by part. For administrators: each request is billed.

    Raises InvalidRequest, NotYours.
    """
    if not caller.is_admin:
        raise NotYours("What AWS billed is asked by administrators: each question costs money.")
    _checked(deps, caller, month, Scope.ACCOUNT, now)
    year, number = map(int, month.split("-"))
    start, end = (
        first_of_month(y, m, deps.curfew.zone) for y, m in ((year, number), (year + number // 12, number % 12 + 1))
    )
    until, first = min(end, now), date(year, number, 1)
    try:
        billed = deps.curfew.cost_explorer.billed(first, date(year + number // 12, number % 12 + 1, 1))
    except (AwsRefused, Transient) as problem:
        unread = Sentence(
            "Cost Explorer could not be asked: {problem} It answers once it was opened in the "
            "console of the account, and in a member account of an organisation only if the "
            "management account allows it.",
            problem=str(problem),
        )
        return Comparison(start, until, (), (warning("compare", "cost-explorer-unread", unread),))
    labs = tuple(islice(deps.store.all_labs(None, ()), _MOST_LABS))
    ours = parts_of_months(labs, deps.curfew.prices, start, until)
    theirs: dict[str, float] = defaultdict(float)
    for usage_type, usd in billed.usd.items():
        theirs[part_of_usage(usage_type)] += usd
    parts = [PartDifference(part, ours.get(part, 0.0), theirs[part]) for part in sorted({*ours, *theirs})]
    whole = PartDifference("", sum(ours.values()), sum(theirs.values()))
    return Comparison(start, until, (*parts, whole), tuple(_doubts(deps, billed, labs)), billed.requests)


def _doubts(deps: Deps, billed: Billed, labs: Sequence[Lab]) -> Iterator[Finding]:
    """Reasons why the two may differ without an error."""
    if not billed.usd:
        message = Sentence(
            "AWS billed nothing with the tag {tag}. Activate it as a cost-allocation tag in the "
            "billing console of the account that pays; what was used before is not tagged in the bill, and "
            "it takes a day to show.",
            tag=INSTALLATION_TAG,
        )
        yield warning("compare", "nothing-billed", message)
    elif billed.estimated:
        yield warning(
            "compare",
            "estimated",
            "AWS's bill is not final: it is up to a day behind, and changes until the month is closed.",
        )
    if others := sorted({lab.account for lab in labs} - {deps.watch.home}):
        message = Sentence(
            "Labs of {names} are in what is reckoned here, and in AWS's bill only if {home} pays for them.",
            names=", ".join(others),
            home=deps.watch.home,
        )
        yield warning("compare", "other-accounts", message)
    if len(labs) >= _MOST_LABS:
        yield warning("compare", "labs-left-out", "Of ours only the newest {number} labs were read.", number=_MOST_LABS)


def _checked(deps: Deps, caller: Caller, month: str, by: str, now: datetime) -> tuple[Scope, str]:
    """The requested scope, and the present month."""
    present = f"{now.astimezone(ZoneInfo(deps.curfew.zone)):%Y-%m}"
    scope = _scope(by)
    if month > present:
        message = Sentence(
            "{month} has not begun: it is {present} in {zone}, where this installation's months begin.",
            month=month,
            present=present,
            zone=deps.curfew.zone,
        )
        raise InvalidRequest([error("month", "future-month", message)])
    if scope in (Scope.ACCOUNT, Scope.TAG) and not caller.sees_all:
        raise NotYours("Costs by {scope} are for administrators and viewers; by=person shows yours.", scope=scope)
    return scope, present


def _rows(deps: Deps, caller: Caller, teams: tuple[Team, ...], month: str, scope: Scope) -> Iterator[CostRow]:
    if scope is Scope.PERSON:
        yield from (CostRow(one.whose, one.amounts) for one in _people(deps, caller, month))
        return
    if scope is not Scope.TEAM:
        yield from (CostRow(whose, amounts) for whose, amounts in deps.store.month_sums(month, scope).items())
        return
    together: dict[str, Counter[str]] = {}
    for one in _people(deps, caller, month):
        for name in [team.name for team in teams if team.has(*one.identities)] or [NO_TEAM]:
            together.setdefault(name, Counter()).update(one.amounts)
    mine = {team.name for team in caller.teams}
    yield from (CostRow(name, sums) for name, sums in together.items() if caller.sees_all or name in mine)


def _people(deps: Deps, caller: Caller, month: str) -> Iterator[MonthSum]:
    """The people whom the caller may see: themself, under all permission sets, and members of their teams who have labs."""
    for one in deps.store.month_people([month])[month]:
        if one.whose == caller.person or any(map(caller.may_see, one.identities)):
            yield one


def _scope(by: str) -> Scope:
    if by not in [str(scope) for scope in _BY]:
        raise InvalidRequest([error("by", "unknown-value", "One of {names}.", names=", ".join(_BY))])
    return Scope(by)


def _dearest_first(row: CostRow) -> tuple[int, str]:
    return -row.amounts.get("micro_usd", 0), row.whose
