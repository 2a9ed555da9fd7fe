"""A lab whose workflows act on a moto account: fakes everywhere but where leftovers are found, deleted and counted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.core.resources import EntryState, LedgerEntry, Target
from chalicelib.domain.labs.arns import cluster_of
from chalicelib.domain.labs.lab import ClusterFacts, Lab
from chalicelib.domain.labs.spec import ExistingNetwork, ExternalDnsSpec, NewNetwork
from chalicelib.domain.teardown.target import target_of
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.leftovers import STRAGGLERS, SweepOutcome, sweep
from tests.aws.leftovers.accounts import ACCOUNT, MotoAccount
from tests.fakes.builders import a_lab, a_spec
from tests.fakes.world import make_deps

ISSUER = "https://oidc.eks.ap-northeast-2.amazonaws.com/id/AAAA1111"
NODE_ROLE = "ekslab-lab-1-node"


@dataclass
class LabOnMoto:
    """The lab, its account and the world its workflows see."""

    lab: Lab
    account: MotoAccount
    deps: Deps
    now: datetime

    def target(self) -> Target:
        return target_of(self.lab, self.deps.store.ledger(self.lab.id))

    def sweep_to_the_end(self, rounds: int = 6) -> SweepOutcome:
        """Sweep until nothing is left to do, as the state machine would."""
        outcome = sweep(self.deps, self.lab, STRAGGLERS, self.now)
        while not outcome.done and rounds > 0:
            outcome, rounds = sweep(self.deps, self.lab, STRAGGLERS, self.now), rounds - 1
        return outcome


def a_lab_on_moto(guest: bool = False, **spec: Any) -> LabOnMoto:
    """A lab born an hour ago, whose cluster is on the ledger. `guest`: in a VPC that is not its own."""
    now, account = datetime.now(UTC), MotoAccount()
    own = account.places[0]
    network = ExistingNetwork(own.vpc_id, own.subnets) if guest else NewNetwork()
    dns = ExternalDnsSpec(account.zone_id, "example.com")
    lab = a_lab(spec=a_spec(network=network, external_dns=dns, **spec), account=ACCOUNT)
    facts = ClusterFacts(
        oidc_issuer=ISSUER,
        vpc_id=own.vpc_id,
        stack_outputs={"NodeRoleArn": f"arn:aws:iam::{ACCOUNT}:role/ekslab/{NODE_ROLE}"},
    )
    lab = replace(lab, created_at=now - timedelta(hours=1), facts=facts)
    world = make_deps()
    cloud = replace(world.places.cloud, leftovers=account.leftovers(), inventory=account.inventory())
    deps = replace(world.deps, cloud=lambda place: cloud)
    deps.store.create_lab(lab, None, "digest", now)
    deps.store.record(lab.id, LedgerEntry(cluster_of(lab), EntryState.PRESENT, "asked for", now, now))
    return LabOnMoto(lab, account, deps, now)
