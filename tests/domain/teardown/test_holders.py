"""Blocking dependencies: a reader of the receipt folds consequences under their causes by `caused_by`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.teardown.receipt import ReceiptLine, ReceiptOutcome, Wait
from chalicelib.domain.teardown.reconcile import with_holders

STACK, CLUSTER = "arn:stack/s/1", "arn:cluster/myeks"


def line(
    arn: str,
    kind: Kind,
    reason: str,
    outcome: ReceiptOutcome = ReceiptOutcome.PRESENT,
    waits_for: Wait = Wait.NOTHING,
) -> ReceiptLine:
    return ReceiptLine(arn, str(kind), outcome, reason, "", waits_for=waits_for)


def thing(kind: Kind, id: str, **facts: str) -> Resource:
    return Resource(kind, id, f"arn:{kind}/{id}", {}, {key.replace("_", "-"): value for key, value in facts.items()})


def held(lines: list[ReceiptLine], *things: Resource) -> dict[str, str]:
    return {line.arn: line.caused_by for line in with_holders(lines, {thing.arn: thing for thing in things})}


def test_what_goes_with_the_stack_or_the_control_plane_names_it() -> None:
    lines = [
        line(STACK, Kind.STACK, "cloudformation:DeleteStack: ValidationError: protected", ReceiptOutcome.BLOCKED),
        line("arn:subnet/subnet-1", Kind.SUBNET, "It goes with it.", waits_for=Wait.STACK),
        line(CLUSTER, Kind.CLUSTER, "eks:DeleteCluster: AccessDeniedException: no", ReceiptOutcome.BLOCKED),
        line("arn:addon/cni", Kind.ADDON, "It goes with it.", waits_for=Wait.CLUSTER),
    ]
    assert held(lines) == {STACK: "", "arn:subnet/subnet-1": STACK, CLUSTER: "", "arn:addon/cni": CLUSTER}


def test_what_is_attached_or_used_names_what_it_is_attached_to_or_used_by() -> None:
    instance, interface = thing(Kind.INSTANCE, "i-0a"), thing(Kind.NETWORK_INTERFACE, "eni-0b", attached_to="i-0a")
    group = thing(Kind.SECURITY_GROUP, "sg-0c", used_by="eni-0b")
    lines = [line(each.arn, each.kind, "It has not been deleted yet.") for each in (instance, interface, group)]
    assert held(lines, instance, interface, group) == {
        instance.arn: "",
        interface.arn: instance.arn,
        group.arn: interface.arn,
    }


def test_what_awss_words_name_by_id_holds_the_thing_and_a_plain_name_does_not() -> None:
    group, interface = thing(Kind.SECURITY_GROUP, "sg-0c"), thing(Kind.NETWORK_INTERFACE, "eni-0b")
    web = thing(Kind.LOG_GROUP, "dependent")
    lines = [
        line(
            group.arn, group.kind, "ec2:DeleteSecurityGroup: DependencyViolation: sg-0c has a dependent object eni-0b"
        ),
        line(interface.arn, interface.kind, "It has not been deleted yet."),
        line(web.arn, web.kind, "It has not been deleted yet."),
    ]
    assert held(lines, group, interface, web)[group.arn] == interface.arn


def test_what_is_gone_holds_nothing_and_names_nothing() -> None:
    lines = [
        line(STACK, Kind.STACK, "", ReceiptOutcome.DELETED),
        line("arn:subnet/subnet-1", Kind.SUBNET, "It goes with it.", waits_for=Wait.STACK),
    ]
    assert set(held(lines).values()) == {""}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_following_causes_always_ends(uses: list[tuple[int, int]]) -> None:
    used = {n: " ".join(f"eni-{by}" for which, by in uses if which == n) for n in range(6)}
    things = [thing(Kind.NETWORK_INTERFACE, f"eni-{n}", used_by=used[n]) for n in range(6)]
    found = held([line(each.arn, each.kind, "It has not been deleted yet.") for each in things], *things)
    for start in found:
        seen, at = set(), start
        while at:
            assert at not in seen
            seen.add(at)
            at = found[at]
