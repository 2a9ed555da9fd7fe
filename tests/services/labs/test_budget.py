"""Ceilings of money: the maximum costs of a lab, a person, a team and the installation, checked before anything is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.costs import Prices
from chalicelib.domain.curfew.extension import ExtensionRequest
from chalicelib.domain.curfew.plan import Entry, Trigger
from chalicelib.domain.curfew.plan_entry import planned_for
from chalicelib.domain.curfew.signed_links import sign_link
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable, InvalidRequest, NotKept, OverBudget, TooManyLabs
from chalicelib.domain.identity.callers import Caller, Team
from chalicelib.domain.identity.person import Person
from chalicelib.domain.labs.lab import Change, Hibernation, Lab, NodegroupSize, Phase
from chalicelib.domain.labs.spec import CapacityType, LabSpec
from chalicelib.domain.labs.spending import COST, Scope, foreseen
from chalicelib.domain.requests.ceilings import MonthLimits, TeamRule
from chalicelib.domain.requests.offers import Offers
from chalicelib.domain.requests.quotas import QuotaReport
from chalicelib.services.curfew.keep import keep_by_link, keep_lab, look_at_link
from chalicelib.services.labs import commands
from chalicelib.services.labs.hibernation import wake_lab
from chalicelib.services.labs.lease import extend_lab
from chalicelib.workflows.night.run import NightRun
from chalicelib.workflows.night.send import WarningPage, send_all
from tests.api.curfew_world import an_entry
from tests.fakes import NOW, FakeWorld, a_caller, a_nodegroup, a_spec, make_deps
from tests.fakes.user_pool import FakeUserPool

MICRO = 1_000_000
#: The course's lab for its lease of eight hours.
LEASE = 8 * (0.10 + 2 * (0.052 + 30 * 0.0912 / 730 + 0.005))
EKS_IS_FULL = (TeamRule("eks", max_usd_month_team=LEASE + 0.01),)


def a_world(**offers: Any) -> FakeWorld:
    world = make_deps()
    world.store.kept_offers = replace(Offers(), **offers)
    return world


def ask(world: FakeWorld, name: str = "myeks", caller: Caller | None = None, spec: LabSpec | None = None) -> Lab:
    wanted = replace(spec or a_spec(), name=name)
    asking = commands.ValidatedRequest(wanted)
    return commands.request_lab(world.deps, caller or a_caller(), asking, None, "digest", world.clock.now()).lab


def test_a_request_reserves_its_leases_price() -> None:
    world = a_world()
    lab = ask(world)
    assert foreseen(lab) / MICRO == pytest.approx(LEASE, abs=1e-4)
    for scope, whose in ((Scope.PERSON, lab.owner), (Scope.INSTALLATION, ""), (Scope.ACCOUNT, lab.account)):
        assert world.store.month_sums("2026-11", scope)[whose][COST] == foreseen(lab)


def test_a_lease_that_costs_more_than_one_may_is_refused_with_both_sums() -> None:
    with pytest.raises(OverBudget) as refusal:
        ask(a_world(max_usd_lease=1.0))
    assert refusal.value.scope == Scope.LAB
    assert (
        str(refusal.value)
        == "The lab costs $1.77 to its lease's end; the most that one may cost here is $1.00 to its lease's end."
    )


def test_a_month_admits_what_fits_into_it_and_says_what_is_left() -> None:
    world = a_world(max_usd_month=MonthLimits(person=2 * LEASE + 0.01))
    ask(world, "a")
    ask(world, "b")
    with pytest.raises(OverBudget) as refusal:
        ask(world, "c")
    assert (refusal.value.scope, refusal.value.month) == (Scope.PERSON, "2026-11")
    assert "$0.01 is left" in str(refusal.value)
    assert len(world.store.labs) == 2
    ask(world, "c", a_caller(arn="arn:aws:iam::111122223333:user/other"))


def test_the_installation_has_a_month_of_its_own() -> None:
    world = a_world(max_usd_month=MonthLimits(installation=LEASE + 0.01))
    ask(world, "a")
    with pytest.raises(OverBudget) as refusal:
        ask(world, "b", a_caller(arn="arn:aws:iam::111122223333:user/other"))
    assert "this installation" in str(refusal.value)


def test_sessions_of_a_shared_role_have_one_month_together() -> None:
    """A caller chooses the session's name: under another one they would be another person with a month of their own."""
    world = a_world(max_usd_month=MonthLimits(person=2 * LEASE + 0.01, role=2 * LEASE + 0.01))
    for name in "ab":
        ask(world, name, a_caller(arn=f"arn:aws:sts::111122223333:assumed-role/Learners/{name}"))
    with pytest.raises(OverBudget) as refusal:
        ask(world, "c", a_caller(arn="arn:aws:sts::111122223333:assumed-role/Learners/c"))
    assert refusal.value.scope is Scope.ROLE


def test_a_team_may_spend_together_what_its_rule_says() -> None:
    world = a_world(teams=(TeamRule("shop", max_usd_month_team=LEASE * 1.5),))
    team = Team("shop", ("arn:aws:iam::111122223333:user/s*",))
    one, two = (a_caller(arn=f"arn:aws:iam::111122223333:user/s{n}", teams=(team,)) for n in (1, 2))
    ask(world, "a", one)
    with pytest.raises(OverBudget) as refusal:
        ask(world, "b", two)
    assert refusal.value.scope is Scope.TEAM
    ask(world, "b", a_caller())


def test_a_teams_rule_replaces_the_usual_for_its_people_only() -> None:
    world = a_world(max_usd_lease=1.0, teams=(TeamRule("shop", max_usd_lease=5.0, instance_types=("p5",)),))
    member = a_caller(teams=(Team("shop", ("*",)),))
    assert ask(world, "a", member).phase is Phase.REQUESTED
    with pytest.raises(OverBudget):
        ask(world, "b")


def test_an_extension_reserves_and_is_refused_where_nothing_is_left() -> None:
    world = a_world(max_usd_month=MonthLimits(person=LEASE * 1.5 + 0.01))
    lab = ask(world)
    longer = extend_lab(world.deps, a_caller(), lab.id, ExtensionRequest(hours=4), NOW).lab
    assert foreseen(longer) / MICRO == pytest.approx(LEASE * 1.5, abs=1e-4)
    with pytest.raises(OverBudget):
        extend_lab(world.deps, a_caller(), lab.id, ExtensionRequest(hours=1), NOW)
    assert world.store.load_lab(lab.id).lease_ends_at == longer.lease_ends_at


def test_more_nodes_are_reserved_for_and_fewer_are_never_refused() -> None:
    world = a_world(max_usd_month=MonthLimits(person=LEASE * 1.2))
    lab = ask(world)
    world.store.put(replace(lab, phase=Phase.READY))
    [group] = lab.spec.nodegroups
    with pytest.raises(OverBudget):
        commands.change_lab(world.deps, a_caller(), lab.id, Change(nodes={group.name: 9}), NOW)
    world.store.kept_offers = replace(world.store.kept_offers, max_usd_month=MonthLimits(person=0.0))
    assert commands.change_lab(world.deps, a_caller(), lab.id, Change(nodes={group.name: 1}), NOW).lab.change


def test_a_lab_that_ends_early_makes_room_once() -> None:
    """Settled: a reservation is freed by the save that ends the lab, and a second save frees nothing more."""
    world = a_world(max_usd_month=MonthLimits(person=LEASE * 1.5))
    lab = ask(world, "a")
    later = NOW + timedelta(hours=2)
    for phase in (Phase.PROVISIONING, Phase.READY):
        world.store.change_lab(lab.id, lambda stored, to=phase: stored.moved_to(to, NOW))
    for phase in (Phase.RELEASING, Phase.DELETED):
        world.store.change_lab(lab.id, lambda stored, to=phase: stored.moved_to(to, later))
    for _ in range(2):
        world.store.change_lab(
            lab.id, lambda stored: replace(stored, due_at=(stored.due_at or NOW) + timedelta(hours=1))
        )
    there = world.store.month_sums("2026-11", Scope.PERSON)[lab.owner]
    assert there[COST] / MICRO == pytest.approx(LEASE / 4, abs=1e-4)
    assert there["ended"] / MICRO == pytest.approx(LEASE * 3 / 4, abs=1e-4)
    ask(world, "b")
    with pytest.raises(OverBudget):
        ask(world, "c")


def test_a_crash_between_reserving_and_starting_reserves_for_the_lab_that_is_started_later() -> None:
    """Settled: lab and reservation are one write. The scheduled run starts the lab, or its failure frees the money."""
    world = a_world(max_usd_month=MonthLimits(person=LEASE * 1.5))
    world.fail("workflows.start", OSError("the process died"))
    with pytest.raises(OSError):
        ask(world, "a")
    [lab] = world.store.labs.values()
    assert (lab.phase, lab.due_at) == (Phase.REQUESTED, NOW + timedelta(seconds=60))
    assert world.store.month_sums("2026-11", Scope.PERSON)[lab.owner][COST] == foreseen(lab)
    world.store.change_lab(lab.id, lambda stored: stored.moved_to(Phase.ROLLING_BACK, NOW))
    world.store.change_lab(lab.id, lambda stored: stored.moved_to(Phase.FAILED, NOW))
    assert world.store.month_sums("2026-11", Scope.PERSON) == {}


def test_a_budget_that_is_lowered_below_what_runs_ends_nothing_and_admits_nothing() -> None:
    world = a_world()
    lab = ask(world, "a")
    world.store.kept_offers = replace(Offers(), max_usd_month=MonthLimits(person=0.01))
    world.store.change_lab(lab.id, lambda stored: stored.moved_to(Phase.PROVISIONING, NOW))
    with pytest.raises(OverBudget) as refusal:
        ask(world, "b")
    assert "$0.00 is left" in str(refusal.value)


def test_a_dry_run_hears_of_the_months_too() -> None:
    world = a_world(max_usd_month=MonthLimits(person=LEASE * 1.5))
    ask(world, "a")
    asking = commands.ValidatedRequest(a_spec(name="b"))
    with pytest.raises(OverBudget):
        commands.plan_lab(world.deps, a_caller(), asking, NOW)


@pytest.mark.parametrize("limits", [MonthLimits(person=LEASE * 1.5), MonthLimits(role=LEASE * 1.5)], ids=str)
def test_a_dry_run_is_refused_by_each_ceiling_that_the_request_would_be(limits: MonthLimits) -> None:
    """A session's labs count in the sum of its role, too, and a person's under a key that no new permission set changes."""
    arn = "arn:aws:sts::111122223333:assumed-role/Students/mina"
    first, second = a_caller(arn=arn), a_caller(arn=arn if limits.person else arn.replace("mina", "jun"))
    world = a_world(max_usd_month=limits)
    ask(world, "a", first)
    with pytest.raises(OverBudget) as planned:
        commands.plan_lab(world.deps, second, commands.ValidatedRequest(a_spec(name="b")), NOW)
    with pytest.raises(OverBudget) as asked:
        ask(world, "b", second)
    assert str(planned.value) == str(asked.value)


def test_a_price_that_changes_during_a_lease_changes_nothing_until_it_is_extended() -> None:
    world = a_world()
    lab = ask(world)
    twice = Prices("ap-northeast-2", 0.20, 1.0, 0.1824, 0.118, 0.010, {"t3.medium": 0.104})
    deps = replace(world.deps, curfew=replace(world.deps.curfew, prices=lambda _region: twice))
    world.store.change_lab(lab.id, lambda stored: stored.moved_to(Phase.PROVISIONING, NOW))
    assert foreseen(world.store.load_lab(lab.id)) == foreseen(lab)
    longer = extend_lab(deps, a_caller(), lab.id, ExtensionRequest(hours=8), NOW + timedelta(hours=4)).lab
    assert foreseen(longer) / MICRO == pytest.approx(LEASE / 2 + 1.5 * 2 * LEASE, abs=1e-3)


def test_what_is_wrong_besides_is_told_with_the_sum() -> None:
    spec = a_spec(nodegroups=(a_nodegroup(instance_types=("p5.48xlarge",), desired=10, min=10, max=10),))
    with pytest.raises(OverBudget) as refusal:
        ask(a_world(max_usd_hour=0.1), spec=spec)
    assert "not-offered" in [finding.code for finding in refusal.value.findings]
    assert "at least" in str(refusal.value)


def test_what_is_cheap_and_wrong_is_a_bad_request() -> None:
    with pytest.raises(InvalidRequest):
        ask(a_world(), spec=a_spec(nodegroups=(a_nodegroup(instance_types=("p5.48xlarge",)),)))


SSO = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_{}_0123456789abcdef/{}"


def a_learner(permission_set: str, name: str = "mina", **changes: Any) -> Caller:
    return a_caller(arn=SSO.format(permission_set, name), in_directory=True, **changes)


def test_a_person_with_several_permission_sets_has_one_month() -> None:
    """One rule defines a person: for the count, the ceiling, a dry run, a team and the showback."""
    world = a_world(max_usd_month=MonthLimits(person=LEASE * 1.5))
    ask(world, "a", a_learner("Labs"))
    for asked in (commands.plan_lab, lambda *args: ask(world, "b", a_learner("PowerUser"))):
        with pytest.raises(OverBudget) as refusal:
            asked(world.deps, a_learner("PowerUser"), commands.ValidatedRequest(a_spec(name="b")), NOW)
        assert refusal.value.scope is Scope.PERSON
    ask(world, "b", a_learner("Labs", "jun"))


def test_a_person_is_of_a_team_with_all_their_labs_whichever_permission_set_makes_them_one() -> None:
    team = Team("eks", ("arn:aws:sts::*:assumed-role/AWSReservedSSO_Labs/*",))
    world = a_world(teams=(TeamRule("eks", max_usd_month_team=LEASE * 2.5),))
    ask(world, "a", a_learner("Labs", teams=(team,)))
    ask(world, "b", a_learner("PowerUser"))
    with pytest.raises(OverBudget) as refusal:
        ask(world, "c", a_learner("Labs", "jun", teams=(team,)))
    assert (refusal.value.scope, refusal.value.there) == (Scope.TEAM, sum(map(foreseen, world.store.labs.values())))


JOINED = ("arn:aws:iam::111122223333:user/mina", SSO.format("Labs", "mina").replace("_0123456789abcdef", ""))


def with_joined(world: FakeWorld) -> tuple[Caller, Caller]:
    """Mina's two identities, which she has joined; the teams are the installation's."""
    assert world.people.save_people([], [Person("person-1", JOINED, NOW)])
    return a_caller(arn=JOINED[0]), a_learner("Labs")


def test_a_person_is_counted_once_by_all_identities_that_they_joined() -> None:
    world = a_world(max_usd_month=MonthLimits(person=LEASE * 1.5))
    one, other = with_joined(world)
    ask(world, "a", one)
    for asked in (commands.plan_lab, lambda *args: ask(world, "b", other)):
        with pytest.raises(OverBudget) as refusal:
            asked(world.deps, other, commands.ValidatedRequest(a_spec(name="b")), NOW)
        assert refusal.value.scope is Scope.PERSON
    assert set(world.store.month_sums("2026-11", Scope.PERSON)) == {JOINED[0]}


def test_the_most_labs_of_a_person_are_counted_by_all_identities_that_they_joined() -> None:
    world = a_world()
    deps = replace(world.deps, limits=replace(world.deps.limits, max_labs_per_owner=1))
    world.deps = deps
    one, other = with_joined(world)
    ask(world, "a", one)
    with pytest.raises(TooManyLabs):
        ask(world, "b", other)


@pytest.mark.parametrize("joined", [True, False])
def test_the_teams_that_a_lab_is_charged_to_do_not_follow_from_the_identity_that_asks(joined: bool) -> None:
    """Under a permission set of no team she would have spent beyond her team's ceiling."""
    team = Team("eks", (JOINED[0], "arn:aws:sts::*:assumed-role/AWSReservedSSO_Team/*"))
    world = a_world(teams=(TeamRule("eks", max_usd_month_team=LEASE * 1.5),))
    world.deps = replace(world.deps, curfew=replace(world.deps.curfew, teams=(team,)))
    if joined:
        with_joined(world)
        ask(world, "a", a_caller(arn=JOINED[0], teams=(team,)))
    else:
        ask(world, "a", a_learner("Team", teams=(team,)))
    with pytest.raises(OverBudget) as refusal:
        ask(world, "b", a_learner("Labs"))
    assert refusal.value.scope is Scope.TEAM
    ask(world, "b", a_learner("Labs", "jun"))


def test_an_administrator_of_no_team_extends_no_lab_beyond_its_owners_team() -> None:
    team = Team("eks", (a_caller().arn,))
    world = a_world(teams=(TeamRule("eks", max_usd_month_team=LEASE * 1.2),))
    world.deps = replace(world.deps, curfew=replace(world.deps.curfew, teams=(team,)))
    lab = ask(world, "a")
    teacher = a_caller(arn="arn:aws:iam::111122223333:user/teacher", is_admin=True)
    with pytest.raises(OverBudget) as refusal:
        extend_lab(world.deps, teacher, lab.id, ExtensionRequest(hours=4), NOW)
    assert refusal.value.scope is Scope.TEAM


MINE = (Team("eks", (a_caller().arn,)),)
#: Of a lease beyond the curfew of ten in the evening, UTC.
LONG, JUST = 13, 13 / 8 * LEASE + 0.01


@pytest.mark.parametrize("trigger", [Trigger.IDLE, Trigger.LEASE])
@pytest.mark.parametrize(
    ("offers", "longer"),
    [
        ({}, True),
        ({"max_usd_lease": JUST}, False),
        ({"ask_usd": JUST}, False),
        ({"max_usd_month": MonthLimits(person=JUST)}, False),
        ({"max_usd_month": MonthLimits(team=JUST)}, False),
        ({"max_usd_month": MonthLimits(installation=JUST)}, False),
        ({"teams": (TeamRule("eks", max_usd_month=JUST),)}, False),
        ({"teams": (TeamRule("eks", max_usd_lease=JUST),)}, False),
        ({"teams": (TeamRule("eks", ask_usd=JUST),)}, False),
        ({"teams": (TeamRule("eks", max_usd_month_team=JUST),)}, False),
        ({"max_usd_month": MonthLimits(person=100.0, team=100.0, installation=100.0)}, True),
        ({"max_usd_lease": JUST, "teams": (TeamRule("eks", max_usd_lease=100.0),)}, True),
    ],
    ids=str,
)
def test_mail_page_and_button_promise_the_same_lease_under_every_ceiling(
    offers: dict[str, Any], longer: bool, trigger: Trigger
) -> None:
    """A mail and a page that promised a longer lease were refused at the button."""
    world = a_world(**offers)
    world.deps = replace(world.deps, curfew=replace(world.deps.curfew, teams=MINE))
    world.deps = replace(world.deps, watch=replace(world.deps.watch, api_url="https://api.example.com"))
    lab = ask(world, spec=a_spec(lease_hours=LONG))
    at = lab.lease_ends_at - timedelta(hours=trigger is Trigger.IDLE)
    entry = an_entry(at=at, lab_id=lab.id, trigger=trigger)
    world.store.put(replace(planned_for(lab, entry), phase=Phase.READY))
    world.curfew.store.publish(entry.night, [entry], NOW)
    mail = warned(world, entry)
    token = sign_link(lab.id, entry.night, entry.id, at + timedelta(hours=1), world.deps.curfew.signing_key())
    assert ("ekslab extend" in mail) is longer
    if trigger is Trigger.LEASE and not longer:
        for act in (look_at_link, keep_by_link):
            with pytest.raises(NotKept) as refusal:
                act(world.deps, token, NOW)
            assert str(refusal.value).startswith("Its lease can't be extended for that: ")
        assert "no link to keep it, because its lease can't be extended" in mail
        assert "allowance" not in mail
        return
    seen, kept = look_at_link(world.deps, token, NOW), keep_by_link(world.deps, token, NOW)
    assert seen.keeping.until == kept.keeping.until
    assert (kept.lab.lease_ends_at > lab.lease_ends_at, kept.keeping.no_room) == (longer, not longer)
    assert f"{kept.keeping.until:%a %d %b %H:%M} (UTC)" in mail


def warned(world: FakeWorld, entry: Entry) -> str:
    """The text of the mail about an entry."""
    line = world.curfew.store.line(entry.night, entry.id)
    assert line is not None
    assert send_all(NightRun(world.deps, NOW), WarningPage((line[1],)), (), "run") == 0
    [message] = [each for each in world.watch.notifier.messages if each.kind == "curfew-warning"]
    return " ".join(message.body.split())


OTHERS = a_caller(arn="arn:aws:iam::111122223333:user/teacher", is_admin=True)


@pytest.mark.parametrize(
    ("caller", "agreed"),
    [
        (a_caller(), False),
        (a_caller(is_admin=True), False),
        (
            replace(
                a_caller(), arn=a_caller().arn.replace("iam", "sts").replace(":user", ":assumed-role/T"), is_admin=True
            ),
            False,
        ),
        (OTHERS, True),
    ],
    ids=str,
)
def test_what_an_approver_must_agree_to_is_reached_by_no_extension_and_no_node(caller: Caller, agreed: bool) -> None:
    """A request for one cheap hour could have been extended beyond the approval limit."""
    world = a_world(ask_usd=LEASE + 0.01)
    lab = ask(world)
    world.store.put(replace(lab, phase=Phase.READY))
    [group] = lab.spec.nodegroups
    if agreed:
        assert extend_lab(world.deps, caller, lab.id, ExtensionRequest(hours=1), NOW).lab != lab
        assert commands.change_lab(world.deps, caller, lab.id, Change(nodes={group.name: 3}), NOW).lab.change
        return
    for act in (
        lambda: extend_lab(world.deps, caller, lab.id, ExtensionRequest(hours=1), NOW),
        lambda: commands.change_lab(
            world.deps, replace(caller, arn=a_caller().arn), lab.id, Change(nodes={group.name: 3}), NOW
        ),
    ):
        with pytest.raises(OverBudget) as refusal:
            act()
        assert "an approver must agree" in str(refusal.value)
    assert world.store.load_lab(lab.id).lease_ends_at == lab.lease_ends_at


@pytest.mark.parametrize("ceiling", [{"max_usd_hour": 0.01}, {"max_usd_lease": 0.01}, {"ask_usd": 0.0}], ids=str)
def test_a_ceiling_below_what_runs_refuses_nothing_that_makes_it_cheaper(ceiling: dict[str, Any]) -> None:
    world = a_world()
    lab = ask(world)
    world.store.put(replace(lab, phase=Phase.READY))
    world.store.kept_offers = replace(Offers(), **ceiling)
    [group] = lab.spec.nodegroups
    assert commands.change_lab(world.deps, a_caller(), lab.id, Change(nodes={group.name: 1}), NOW).lab.change


def test_a_team_of_the_user_pool_is_its_labs_owners_whoever_makes_them_dearer() -> None:
    """Its groups define teams; an administrator, and the holder of a keep-link, are in none of them."""
    world = a_world(teams=(TeamRule("eks", max_usd_month_team=LEASE * 1.2),))
    pool = FakeUserPool(world.account, world.clock)
    owner = pool.add("mina", "team-eks")
    world.deps = replace(world.deps, user_pool=pool)
    lab = ask(world, "a", a_caller(arn=owner, teams=pool.teams()))
    entry = an_entry(at=lab.lease_ends_at, lab_id=lab.id, trigger=Trigger.LEASE)
    world.store.put(replace(planned_for(lab, entry), phase=Phase.READY))
    world.curfew.store.publish(entry.night, [entry], NOW)
    with pytest.raises(OverBudget) as refusal:
        extend_lab(world.deps, OTHERS, lab.id, ExtensionRequest(hours=4), NOW)
    assert refusal.value.scope is Scope.TEAM
    with pytest.raises(NotKept):
        keep_lab(world.deps, OTHERS, lab.id, NOW)
    world.fail("user_pool.standing", AwsUnavailable("Cognito is away."))
    assert keep_lab(world.deps, OTHERS, lab.id, NOW).lab.lease_ends_at > lab.lease_ends_at


def test_a_team_of_the_setting_and_a_group_of_its_name_are_one_team() -> None:
    learner = a_caller(arn="arn:aws:iam::111122223333:user/jun")
    world = a_world(teams=(TeamRule("eks", max_usd_month_team=LEASE * 1.2),))
    pool = FakeUserPool(world.account, world.clock)
    owner = pool.add("mina", "team-eks")
    curfew = replace(world.deps.curfew, teams=(Team("eks", (learner.arn,)),))
    world.deps = replace(world.deps, user_pool=pool, curfew=curfew)
    ask(world, "a", replace(learner, teams=curfew.teams))
    with pytest.raises(OverBudget) as refusal:
        ask(world, "b", a_caller(arn=owner, teams=pool.teams()))
    assert refusal.value.scope is Scope.TEAM


def full_of(world: FakeWorld, kind: str = "L-1216C47A", used: int = 4) -> None:
    world.network.processors["t3.medium"] = ("x86_64",)
    world.quotas.report = QuotaReport({kind: 5.0}, {kind: used})


@pytest.mark.parametrize(
    "limits", [{"max_usd_month": MonthLimits(person=LEASE + 0.01)}, {"teams": EKS_IS_FULL}], ids=str
)
def test_a_link_that_keeps_a_lab_extends_no_lease_beyond_a_ceiling(limits: dict[str, Any]) -> None:
    """Owners who may not extend would have kept their lab instead, a night at a time."""
    world = a_world(**limits)
    world.deps = replace(world.deps, curfew=replace(world.deps.curfew, teams=(Team("eks", (a_caller().arn,)),)))
    lab = ask(world)
    entry = an_entry(at=lab.lease_ends_at, lab_id=lab.id, trigger=Trigger.LEASE)
    world.store.put(replace(planned_for(lab, entry), phase=Phase.READY))
    world.curfew.store.publish(entry.night, [entry], NOW)
    with pytest.raises(NotKept) as refusal:
        keep_lab(world.deps, a_caller(), lab.id, NOW)
    assert "is left" in str(refusal.value)
    assert world.store.load_lab(lab.id).lease_ends_at == lab.lease_ends_at
    world.store.kept_offers = Offers()
    assert keep_lab(world.deps, a_caller(), lab.id, NOW).lab.lease_ends_at > lab.lease_ends_at


def test_at_a_ceiling_a_lab_is_kept_from_idleness_as_long_as_its_lease_lasts() -> None:
    world = a_world(max_usd_month=MonthLimits(person=LEASE + 0.01))
    lab = ask(world)
    entry = an_entry(at=lab.lease_ends_at - timedelta(hours=1), lab_id=lab.id)
    world.store.put(replace(planned_for(lab, entry), phase=Phase.READY))
    world.curfew.store.publish(entry.night, [entry], NOW)
    kept = keep_lab(world.deps, a_caller(), lab.id, NOW)
    assert (kept.lab.lease_ends_at, kept.keeping.until) == (lab.lease_ends_at, lab.lease_ends_at)
    assert kept.keeping.clamped


def test_more_nodes_than_awss_quota_has_room_for_are_refused_at_their_field() -> None:
    world = a_world()
    lab = ask(world)
    world.store.put(replace(lab, phase=Phase.READY))
    full_of(world)
    [group] = lab.spec.nodegroups
    with pytest.raises(InvalidRequest) as refusal:
        commands.change_lab(world.deps, a_caller(), lab.id, Change(nodes={group.name: 3}), NOW)
    [finding] = refusal.value.findings
    assert (finding.path, finding.code) == ("nodegroups[0].desired", "quota-exceeded")
    assert "It needs 2 vCPUs" in finding.message
    assert "4 of 5 are in use" in finding.message
    assert "request-service-quota-increase --region ap-northeast-2 --service-code ec2 --quota-code L-1216C47A" in (
        finding.message
    )
    assert world.store.load_lab(lab.id).phase is Phase.READY
    assert commands.change_lab(world.deps, a_caller(), lab.id, Change(nodes={group.name: 1}), NOW).lab.change


@pytest.mark.parametrize("spot", [False, True])
def test_a_lab_wakes_only_into_room_that_awss_quota_has(spot: bool) -> None:
    world = a_world()
    capacity = CapacityType.SPOT if spot else CapacityType.ON_DEMAND
    lab = ask(world, spec=a_spec(nodegroups=(a_nodegroup(desired=2, capacity_type=capacity),)))
    [group] = lab.spec.nodegroups
    sleep = Hibernation((NodegroupSize(group.name, 0, 2, 2),), NOW, "It is night.")
    world.store.put(replace(lab, phase=Phase.HIBERNATED, hibernation=sleep))
    full_of(world, "L-34B43A08" if spot else "L-1216C47A")
    with pytest.raises(InvalidRequest) as refusal:
        wake_lab(world.deps, a_caller(), lab.id, NOW)
    [finding] = refusal.value.findings
    assert (finding.path, finding.code) == ("nodegroups[0].desired", "quota-exceeded")
    assert world.store.load_lab(lab.id).phase is Phase.HIBERNATED
    world.quotas.report = QuotaReport(unread=("AccessDenied",))
    assert "quotas-unread" in [finding.code for finding in wake_lab(world.deps, a_caller(), lab.id, NOW).findings]


@pytest.mark.parametrize("act", ["ask", "extend", "keep"])
def test_a_team_of_the_user_pool_is_of_whoever_joined_its_member(act: str) -> None:
    """An IAM user, joined to a login of the browser, spent and extended beyond the ceiling of the login's group."""
    world = a_world(teams=(TeamRule("eks", max_usd_month_team=LEASE * 1.2),))
    pool = FakeUserPool(world.account, world.clock)
    login, user = pool.add("mina", "team-eks"), JOINED[0]
    world.deps = replace(world.deps, user_pool=pool)
    assert world.people.save_people([], [Person("person-1", (user, login), NOW)])
    lab = ask(world, "a", a_caller(arn=user))
    entry = an_entry(at=lab.lease_ends_at, lab_id=lab.id, trigger=Trigger.LEASE)
    world.store.put(replace(planned_for(lab, entry), phase=Phase.READY))
    world.curfew.store.publish(entry.night, [entry], NOW)
    acts: dict[str, Callable[[], object]] = {
        "ask": lambda: ask(world, "b", a_caller(arn=user)),
        "extend": lambda: extend_lab(world.deps, a_caller(arn=user), lab.id, ExtensionRequest(hours=4), NOW),
        "keep": lambda: keep_lab(world.deps, OTHERS, lab.id, NOW),
    }
    with pytest.raises(NotKept if act == "keep" else OverBudget):
        acts[act]()
    world.fail("user_pool.standing", AwsRefused("cognito-idp:AdminGetUser", "ResourceNotFoundException", "No pool."))
    acts[act]()


@pytest.mark.parametrize(
    ("offers", "grouped", "mailed", "kept"),
    [
        (
            {"max_usd_month": MonthLimits(person=JUST), "teams": (TeamRule("pool", max_usd_month=100.0),)},
            True,
            True,
            True,
        ),
        (
            {"max_usd_month": MonthLimits(person=JUST), "teams": (TeamRule("pool", max_usd_month=100.0),)},
            False,
            True,
            False,
        ),
        ({"max_usd_lease": JUST, "teams": (TeamRule("pool", max_usd_lease=100.0),)}, True, True, True),
        ({"ask_usd": JUST, "teams": (TeamRule("pool", ask_usd=100.0),)}, True, True, True),
        ({"max_usd_month": MonthLimits(person=JUST)}, True, False, False),
        (
            {"max_usd_month": MonthLimits(person=JUST), "teams": (TeamRule("pool", max_usd_month=0.5),)},
            True,
            False,
            False,
        ),
        (
            {"max_usd_month": MonthLimits(installation=JUST), "teams": (TeamRule("pool", max_usd_month=9.0),)},
            True,
            False,
            False,
        ),
    ],
)
@pytest.mark.parametrize("joined", [False, True])
def test_a_warning_withholds_no_link_for_a_ceiling_that_a_group_may_lift(
    offers: dict[str, Any], grouped: bool, mailed: bool, kept: bool, joined: bool
) -> None:
    """The nightly run does not read groups: its mail said that the lease can't be extended, though the link would have extended
    it.
    """
    world = a_world()
    pool = FakeUserPool(world.account, world.clock)
    login = pool.add("mina", *(["team-pool"] if grouped else []))
    owner = JOINED[0] if joined else login
    assert world.people.save_people([], [Person("person-1", (JOINED[0], login), NOW)] if joined else [])
    watch = replace(world.deps.watch, api_url="https://api.example.com")
    world.deps = replace(world.deps, user_pool=pool, watch=watch)
    lab = ask(world, caller=a_caller(arn=owner), spec=a_spec(lease_hours=LONG))
    world.store.kept_offers = replace(Offers(), **offers)
    entry = an_entry(at=lab.lease_ends_at, lab_id=lab.id, trigger=Trigger.LEASE)
    world.store.put(replace(planned_for(lab, entry), phase=Phase.READY))
    world.curfew.store.publish(entry.night, [entry], NOW)
    assert ("ekslab extend" in warned(world, entry)) is mailed
    token = sign_link(
        lab.id, entry.night, entry.id, lab.lease_ends_at + timedelta(hours=1), world.deps.curfew.signing_key()
    )
    if kept:
        assert keep_by_link(world.deps, token, NOW).lab.lease_ends_at > lab.lease_ends_at
    else:
        with pytest.raises(NotKept):
            keep_by_link(world.deps, token, NOW)
