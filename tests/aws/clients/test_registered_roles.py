"""The role assumed in an account: only the registered one, and a new one soon after its registration."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from chalicelib.aws.clients.registered_roles import MemberRoles
from chalicelib.domain.errors.explain import explain
from chalicelib.domain.errors.tree import AccessDenied
from chalicelib.domain.identity.accounts import Registration
from tests.fakes.clock import FakeClock

MEMBER = "444455556666"
ROLE = f"arn:aws:iam::{MEMBER}:role/ekslab-member-read"


@dataclass
class Registry:
    known: list[Registration] = field(default_factory=list)
    reads: int = 0

    def registrations(self) -> tuple[Registration, ...]:
        self.reads += 1
        return tuple(self.known)


@dataclass
class Given:
    registry: Registry = field(default_factory=Registry)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.roles = MemberRoles(self.registry.registrations, self.clock.now)

    def register(self, role: str | None) -> None:
        self.registry.known = [Registration(MEMBER, "training", ("us-east-1",), role)]


def test_the_registry_is_read_once_for_some_minutes() -> None:
    given = Given()
    given.register(ROLE)
    assert {given.roles.role_of(MEMBER) for _ in range(5)} == {ROLE}
    assert given.roles.labs_role_of(MEMBER) == ROLE.replace("-read", "-labs")
    assert given.roles.stack_role_of(MEMBER) == ROLE.replace("-read", "-stacks")
    assert given.registry.reads == 1


def test_another_role_is_known_after_some_minutes_and_a_new_account_at_once() -> None:
    given = Given()
    with pytest.raises(AccessDenied):
        given.roles.role_of(MEMBER)
    given.register(ROLE)
    assert given.roles.role_of(MEMBER) == ROLE
    given.register(ROLE.replace("member", "member2"))
    given.clock.advance(minutes=3)
    assert given.roles.role_of(MEMBER) == ROLE.replace("member", "member2")


def test_an_account_that_is_registered_no_more_cannot_be_entered_and_the_error_says_who_can_mend_it() -> None:
    given = Given()
    given.register(ROLE)
    assert given.roles.role_of(MEMBER) == ROLE
    given.registry.known = []
    given.clock.advance(minutes=3)
    with pytest.raises(AccessDenied) as refused:
        given.roles.role_of(MEMBER)
    text = explain(refused.value.code, refused.value.message)
    assert (text.code, str(text.responsible)) == ("account-unregistered", "ours")
    assert "ekslab register" in text.reason


def test_an_account_without_a_role_is_none_to_enter() -> None:
    given = Given()
    given.register(None)
    with pytest.raises(AccessDenied, match="no role to assume"):
        given.roles.role_of(MEMBER)
