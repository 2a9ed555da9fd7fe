"""Judges a PATCH of a ready lab: endpoint access, allow-list, node counts. Pure; all findings at once.

Paths are those of the PATCH body, which has the shape of the lab's own: `endpoint.access`, `nodegroups[0].desired`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from chalicelib.domain.core.names import meant_by
from chalicelib.domain.core.sentence import Sentence, joined
from chalicelib.domain.core.wording import counted
from chalicelib.domain.errors.findings import Finding, error, warning
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.labs.lab import Change, Lab
from chalicelib.domain.labs.spec import EndpointAccess, Limits, NodegroupSpec
from chalicelib.domain.requests.defaults import address_of, reachable_by_nodes
from chalicelib.domain.requests.offers import Offers, judge_world, most_nodes
from chalicelib.domain.requests.validation.endpoint import ALLOWED, API_IS, judge_cidrs


def completed(change: Change, lab: Lab, caller: Caller) -> Change:
    """The change with its consequences: a public endpoint without a list is opened to the caller's address only, and one
    with a list keeps its private side, since nodes are not on the list."""
    access = change.endpoint_access or (lab.spec.endpoint.access if change.allowed_cidrs is not None else None)
    if access not in (EndpointAccess.PUBLIC, EndpointAccess.PUBLIC_AND_PRIVATE):
        return change
    cidrs = change.allowed_cidrs
    if cidrs is None:
        mine = address_of(caller)
        cidrs = lab.spec.endpoint.allowed_cidrs or ((mine,) if mine else ())
    return replace(change, endpoint_access=reachable_by_nodes(EndpointAccess(access), cidrs), allowed_cidrs=cidrs)


def judge_change(asked: Change, change: Change, lab: Lab, limits: Limits, offers: Offers) -> tuple[Finding, ...]:
    """All findings: `asked` in the caller's form, `change` as completed."""
    if asked == Change():
        return (error("", "nothing-asked", "Say what to change: endpoint.access, endpoint.allowedCidrs, nodegroups."),)
    world = judge_world(ALLOWED, asked.allowed_cidrs or (), offers)
    most = most_nodes(offers, limits.max_nodes)
    return (*_judge_endpoint(asked, change, lab), *world, *_judge_nodes(change.nodes, lab, most))


def changes_nothing(change: Change, lab: Lab) -> bool:
    """Whether the lab is already as requested."""
    endpoint = lab.spec.endpoint
    counts = {group.name: group.desired for group in lab.spec.nodegroups}
    same_access = change.endpoint_access in (None, endpoint.access)
    same_cidrs = change.allowed_cidrs is None or set(change.allowed_cidrs) == set(endpoint.allowed_cidrs)
    return same_access and same_cidrs and all(counts.get(name) == count for name, count in change.nodes.items())


def describe_change(change: Change) -> str:
    """The change in words, for the lab's history: `endpoint private; myeks-nodegroup: 3 nodes`."""
    access = change.endpoint_access and Sentence("endpoint {access}", access=change.endpoint_access)
    cidrs = change.allowed_cidrs and Sentence("for {cidrs}", cidrs=", ".join(change.allowed_cidrs))
    counts = (
        Sentence("{name}: {nodes}", name=name, nodes=counted(count, "node")) for name, count in change.nodes.items()
    )
    return joined((joined((access or "", cidrs or "")), *counts), "; ")


def _judge_endpoint(asked: Change, change: Change, lab: Lab) -> Iterator[Finding]:
    modes = [str(mode) for mode in EndpointAccess]
    if asked.endpoint_access is not None and asked.endpoint_access not in modes:
        yield error("endpoint.access", "unknown-value", "Endpoint access is one of {names}.", names=", ".join(modes))
        return
    private = (change.endpoint_access or lab.spec.endpoint.access) == EndpointAccess.PRIVATE
    if private and asked.allowed_cidrs is not None:
        yield error(ALLOWED, "no-public-endpoint", "A private endpoint has no allow-list: its own network reaches it.")
    elif asked.endpoint_access == EndpointAccess.PRIVATE and lab.spec.work_host is None:
        message = Sentence(
            "A private endpoint is reached from inside its network only, and the lab has no work host there."
        )
        yield warning("endpoint.access", "no-way-in", message)
    if change.allowed_cidrs is not None and not private:
        yield from _judge_list(change.allowed_cidrs)
    if asked.endpoint_access == EndpointAccess.PUBLIC and change.endpoint_access != asked.endpoint_access:
        message = Sentence("Nodes are not on the allow-list: the private endpoint stays open beside the public one.")
        yield warning("endpoint.access", "private-added", message)


def _judge_list(cidrs: tuple[str, ...]) -> Iterator[Finding]:
    if not cidrs:
        message = Sentence("Name from where the public endpoint is to be reached; nothing is open by itself.")
        yield error(ALLOWED, "empty", message)
    yield from judge_cidrs(ALLOWED, cidrs, API_IS)


def _judge_nodes(nodes: Mapping[str, int], lab: Lab, most: int) -> Iterator[Finding]:
    """A group may grow by itself to its max: that counts, as in a new lab, and so does a max that this change moves."""
    groups = {group.name: group for group in lab.spec.nodegroups}
    for index, (name, count) in enumerate(nodes.items()):
        path = f"nodegroups[{index}]"
        if name not in groups:
            yield error(f"{path}.name", "unknown-nodegroup", _no_such_group(name, groups))
        elif count > groups[name].max:
            message = Sentence(
                "{name} had at most {max} nodes: from now on it may grow to {count} by itself.",
                name=name,
                max=groups[name].max,
                count=count,
            )
            yield warning(f"{path}.desired", "max-moved", message)
        if count < 0:
            yield error(f"{path}.desired", "negative", "A node count is 0 or more.")
    total = sum(max(group.max, group.desired, nodes.get(name, 0)) for name, group in groups.items())
    if nodes and total > most:
        message = Sentence(
            "At their maximum these groups would have {total} nodes; a lab may have {most}.", total=total, most=most
        )
        yield error("nodegroups", "too-many-nodes", message)


def _no_such_group(name: str, known: Mapping[str, NodegroupSpec]) -> str:
    meant = meant_by(name, known, Sentence("It has {names}.", names=", ".join(known) or Sentence("none")))
    return Sentence("The lab has no node group {name}. {meant}", name=name, meant=meant)
