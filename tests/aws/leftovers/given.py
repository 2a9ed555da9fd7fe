"""A lab whose workflows act on a moto account: fakes everywhere except where leftovers are found, deleted and counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.aws.infrastructure.roles import IamRoles
from chalicelib.domain.core.resources import ASKED_FOR, BY_STACK, EntryState, Kind, LedgerEntry, Resource, Target
from chalicelib.domain.labs.arns import cluster_of, ec2_thing
from chalicelib.domain.labs.lab import ClusterFacts, Lab
from chalicelib.domain.labs.spec import ExistingNetwork, ExternalDnsSpec, NewNetwork
from chalicelib.domain.teardown.deletion_order import STRAGGLERS
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.leftovers import SweepOutcome, aim, sweep
from tests.aws.leftovers.accounts import ACCOUNT, MotoAccount, Thing
from tests.fakes.builders import a_lab, a_spec
from tests.fakes.places import FakeHistory
from tests.fakes.trail import created, session
from tests.fakes.world import make_deps

ISSUER = "https://oidc.eks.ap-northeast-2.amazonaws.com/id/AAAA1111"
NODE_ROLE = "ekslab-lab-1-node"
#: The age of the lab's resources at the check: CloudTrail has all their events by then.
SINCE = timedelta(minutes=30)


@dataclass
class LabOnMoto:
    """The lab, its account and the world its workflows see."""

    lab: Lab
    account: MotoAccount
    deps: Deps
    now: datetime
    history: FakeHistory

    def made(self, thing: Thing) -> Thing:
        """Record its creation in CloudTrail by a role of the lab's, half an hour ago."""
        facts = {}
        if thing.kind is Kind.CLASSIC_LOAD_BALANCER:
            (row,) = self.account.elb.describe_load_balancers(LoadBalancerNames=[thing.id])["LoadBalancerDescriptions"]
            facts["dns-name"] = row["DNSName"]
        whole = Resource(thing.kind, thing.id, thing.id, {}, facts)
        role_id = self.lab.facts.role_ids[NODE_ROLE]
        self.history.told.append(created(whole, self.now - SINCE, session(role_id)))
        return thing

    def target(self) -> Target:
        return aim(self.deps, self.lab, self.deps.store.ledger(self.lab.id))

    def sweep_to_the_end(self, rounds: int = 6) -> SweepOutcome:
        """Sweep until nothing is left to do, as the state machine would."""
        outcome = sweep(self.deps, self.lab, STRAGGLERS, self.now)
        while not outcome.done and rounds > 0:
            outcome, rounds = sweep(self.deps, self.lab, STRAGGLERS, self.now), rounds - 1
        return outcome


def a_lab_on_moto(guest: bool = False, **spec: Any) -> LabOnMoto:
    """A lab created an hour before its resources, which are half an hour old. `guest`: in a VPC that is not its own."""
    now, account = datetime.now(UTC) + SINCE, MotoAccount()
    role = account.iam.create_role(RoleName=NODE_ROLE, AssumeRolePolicyDocument="{}", Path="/ekslab/")["Role"]
    own = account.places[0]
    network = ExistingNetwork(own.vpc_id, own.subnets) if guest else NewNetwork()
    dns = ExternalDnsSpec(account.zone_id, "example.com")
    lab = a_lab(spec=a_spec(network=network, external_dns=dns, **spec), account=ACCOUNT)
    facts = ClusterFacts(
        oidc_issuer=ISSUER,
        vpc_id=own.vpc_id,
        stack_outputs={"NodeRoleArn": f"arn:aws:iam::{ACCOUNT}:role/ekslab/{NODE_ROLE}"},
        role_ids={NODE_ROLE: role["RoleId"]},
        subdomain="lab.example.com",
        arn=cluster_of(lab).arn,
    )
    lab = replace(lab, created_at=now - SINCE - timedelta(hours=1), facts=facts)
    world = make_deps()
    sees = {"leftovers": account.leftovers(), "inventory": account.inventory(), "roles": IamRoles(account.iam)}
    cloud = replace(world.places.cloud, **sees)
    deps = replace(world.deps, cloud=lambda place: cloud)
    deps.store.create_lab(lab, None, "digest", now)
    deps.store.note_before(lab.id, frozenset())
    deps.store.record(lab.id, LedgerEntry(cluster_of(lab), EntryState.PRESENT, ASKED_FOR, now, now))
    if not guest:
        vpc = ec2_thing(lab, Kind.VPC, own.vpc_id)
        deps.store.record(lab.id, LedgerEntry(vpc, EntryState.PRESENT, BY_STACK, now, now))
    return LabOnMoto(lab, account, deps, now, world.history)
