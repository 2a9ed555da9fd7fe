"""The drawing of a lab's network: its arrows match the created rules, and it is readable on a telephone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_network
from itertools import combinations, product
from typing import Any
from unicodedata import east_asian_width

import pytest

from chalicelib.api.pages.network import WIDTH, Drawing, Party, draw_groups, draw_subnets, reaches
from chalicelib.domain.core.language import Language
from chalicelib.domain.core.resources import Kind
from chalicelib.domain.core.sentence import said
from chalicelib.domain.labs.lab import ClusterFacts
from chalicelib.domain.labs.spec import (
    EndpointAccess,
    EndpointSpec,
    ExistingNetwork,
    LabSpec,
    NatMode,
    NewNetwork,
    NodegroupSpec,
    Placement,
    SshSpec,
    WorkHostSpec,
)
from chalicelib.domain.stack.security_groups import security_groups
from chalicelib.words.catalogues import words_of
from chalicelib.workflows import provision
from chalicelib.workflows.shared.runner import StepInput
from tests.api.curfew_world import LAB, a_ready_lab, a_world
from tests.api.pages.browser import Browser, read
from tests.fakes import NOW, OWNER, a_lab, a_spec, make_deps

CIDRS = tuple(f"15.230.{number}.0/24" for number in range(40))
GROUPS = {
    "ControlPlaneSecurityGroup": Party.CONTROL_PLANE,
    "NodeSecurityGroup": Party.NODES,
    "RemoteAccessSecurityGroup": Party.NODES,
    "WorkHostSecurityGroup": Party.WORK_HOST,
}
NETWORKS = (
    NewNetwork(zones=("ap-northeast-2a", "ap-northeast-2c")),
    NewNetwork("100.100.128.0/17", ("us-gov-west-1a", "us-gov-west-1b"), NatMode.SINGLE),
    NewNetwork(),
    ExistingNetwork("vpc-0123456789abcdef0", tuple(f"subnet-0123456789abcde{n:02}" for n in range(6))),
    ExistingNetwork(None, (), ("subnet-0123456789abcdef0",)),
)
NODES = tuple(
    NodegroupSpec(
        f"{'a-group-with-a-name-as-long-as-eks-takes-it-':a<60}{n}", ("u7i-12tb.224xlarge",), 10, placement=place
    )
    for n, place in enumerate(tuple(Placement) * 4)
)


def specs() -> Iterator[LabSpec]:
    """Each endpoint access with each other option, and each network with few and many groups."""
    for access, ssh, host in product(EndpointAccess, (0, 1, 40), (False, True)):
        endpoint = EndpointSpec(access, () if access is EndpointAccess.PRIVATE else CIDRS[: ssh or 1])
        keys = SshSpec("key", None, CIDRS[:ssh]) if ssh else None
        yield replace(a_spec(), endpoint=endpoint, ssh=keys, work_host=WorkHostSpec() if host else None)
    for network, nodes in product(NETWORKS, (0, 1, 8)):
        yield replace(a_spec(), network=network, nodegroups=NODES[:nodes], work_host=WorkHostSpec("u7i-12tb.224xlarge"))


SPECS = pytest.mark.parametrize("spec", [pytest.param(spec, id=str(n)) for n, spec in enumerate(specs())])


def made(spec: LabSpec) -> set[tuple[Any, Party, str]]:
    """Every rule of the stack's groups, and those that the step creates: source, target, port."""
    lab = a_lab(spec=spec)
    found = set[tuple[Any, Party, str]]()
    for each in security_groups(lab, {}).values():
        if each["Type"] == "AWS::EC2::SecurityGroupIngress":
            rule = each["Properties"]
            source = rule.get("SourceSecurityGroupId")
            whence = GROUPS[source["Fn::GetAtt"][0]] if source else rule["CidrIp"]
            port = "all" if rule["IpProtocol"] == "-1" else str(rule["FromPort"])
            found.add((whence, GROUPS[rule["GroupId"]["Fn::GetAtt"][0]], port))
    return found | opened(spec)


def opened(spec: LabSpec) -> set[tuple[Any, Party, str]]:
    """The rules that `open_security_groups` adds to the cluster's own group."""
    world = make_deps()
    ids = {f"{name}Id": world.account.add(Kind.SECURITY_GROUP).id for name in GROUPS}
    cluster = world.account.add(Kind.SECURITY_GROUP).id
    lab = a_lab(spec=spec, facts=ClusterFacts(cluster_security_group_id=cluster, stack_outputs=ids))
    provision.open_security_groups(world.deps, StepInput(lab, 1, NOW, {}))
    parties = {ids[f"{name}Id"]: party for name, party in GROUPS.items()}
    rules = world.network.rules
    assert {rule[0] for rule in rules} == {cluster}
    return {(parties[rule[1]], Party.CONTROL_PLANE, "all" if rule[2] == "-1" else str(rule[3])) for rule in rules}


@SPECS
def test_the_arrows_are_the_rules_that_are_made(spec: LabSpec) -> None:
    endpoint = spec.endpoint
    listed = {(cidr, Party.CONTROL_PLANE, "443") for cidr in endpoint.allowed_cidrs}
    drawn = {
        (whence, reach.target, str(reach.ports)) for reach in reaches(spec) for whence in reach.cidrs or (reach.source,)
    }
    assert drawn == made(spec) | listed
    assert len(draw_groups(spec).arrows) == len(reaches(spec))


@SPECS
@pytest.mark.parametrize("language", Language)
def test_boxes_lie_apart_and_words_lie_in_their_boxes(spec: LabSpec, language: Language) -> None:
    words = words_of(language)
    for drawing in (draw_subnets(spec), draw_groups(spec)):
        for one, other in combinations(drawing.boxes, 2):
            apart = one.x + one.width < other.x or other.x + other.width < one.x
            assert apart or one.bottom < other.y or other.bottom < one.y, (one, other)
        for box in drawing.boxes:
            assert 0 <= box.x < box.x + box.width < WIDTH
            assert 0 <= box.y < box.bottom < drawing.height
            assert 20 + 16 * len(box.lines) <= box.height
            for size, text in ((12, box.title), *((11, line) for line in box.lines)):
                assert 8 + size * em(said(text, words)) <= box.width, text
        assert all(inside(arrow.path, drawing) for arrow in drawing.arrows)


def em(text: str) -> float:
    """The approximate width of a text in its size."""
    return sum(1.0 if east_asian_width(sign) in "WF" else 0.3 if sign in " .,:'ilj-/" else 0.56 for sign in text)


def inside(path: str, drawing: Drawing) -> bool:
    """Whether its absolute parts lie in the picture."""
    x = [int(found) for found in re.findall(r"[MH](\d+)", path)]
    y = [int(found) for found in re.findall(r"(?:V|M\d+ )(\d+)", path)]
    return all(0 < each < WIDTH for each in x) and all(0 < each < drawing.height for each in y)


def test_a_new_network_is_cut_as_its_stack_cuts_it() -> None:
    network = NewNetwork(zones=("ap-northeast-2a", "ap-northeast-2c"))
    boxes = [box for box in draw_subnets(replace(a_spec(), network=network)).boxes if box.kind in tuple(Placement)]
    quarters = [str(block) for block in ip_network(network.cidr).subnets(prefixlen_diff=2)]
    assert [(box.kind, box.lines[:2]) for box in boxes] == [
        ("public", ("ap-northeast-2a", quarters[0])), ("public", ("ap-northeast-2c", quarters[1])),
        ("private", ("ap-northeast-2a", quarters[2])), ("private", ("ap-northeast-2c", quarters[3])),
    ]  # fmt: skip


@pytest.mark.parametrize("language", Language)
def test_a_reader_who_sees_no_picture_is_told_what_is_in_it(language: Language) -> None:
    browser = Browser.of(a_world(a_ready_lab(spec=a_spec(work_host=WorkHostSpec()))), OWNER)
    browser.language = language
    text = browser.get(f"/ui/labs/{LAB}").text
    drawings = re.findall(r"<svg\b.*?</svg>", text, flags=re.DOTALL)
    assert len(drawings) == 2
    for drawing in drawings:
        tags = read(drawing).tags
        [named] = [given["aria-labelledby"] for tag, given in tags if tag == "svg"]
        assert set(str(named).split()) == {given["id"] for tag, given in tags if tag in ("title", "desc")}
        assert not [given for _, given in tags if "style" in given]
        assert drawing.count('class="arrow"') == drawing.count("marker-end=")
    assert drawings[1].count('class="arrow"') == len(reaches(a_spec(work_host=WorkHostSpec())))
