"""Every field of a request that names a resource of the account is checked against the list of offers. By default it is empty."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.inputs.lab_schema import LabBody
from chalicelib.domain.labs.aws_states import HostedZone, SubnetFacts
from chalicelib.domain.labs.spec import (
    EndpointAccess,
    EndpointSpec,
    ExistingNetwork,
    ExternalDnsSpec,
    LabSpec,
    PodIdentitySpec,
    SshSpec,
    WorkHostSpec,
)
from chalicelib.domain.requests.offers import (
    NetworkOffer,
    OfferCase,
    Offers,
    PodRoleOffer,
    ZoneOffer,
    cost_tags_of,
    judge_list,
    judge_offers,
    judge_world,
    with_own_subdomain,
)
from tests.fakes.builders import a_caller, a_nodegroup, a_spec

STACK = "arn:aws:cloudformation:ap-northeast-2:111122223333:stack/course/11112222-3333-4444-5555-666677778888"
ROLE = "arn:aws:iam::111122223333:role/ekslab/reader"
A = SubnetFacts("subnet-a", "vpc-1", "ap-northeast-2a", "10.0.0.0/24", 200, True, True, stack_id=STACK)
B = SubnetFacts("subnet-b", "vpc-1", "ap-northeast-2c", "10.0.1.0/24", 200, True, True, stack_id=STACK)
ZONE = HostedZone("Z1", "example.com", private=False)
#: A list of offers under which each row below is accepted.
GENEROUS = Offers(
    zones=(ZoneOffer("Z1", "labs.example.com"),),
    networks=(NetworkOffer("vpc-1"),),
    key_pairs=("course",),
    pod_roles=(PodRoleOffer(ROLE, ("*",)),),
    instance_types=("t3", "p4d.24xlarge"),
    open_to_the_world=True,
)
WORLD = ("0.0.0.0/0",)
#: field of the body -> (a value that names a foreign resource, the path of its error).
OF_THE_ACCOUNT: Mapping[str, tuple[LabSpec, str]] = {
    "network.vpcId": (a_spec(network=ExistingNetwork("vpc-1", ("subnet-a", "subnet-b"))), "network.vpcId"),
    "network.publicSubnetIds": (a_spec(network=ExistingNetwork(None, ("subnet-a",))), "network.publicSubnetIds[0]"),
    "network.privateSubnetIds": (
        a_spec(network=ExistingNetwork(None, (), ("subnet-a",))),
        "network.privateSubnetIds[0]",
    ),
    "endpoint.allowedCidrs": (
        a_spec(endpoint=EndpointSpec(EndpointAccess.PUBLIC, WORLD)),
        "endpoint.allowedCidrs[0]",
    ),
    "nodegroups.instanceTypes": (
        a_spec(nodegroups=(a_nodegroup(instance_types=("p4d.24xlarge",)),)),
        "nodegroups[0].instanceTypes[0]",
    ),
    "ssh.keyName": (a_spec(ssh=SshSpec("course", None, ("15.230.39.7/32",))), "ssh.keyName"),
    "ssh.cidrs": (a_spec(ssh=SshSpec(None, "ssh-ed25519 AAAA", WORLD)), "ssh.cidrs[0]"),
    "externalDns.hostedZoneId": (a_spec(external_dns=ExternalDnsSpec("Z1", "")), "externalDns.hostedZoneId"),
    "externalDns.domain": (a_spec(external_dns=ExternalDnsSpec("", "example.com")), "externalDns.domain"),
    "workHost.instanceType": (a_spec(work_host=WorkHostSpec("p4d.24xlarge")), "workHost.instanceType"),
    "podIdentities.roleArn": (
        a_spec(pod_identities=(PodIdentitySpec("default", "reader", ROLE),)),
        "podIdentities[0].roleArn",
    ),
}
#: Fields that name no resource of the account, and why.
OF_THE_LAB: Mapping[str, tuple[str, ...]] = {
    "a name, number or choice of the lab's own": (
        *("name", "version", "logTypes", "tags", "leaseHours", "volumes", "supportPolicy"),
        *("network.cidr", "network.zones", "network.nat", "endpoint.access", "ssh.publicKey"),
        *("nodegroups.name", "nodegroups.desired", "nodegroups.min", "nodegroups.max", "nodegroups.volumeGib"),
        *(
            "nodegroups.capacityType",
            "nodegroups.placement",
            "nodegroups.labels",
            "nodegroups.tags",
            "nodegroups.disablePodIMDS",
        ),
        *("nodegroups.taints.key", "nodegroups.taints.value", "nodegroups.taints.effect"),
        *("addons.name", "addons.version", "addons.configuration", "addons.tags"),
        *("podIdentities.namespace", "podIdentities.serviceAccount"),
    ),
    "an account and region that administrators registered for labs": ("account", "region"),
    "whom the owner lets into the lab; it gives the lab nothing": (
        *("accessRole", "access.principalArn", "access.groups", "access.type"),
        *("access.policies.policyArn", "access.policies.namespaces"),
    ),
    "when curfew comes": (
        *("schedule.timeZone", "schedule.curfew", "schedule.weekdays", "schedule.holidays"),
        *("schedule.quietDates", "schedule.atCurfew", "schedule.wake"),
    ),
}


def fields_of(schema: Mapping[str, Any], whole: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Every leaf of a JSON schema, lists without their numbers."""
    for name, field in schema.get("properties", {}).items():
        here = f"{path}{name}"
        inner = [_resolved(part, whole) for part in _parts(field, whole)]
        below = [part for part in inner if part.get("properties")]
        if below:
            for part in below:
                yield from fields_of(part, whole, f"{here}.")
        else:
            yield here


def _parts(field: Mapping[str, Any], whole: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield field
    if "$ref" in field:
        yield _resolved(field, whole)
    for part in field.get("anyOf", ()):
        yield from _parts(part, whole)
    if "items" in field:
        yield from _parts(field["items"], whole)


def _resolved(part: Mapping[str, Any], whole: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = whole["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
    return found


def judged(spec: LabSpec, offers: Offers, **more: Any) -> dict[str, str]:
    case = OfferCase(spec, offers, a_caller(), more.pop("subnets", (A, B)), more.pop("zone", ZONE))
    return {finding.path: finding.code for finding in judge_offers(case)}


def test_every_field_of_a_request_names_a_thing_of_the_account_or_is_said_not_to() -> None:
    schema = LabBody.model_json_schema(by_alias=True)
    own = [name for names in OF_THE_LAB.values() for name in names]
    assert set(fields_of(schema, schema)) == {*own, *OF_THE_ACCOUNT}
    assert len(own) == len(set(own))


@pytest.mark.parametrize("field", OF_THE_ACCOUNT)
def test_what_names_a_thing_of_the_account_is_refused_until_it_is_offered(field: str) -> None:
    spec, path = OF_THE_ACCOUNT[field]
    assert judged(spec, Offers())[path] == "not-offered"
    assert judged(spec, GENEROUS) == {}


def test_a_lab_of_its_own_needs_no_offer() -> None:
    assert judged(a_spec(work_host=WorkHostSpec()), Offers()) == {}


def test_a_refusal_names_the_list_and_who_may_change_it() -> None:
    spec, _ = OF_THE_ACCOUNT["ssh.keyName"]
    [finding] = judge_offers(OfferCase(spec, Offers(key_pairs=("other",)), a_caller()))
    assert finding.message == (
        "course is not offered to labs: keyPairs of `ekslab get offers` has other. An administrator can offer more."
    )


@pytest.mark.parametrize(
    ("offer", "taken"),
    [
        (NetworkOffer("vpc-1"), True),
        (NetworkOffer("vpc-1", ("subnet-a", "subnet-b")), True),
        (NetworkOffer(None, ("subnet-a",)), False),
        (NetworkOffer(stack_id=STACK), True),
        (NetworkOffer(stack_id=STACK.replace("1111", "9999", 1)), False),
        (NetworkOffer("vpc-2"), False),
    ],
)
def test_networks_are_offered_by_id_or_by_the_id_of_their_stack(offer: NetworkOffer, taken: bool) -> None:
    spec = a_spec(network=ExistingNetwork(None, ("subnet-a", "subnet-b")))
    assert (judged(spec, Offers(networks=(offer,))) == {}) is taken


@pytest.mark.parametrize(
    "change", [{"lab_id": "lab-7f3k2m9x"}, {"stack_id": STACK.replace("stack/course", "stack/ekslab-lab-7f3k2m9x")}]
)
def test_another_labs_network_is_never_offered(change: dict[str, str]) -> None:
    """Issue 11, row 2."""
    subnets = (replace(A, **change), replace(B, **change))  # type: ignore[arg-type]
    spec = a_spec(network=ExistingNetwork(None, ("subnet-a", "subnet-b")))
    offers = Offers(networks=(NetworkOffer("vpc-1"), NetworkOffer(stack_id=subnets[0].stack_id)))
    assert set(judged(spec, offers, subnets=subnets).values()) == {"not-offered"}


def test_a_subnet_that_is_not_there_is_not_offered() -> None:
    spec = a_spec(network=ExistingNetwork(None, ("subnet-a", "subnet-z")))
    assert judged(spec, GENEROUS) == {"network.publicSubnetIds[1]": "not-offered"}


@pytest.mark.parametrize("domain", ["www.example.com", "example.org", "other.labs.example.com"])
def test_no_other_name_of_an_offered_zone_can_be_had(domain: str) -> None:
    """Issue 11, row 1."""
    assert judged(a_spec(external_dns=ExternalDnsSpec("Z1", domain)), GENEROUS) == {"externalDns.domain": "not-offered"}


def test_an_offer_whose_domain_is_not_in_its_zone_gives_nothing() -> None:
    offers = Offers(zones=(ZoneOffer("Z1", "labs.example.org"),))
    assert judged(a_spec(external_dns=ExternalDnsSpec("Z1", "")), offers) == {"externalDns.domain": "not-offered"}


@given(st.lists(st.integers(0, 2**31), min_size=2, max_size=20, unique=True))
def test_two_labs_never_share_a_subdomain(numbers: list[int]) -> None:
    spec = a_spec(external_dns=ExternalDnsSpec("Z1", "labs.example.com"))
    made = [with_own_subdomain(spec, f"lab-{number:012x}").external_dns for number in numbers]
    domains = [dns.domain for dns in made if dns]
    for one in domains:
        assert not any(other != one and f".{other}".endswith(f".{one}") for other in domains)


def test_a_role_for_pods_is_offered_by_owner() -> None:
    spec, path = OF_THE_ACCOUNT["podIdentities.roleArn"]
    for owners, taken in ((("arn:aws:iam::*:user/learner",), True), (("*/someone-else",), False), (("*",), True)):
        assert (path in judged(spec, Offers(pod_roles=(PodRoleOffer(ROLE, owners),)))) is not taken


@pytest.mark.parametrize(
    ("cidrs", "world"),
    [
        (("0.0.0.0/0",), True),
        (("0.0.0.0/1", "128.0.0.0/1"), True),
        (tuple(f"{n}.0.0.0/8" for n in (1, 2)), True),
        (("203.0.113.0/24", "15.230.39.7/32"), False),
        (("10.0.0.0/8", "172.16.0.0/12"), False),
    ],
)
def test_the_world_is_more_addresses_than_any_provider_has(cidrs: tuple[str, ...], world: bool) -> None:
    assert bool(list(judge_world("ssh.cidrs", cidrs, Offers()))) is world
    assert not list(judge_world("ssh.cidrs", cidrs, Offers(open_to_the_world=True)))


def test_most_nodes_of_the_list() -> None:
    groups = (a_nodegroup(max=4), a_nodegroup(name="b", max=2))
    assert judged(a_spec(nodegroups=groups), Offers(max_nodes=5)) == {"nodegroups": "not-offered"}
    assert judged(a_spec(nodegroups=groups), Offers(max_nodes=6)) == {}


@pytest.mark.parametrize(
    ("offers", "path"),
    [
        (Offers(networks=(NetworkOffer(),)), "networks[0]"),
        (Offers(networks=(NetworkOffer("vpc-1", (), STACK),)), "networks[0]"),
        (Offers(networks=(NetworkOffer(stack_id="course"),)), "networks[0].stackId"),
        (Offers(pod_roles=(PodRoleOffer(ROLE, ()),)), "podRoles[0].owners"),
        (Offers(max_nodes=-1), "maxNodes"),
    ],
)
def test_a_list_that_says_nothing_clear_is_refused(offers: Offers, path: str) -> None:
    assert [finding.path for finding in judge_list(offers)] == [path]
    assert list(judge_list(GENEROUS)) == []


def test_a_tag_by_which_costs_are_summed_fits_into_a_key_of_the_table() -> None:
    """128 letters and 256 letters, of three bytes each, exceed DynamoDB's limit: the request was never stored."""
    spec = a_spec(tags={"가" * 128: "힣" * 256, "course": "eks"})
    found = cost_tags_of(Offers(cost_tags=("course", "가" * 128, "none")), spec)
    assert found[0] == "course=eks"
    assert len(found) == 2
    assert found[1].startswith("가" * 128 + "=힣")
    assert len(found[1].encode()) <= 900


@given(st.dictionaries(st.text("ab=", min_size=1, max_size=4), st.text("ab=", max_size=4), max_size=5))
def test_a_lab_is_in_each_sum_of_a_tag_once(tags: dict[str, str]) -> None:
    spec = a_spec(tags=tags)
    found = cost_tags_of(Offers(cost_tags=tuple(tags)), spec)
    assert len(found) == len(set(found))
    assert set(found) == {f"{key}={value}" for key, value in tags.items()}
