"""Adopts a cluster without a record as a lab: an administrator requests it, and it needs a proof (ADR 12)."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.core.names import as_tag_value
from chalicelib.domain.core.place import Place
from chalicelib.domain.core.resources import ASKED_FOR, BY_STACK, EntryState, Kind, LedgerEntry, Resource
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import NotProved, NotYours, ResourceGone
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.labs.arns import cluster_of
from chalicelib.domain.labs.aws_states import ClusterState, StackState
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.steps import Event
from chalicelib.domain.teardown.adoption import INSTALLATION_TAG, TaggedCluster, adopted_lab, claimed_lab_id, is_made_by
from chalicelib.ports.deps import Deps
from chalicelib.services.labs.budget import meter_for
from chalicelib.services.labs.preflight import refuse_unusable_region
from chalicelib.services.support.accounts import registered


def adopt(deps: Deps, caller: Caller, place: Place, name: str, now: datetime) -> Lab:
    """Make it a lab, owned by administrators, its ledger rebuilt from its stack.

    Raises NotYours, AccountNotRegistered, InvalidRequest for a region, NotProved, NameTaken.
    """
    if not caller.is_admin:
        raise NotYours("Which clusters become labs again is for administrators to say.")
    registered(deps, place.account)
    refuse_unusable_region(deps, place.account, place.region)
    tagged, state = _cluster(deps, place, name)
    stack, made = _stack(deps, tagged, state)
    owner = deps.watch.administrators or caller.identity
    lab = adopted_lab(tagged, state, stack, owner, deps.curfew.installation, now)
    role_names = [thing.id for thing in made if thing.kind is Kind.ROLE]
    roles = deps.cloud(place).roles.states(role_names)
    meter = meter_for(deps, lab.spec, deps.cloud(place).clusters.versions())
    lab = lab.with_facts(role_ids={role.name: role.id for role in roles}).metered_since(meter, now)
    stored = deps.store.create_lab(lab, None, "", now)
    own = Resource(Kind.STACK, lab.stack_name, stack.id)
    for thing, how in ((own, ASKED_FOR), *((thing, BY_STACK) for thing in made), (cluster_of(lab), ASKED_FOR)):
        deps.store.record(lab.id, LedgerEntry(thing, EntryState.PRESENT, how, now, now))
    told = Sentence(
        "Adopted by {who}: its role {role} was made by {stack}.",
        who=caller.arn,
        role=state.role_arn or "",
        stack=stack.id,
    )
    deps.store.add_event(lab.id, Event(now, "adopted", told))
    return stored


def _cluster(deps: Deps, place: Place, name: str) -> tuple[TaggedCluster, ClusterState]:
    try:
        state = deps.cloud(place).clusters.describe(name)
    except ResourceGone as error:
        told = Sentence("There is no cluster {name} in {region} of account {account}.")
        raise NotProved(told.with_slots(name=name, region=place.region, account=place.account)) from error
    tagged = TaggedCluster(state.arn, name, place.region, state.tags)
    ours = state.tags.get(INSTALLATION_TAG) == as_tag_value(deps.curfew.installation) and deps.curfew.installation
    if not ours or claimed_lab_id(tagged) is None:
        raise NotProved("{name} does not bear the tags that this installation writes.", name=name)
    return tagged, state


def _stack(deps: Deps, tagged: TaggedCluster, state: ClusterState) -> tuple[StackState, tuple[Resource, ...]]:
    stacks, stack_name = deps.cloud(tagged.place).stacks, f"ekslab-{claimed_lab_id(tagged)}"
    try:
        stack = stacks.describe(stack_name)
    except ResourceGone as error:
        told = Sentence("There is no stack {stack}: nothing proves that this service made {name}.")
        raise NotProved(told.with_slots(stack=stack_name, name=tagged.name)) from error
    made = stacks.resources(stack_name)
    if not is_made_by(state, stack, made):
        told = Sentence("The role of {name}, {role}, is not one that {stack} made.")
        raise NotProved(told.with_slots(name=tagged.name, role=state.role_arn or "", stack=stack.id))
    return stack, made
