"""Lists the watched accounts and regions, and the owner of each."""

from __future__ import annotations

from chalicelib.domain.core.place import Place
from chalicelib.domain.errors.tree import LabNotFound, Unreadable
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.support.fleet import FleetCluster
from chalicelib.domain.support.observation import ClusterContext
from chalicelib.domain.support.owners import answerable, other_owners
from chalicelib.ports.deps import Deps

_LAB_ID_TAG = "ekslab:lab-id"


def places(deps: Deps) -> tuple[Place, ...]:
    """Every account in each of its watched regions, in a fixed order."""
    return tuple(
        Place(registration.account, region, registration.role_arn)
        for registration in sorted(deps.watch.registered(), key=lambda registration: registration.account)
        for region in sorted(set(registration.regions))
    )


def registration_of(deps: Deps, account: str) -> Registration:
    """The account's registration; if it was unregistered meanwhile, one without recipients."""
    found = (registration for registration in deps.watch.registered() if registration.account == account)
    return next(found, Registration(account, account, ()))


def who_answers(deps: Deps, cluster: FleetCluster, registration: Registration) -> ClusterContext:
    """The owner and team by tags or registration. A lab's cluster gets the lab's own owner, and the end of its lease."""
    owner, team = answerable(cluster.tags, None, deps.watch.owner_tags)
    default_owner, default_team = answerable({}, registration)
    lab = _lab_of(deps, cluster)
    if lab is None:
        others = other_owners(cluster.tags, owner)
        return ClusterContext(owner or default_owner, team or default_team, other_owners=others)
    others = other_owners(cluster.tags, lab.owner)
    return ClusterContext(lab.owner, team or default_team, lab.id, lab.lease_ends_at, others)


def who_answers_for(registration: Registration) -> ClusterContext:
    """The recipients for a place, or for a cluster whose tags can't be read."""
    return ClusterContext(*answerable({}, registration))


def _lab_of(deps: Deps, cluster: FleetCluster) -> Lab | None:
    """The lab that the tag names, if its record names this cluster: anyone can write a tag."""
    lab_id = cluster.tags.get(_LAB_ID_TAG)
    if not lab_id:
        return None
    try:
        lab = deps.store.load_lab(lab_id)
    except (LabNotFound, Unreadable):
        return None
    key = cluster.key
    return lab if (lab.account, lab.region, lab.name) == (key.account, key.region, key.name) else None
