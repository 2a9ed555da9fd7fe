"""Reads `vpc` and `availabilityZones` of an eksctl ClusterConfig: a new network, or existing subnets."""

from __future__ import annotations

from chalicelib.domain.core.sentence import Listed, Sentence
from chalicelib.domain.errors.findings import warning
from chalicelib.domain.labs.spec import EndpointAccess, NatMode
from chalicelib.domain.requests.draft import NetworkDraft
from chalicelib.domain.requests.eksctl.reader import Notes, Reader
from chalicelib.domain.requests.eksctl.unsupported_fields import VPC

_NAT = {"Disable": NatMode.NONE, "Single": NatMode.SINGLE, "HighlyAvailable": NatMode.SINGLE}
_NOT_COMPARED = Sentence("It is taken from EC2 itself, and what is written here is not compared with it.")
_TO_YOU_ONLY = Sentence("Left out, the API server answers your address only; eksctl would open it to the world.")


def read_network(top: Reader, vpc: Reader | None) -> NetworkDraft:
    """The requested network. `vpc` is closed by `read_endpoint`, which reads the rest of it."""
    zones = _read_zones(top)
    if vpc is None:
        return NetworkDraft(zones=zones)
    subnets = vpc.section("subnets")
    public = _read_subnets(subnets, "public", "network.publicSubnetIds") if subnets else ()
    private = _read_subnets(subnets, "private", "network.privateSubnetIds") if subnets else ()
    if subnets:
        subnets.close()
    vpc_id, cidr = vpc.text("id", "network.vpcId"), vpc.text("cidr", "network.cidr")
    network = NetworkDraft(None, zones, _read_nat(vpc), vpc_id, public, private)
    if network.exists and cidr is not None:
        vpc.warn("cidr", "not-compared", _NOT_COMPARED)
        cidr = None
    if network.exists and zones:
        top.warn("availabilityZones", "not-honoured", "The zones are those of vpc.subnets.")
        zones = ()
    return NetworkDraft(cidr, zones, network.nat, vpc_id, public, private)


def read_endpoint(vpc: Reader | None, notes: Notes) -> tuple[EndpointAccess | None, tuple[str, ...] | None]:
    """The networks and addresses that may reach the API server; None if not given. Closes `vpc`."""
    notes.paths["endpoint.allowedCidrs"] = "vpc.publicAccessCIDRs"
    access, allowed, is_said = None, None, False
    if vpc is not None:
        is_said = vpc.has("publicAccessCIDRs")
        allowed = vpc.texts("publicAccessCIDRs")
        endpoints = vpc.section("clusterEndpoints", "endpoint.access")
        access = _read_access(endpoints) if endpoints else None
        vpc.close(VPC)
    if not is_said and access is not EndpointAccess.PRIVATE:
        notes.findings.append(warning("vpc.publicAccessCIDRs", "narrowed", _TO_YOU_ONLY))
    return access, allowed


def _read_access(endpoints: Reader) -> EndpointAccess | None:
    public, private = endpoints.flag("publicAccess"), endpoints.flag("privateAccess")
    endpoints.close()
    match public is not False, bool(private):
        case True, True:
            return EndpointAccess.PUBLIC_AND_PRIVATE
        case True, False:
            return EndpointAccess.PUBLIC
        case False, True:
            return EndpointAccess.PRIVATE
        case _:
            endpoints.error(
                "", "wrong-value", "The API server must answer somewhere: set publicAccess or privateAccess."
            )
            return None


def _read_zones(top: Reader) -> tuple[str, ...]:
    zones = top.texts("availabilityZones", "network.zones") or ()
    if len(zones) > 2:
        kept = Listed(zones[:2])
        top.warn("availabilityZones", "not-honoured", "A lab's network has two zones: {names} are taken.", names=kept)
    return zones[:2]


def _read_nat(vpc: Reader) -> NatMode | None:
    nat = vpc.section("nat")
    if nat is None:
        return None
    gateway = nat.text("gateway", "network.nat")
    if gateway is not None and gateway not in _NAT:
        nat.error(
            "gateway",
            "wrong-value",
            "Expected one of {names}, got {value}.",
            names=", ".join(_NAT),
            value=repr(gateway),
        )
    if gateway == "HighlyAvailable":
        nat.warn("gateway", "not-honoured", "A lab has one NAT gateway for both zones, as with Single.")
    nat.close()
    return _NAT.get(gateway) if gateway else None


def _read_subnets(subnets: Reader, side: str, ours: str) -> tuple[str, ...]:
    mapping = subnets.section(side, ours)
    if mapping is None:
        return ()
    ids: list[str] = []
    for name in mapping.names():
        subnet = mapping.section(name)
        if subnet is not None and (subnet_id := _read_subnet(subnet, f"{ours}[{len(ids)}]")):
            ids.append(subnet_id)
    mapping.close()
    return tuple(ids)


def _read_subnet(subnet: Reader, ours: str) -> str | None:
    needed = Sentence("Give the subnet's id: a lab neither looks subnets up nor makes them one by one.")
    subnet_id = subnet.required("id", ours, needed)
    for key in ("cidr", "az"):
        if subnet.raw(key) is not None:
            subnet.warn(key, "not-compared", _NOT_COMPARED)
    subnet.close()
    return subnet_id
