"""A resource with deletion protection: reported as such, with a valid AWS command, kind by kind."""

from __future__ import annotations

import shlex

import botocore.session
import pytest
from botocore import xform_name

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.teardown.causes import why_refused
from chalicelib.domain.teardown.unproven import delete_command, unprotect_command

#: kind -> AWS's message for a protected one, from people's reports or from the setting's name.
WORDS = {
    Kind.LOAD_BALANCER: "Load balancer 'a' cannot be deleted because deletion protection is enabled",
    Kind.INSTANCE: "The instance 'i-1' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.",
    Kind.STACK: "Stack [s] cannot be deleted while TerminationProtection is enabled",
    Kind.CLUSTER: "Cluster myeks cannot be deleted while deletion protection is enabled",
    Kind.LOG_GROUP: "The log group has deletion protection enabled",
    Kind.AUTO_SCALING_GROUP: "The group has its deletion protection set to prevent-all-deletion",
}
ALL = tuple(WORDS)


def thing(kind: Kind) -> Resource:
    return Resource(kind, "one", f"arn:aws:x:us-east-1:111122223333:{kind}/one")


@pytest.mark.parametrize("kind", ALL)
def test_a_protected_thing_is_told_with_the_command_that_switches_that_off(kind: Kind) -> None:
    told = why_refused(thing(kind), "lab-1", WORDS[kind], denied=False)
    assert WORDS[kind].rstrip(".") in told
    assert f"`{unprotect_command(thing(kind))}`" in told
    assert "right" not in told
    assert delete_command(thing(kind), WORDS[kind]).startswith(unprotect_command(thing(kind)))
    assert delete_command(thing(kind), "denied") == delete_command(thing(kind))


@pytest.mark.parametrize("kind", ALL)
def test_the_command_is_one_of_aws_s_command_line(kind: Kind) -> None:
    _, service, operation, *rest = shlex.split(unprotect_command(thing(kind)))
    model = botocore.session.get_session().get_service_model(service)
    named = {xform_name(name, "-"): name for name in model.operation_names}
    members = {xform_name(member, "-") for member in model.operation_model(named[operation]).input_shape.members}
    options = {word.removeprefix("--") for word in rest if word.startswith("--")} - {"region"}
    assert {option.removeprefix("no-").removesuffix("-enabled") for option in options} <= {
        member.removesuffix("-enabled") for member in members
    }


def test_a_thing_that_has_no_protection_is_told_in_aws_s_words_alone() -> None:
    assert why_refused(thing(Kind.VOLUME), "lab-1", "deletion protection is enabled", denied=False).endswith("again.")
    assert why_refused(thing(Kind.VOLUME), "lab-1", "moon", denied=False) == "moon"
