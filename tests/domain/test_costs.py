"""Costs of labs: sums that a reader can check by hand, and a plain statement where a price is missing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.costs import (
    UNKNOWN_TYPE,
    Cost,
    CostPart,
    Machines,
    describe_cost,
    describe_keeping,
    describe_source,
    hibernated_cost,
    hourly_cost,
    keeping_cost,
    lease_price,
    meter_of,
    part_of_usage,
    parts_of_months,
    saved,
    saved_hourly,
    usd,
)
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.schedule import AtCurfew
from chalicelib.domain.labs.spec import ExistingNetwork, NatMode, NewNetwork, Placement, WorkHostSpec
from chalicelib.domain.labs.spending import foreseen, spent
from tests.fakes.builders import NOW, a_lab, a_nodegroup, a_spec
from tests.fakes.curfew import a_price_list

PRICES = a_price_list()


def lab(phase: str = "ready", **spec: Any) -> Lab:
    return a_lab(phase=phase, spec=a_spec(**spec))


def message(cost: Cost) -> dict[str, float]:
    return {part.name: round(part.usd_hour, 4) for part in cost.parts}


def test_the_courses_lab_costs_about_22_cents_an_hour_and_72_in_extended_support() -> None:
    assert message(hourly_cost(lab(), PRICES, extended=False)) == {
        "control plane": 0.10,
        "2 t3.medium": 0.104,
        "60 GiB of gp3": 0.0075,
        "2 public IPv4 addresses": 0.01,
    }
    assert describe_cost(hourly_cost(lab(), PRICES, extended=False)) == "$0.22 an hour"
    assert describe_cost(hourly_cost(lab(), PRICES, extended=True)) == "$0.72 an hour"


def test_row_3_machines_are_priced_as_they_were_seen_and_not_as_they_were_asked_for() -> None:
    """Issue 12, row 3: a g5's warning said $0.22 an hour."""
    seen = (
        Machines("myeks-nodegroup", ("g5.xlarge",)),
        Machines("by-hand", ("t3.medium",)),
        Machines("", ("g5.xlarge",)),
    )
    cost = message(hourly_cost(lab(), PRICES, extended=False, seen=seen))
    assert (cost["2 g5.xlarge"], cost["1 t3.medium"], cost["30 GiB of gp3"]) == (2.474, 0.052, 0.0037)
    assert saved_hourly(lab(), PRICES, False, AtCurfew.HIBERNATE, seen) == pytest.approx(
        1.237 + 0.052 + 0.0037 + 0.005, abs=1e-3
    )


def test_row_3_a_machine_whose_type_nobody_told_has_no_price_and_is_said_to_have_none() -> None:
    cost = hourly_cost(lab(), PRICES, extended=False, seen=(Machines("myeks-nodegroup", (UNKNOWN_TYPE,) * 2),))
    assert cost.certain is None
    assert describe_cost(cost).endswith("(no price known for machines of an unknown type)")


def test_private_nodes_have_no_public_address_but_their_nat_gateway_has() -> None:
    private = (a_nodegroup(placement=Placement.PRIVATE),)
    cost = hourly_cost(lab(nodegroups=private, network=NewNetwork(nat=NatMode.SINGLE)), PRICES, extended=False)
    assert message(cost)["NAT gateway"] == 0.059
    assert message(cost)["1 public IPv4 address"] == 0.005


def test_a_guest_in_someone_elses_network_pays_for_no_nat_gateway() -> None:
    private = (a_nodegroup(placement=Placement.PRIVATE),)
    guest = lab(nodegroups=private, network=ExistingNetwork("vpc-0a", (), ("subnet-0a",)))
    assert set(message(hourly_cost(guest, PRICES, extended=False))) == {"control plane", "2 t3.medium", "60 GiB of gp3"}


def test_a_work_host_counts_with_the_nodes_of_its_type_and_has_an_address() -> None:
    cost = hourly_cost(lab(work_host=WorkHostSpec()), PRICES, extended=False)
    assert message(cost)["3 t3.medium"] == 0.156
    assert message(cost)["3 public IPv4 addresses"] == 0.015


def test_a_type_without_a_price_is_named_once_and_the_total_is_an_at_least() -> None:
    groups = (a_nodegroup(name="gpu", instance_types=("p5.48xlarge",)), a_nodegroup(), a_nodegroup(name="three"))
    cost = hourly_cost(lab(nodegroups=(groups[0], replace(groups[0], name="two"))), PRICES, extended=False)
    assert cost.unknown == ("p5.48xlarge",)
    assert cost.certain is None
    assert describe_cost(cost) == "at least $0.13 an hour (no price known for p5.48xlarge)"
    assert message(hourly_cost(lab(nodegroups=groups), PRICES, extended=False))["4 t3.medium"] == 0.208


def test_an_empty_group_of_an_unknown_type_makes_nothing_uncertain() -> None:
    empty = lab(nodegroups=(a_nodegroup(instance_types=("p5.48xlarge",), desired=0, min=0),))
    assert hourly_cost(empty, PRICES, extended=False).certain == pytest.approx(0.10)


def test_asleep_the_control_plane_nat_and_the_work_host_are_still_paid_for() -> None:
    spec: dict[str, Any] = {"work_host": WorkHostSpec(), "network": NewNetwork(nat=NatMode.SINGLE)}
    cost = hibernated_cost(lab(**spec), PRICES, extended=True)
    assert set(message(cost)) == {
        "control plane",
        "extended support",
        "1 t3.medium",
        "NAT gateway",
        "2 public IPv4 addresses",
    }
    assert hourly_cost(lab("hibernated", **spec), PRICES, extended=True) == cost


def test_ending_saves_everything_and_hibernating_saves_the_nodes() -> None:
    assert saved_hourly(lab(), PRICES, False, AtCurfew.END) == pytest.approx(0.2215, abs=1e-4)
    assert saved_hourly(lab(), PRICES, False, AtCurfew.HIBERNATE) == pytest.approx(0.1215, abs=1e-4)
    assert saved_hourly(lab("hibernated"), PRICES, False, AtCurfew.END) == pytest.approx(0.10)


def test_what_an_act_saves_is_not_known_where_its_price_is_not() -> None:
    unknown = lab(nodegroups=(a_nodegroup(instance_types=("p5.48xlarge",)),))
    assert saved_hourly(unknown, PRICES, False, AtCurfew.END) is None
    assert saved_hourly(unknown, PRICES, False, AtCurfew.HIBERNATE) is None
    host = lab(work_host=WorkHostSpec("p5.48xlarge"))
    assert saved_hourly(host, PRICES, False, AtCurfew.HIBERNATE) == pytest.approx(0.1215, abs=1e-4)


def test_keeping_a_lab_for_a_day_costs_24_hours_and_for_the_past_nothing() -> None:
    assert keeping_cost(0.22, NOW, NOW + timedelta(days=1)) == pytest.approx(5.28)
    assert keeping_cost(0.22, NOW, NOW - timedelta(days=1)) == 0
    assert keeping_cost(None, NOW, NOW + timedelta(days=1)) is None


@pytest.mark.parametrize(
    ("wakes_in", "amount"), [(None, 5.28), (timedelta(hours=10), 2.20), (timedelta(days=3), 5.28), (timedelta(-1), 0.0)]
)
def test_money_is_saved_until_the_lab_wakes_and_for_a_day_at_most(wakes_in: timedelta | None, amount: float) -> None:
    wakes_at: datetime | None = None if wakes_in is None else NOW + wakes_in
    assert saved(0.22, NOW, wakes_at) == pytest.approx(amount)
    assert saved(None, NOW, wakes_at) == 0


@pytest.mark.parametrize(
    ("amount", "words"),
    [(5.28, "$5.28"), (1204, "$1,204.00"), (0, "$0.00"), (0.0041, "less than $0.01"), (0.006, "$0.01")],
)
def test_amounts_read_like_amounts(amount: float, words: str) -> None:
    assert usd(amount) == words


def test_keeping_is_told_with_its_rate_and_prices_with_their_source() -> None:
    assert describe_keeping(5.28, 0.22) == "$5.28, $0.22 an hour"
    assert describe_keeping(5.28, None) == "$5.28"
    assert describe_source(Cost((), (), "AWS Price List", date(2026, 11, 3))) == "AWS Price List of 3 Nov 2026"
    assert describe_source(Cost((CostPart("control plane", 0.1),), (), "bundled")) == "bundled"


@given(st.integers(0, 20), st.booleans(), st.sampled_from(list(Phase)))
def test_hibernating_never_costs_more_than_being_awake(desired: int, extended: bool, phase: Phase) -> None:
    one = lab(phase, nodegroups=(a_nodegroup(desired=desired, max=20),))
    asleep, now = hibernated_cost(one, PRICES, extended).total, hourly_cost(one, PRICES, extended).total
    assert 0 < asleep <= now
    assert (saved_hourly(one, PRICES, extended, AtCurfew.HIBERNATE) or 0) <= now


@given(
    st.integers(0, 5),
    st.booleans(),
    st.sampled_from([NewNetwork(), NewNetwork(nat=NatMode.SINGLE)]),
    st.none() | st.integers(-48, 96),
    st.integers(1, 72),
)
def test_a_leases_parts_together_are_what_its_meter_reserves(
    nodes: int, host: bool, network: NewNetwork, far: int | None, hours: int
) -> None:
    """Awake they are the reservation, asleep those of a meter for a lab that never wakes; to a cent."""
    spec = a_spec(
        nodegroups=(a_nodegroup(desired=nodes),) if nodes else (),
        network=network,
        work_host=WorkHostSpec("t3.medium") if host else None,
    )
    extended_from = None if far is None else NOW + timedelta(hours=far)
    ends = NOW + timedelta(hours=hours)
    meter = meter_of(spec, PRICES, extended_from, "UTC")
    price = lease_price(spec, PRICES, extended_from, NOW, ends)
    asked = a_lab(spec=spec, meter=meter, created_at=NOW, lease_ends_at=ends, ends_by=None)
    assert price.lease == pytest.approx(foreseen(asked) / MICRO, abs=0.01)
    assert price.lease_asleep == pytest.approx(meter.with_span(NOW, meter.asleep).cost(NOW, ends) / MICRO, abs=0.01)
    assert price.hour_asleep == pytest.approx(
        (meter.asleep + (meter.extended_extra if far is not None and far <= 0 else 0)) / MICRO, abs=1e-4
    )


def test_extended_support_is_a_part_from_its_midnight_and_only_of_a_lease_that_reaches_it() -> None:
    midnight, ends = NOW + timedelta(hours=3), NOW + timedelta(hours=8)
    [part] = [part for part in lease_price(a_spec(), PRICES, midnight, NOW, ends).parts if part.begins_at]
    assert (part.name, part.begins_at, part.lease, part.lease_asleep) == ("extended support", midnight, 2.5, 2.5)
    assert not [part for part in lease_price(a_spec(), PRICES, ends, NOW, ends).parts if part.begins_at]


def test_every_type_of_a_group_without_a_price_is_named_for_the_lease() -> None:
    spec = a_spec(nodegroups=(a_nodegroup(instance_types=("t3.medium", "x9.large")),))
    assert lease_price(spec, PRICES, None, NOW, NOW + timedelta(hours=1)).unknown == ("x9.large",)


@pytest.mark.parametrize(
    ("usage_type", "part"),
    [
        ("AmazonEKS-Hours:perCluster", "control plane"),
        ("APN2-AmazonEKS-Hours:extendedSupport", "extended support"),
        ("BoxUsage:t3.medium", "instances"),
        ("USE1-SpotUsage:m5.large", "instances"),
        ("EU-EBS:VolumeUsage.gp3", "gp3"),
        ("EUC1-EBS:VolumeUsage.gp2", "other"),
        ("NatGateway-Hours", "NAT gateway"),
        ("APN2-NatGateway-Bytes", "other"),
        ("APN2-RegionalNatGateway-Hours", "other"),
        ("APN2-PublicIPv4:InUseAddress", "public IPv4 addresses"),
        ("APN2-LoadBalancerUsage", "load balancers"),
        ("", "other"),
    ],
)
def test_a_usage_type_of_a_bill_is_the_part_that_it_pays_for(usage_type: str, part: str) -> None:
    assert part_of_usage(usage_type) == part


@pytest.mark.parametrize("asleep", [False, True])
def test_the_parts_of_labs_are_their_sums(asleep: bool) -> None:
    """For any history of the lab; today's prices only divide the total of each."""
    meter = meter_of(a_spec(), PRICES, NOW + timedelta(hours=3), "UTC")
    lab = a_lab(meter=meter).moved_to(Phase.PROVISIONING, NOW).moved_to(Phase.READY, NOW)
    if asleep:
        lab = lab.moved_to(Phase.HIBERNATING, NOW).moved_to(Phase.HIBERNATED, NOW + timedelta(hours=1))
    until = NOW + timedelta(hours=7)
    parts = parts_of_months([lab, a_lab()], lambda _region: PRICES, NOW, until)
    assert sum(parts.values()) == pytest.approx(spent(lab, until) / MICRO, abs=1e-4)
    assert parts["control plane"] == pytest.approx(7 * PRICES.control_plane)
    assert parts["extended support"] == pytest.approx(4 * PRICES.extended_extra)
    assert parts["instances"] == pytest.approx((1 if asleep else 7) * 2 * PRICES.instances["t3.medium"], abs=1e-4)
