"""AWS resources that a lab may own: their kinds, their description, and the ledger that lists them.

A ledger entry is written when a resource is requested: before AWS answers if the ARN is known, else with the answer, so that
no resource of the lab is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.proof import Creator, Proof
from chalicelib.domain.core.sentence import Sentence


class Kind(StrEnum):
    """Every kind of resource that a lab, or its workloads, can leave in an account."""

    STACK = "stack"
    CLUSTER = "cluster"
    NODEGROUP = "nodegroup"
    FARGATE_PROFILE = "fargate-profile"
    ADDON = "addon"
    ACCESS_ENTRY = "access-entry"
    POD_IDENTITY = "pod-identity-association"
    AUTO_SCALING_GROUP = "auto-scaling-group"
    INSTANCE = "instance"
    KEY_PAIR = "key-pair"
    LAUNCH_TEMPLATE = "launch-template"
    LOAD_BALANCER = "load-balancer"
    CLASSIC_LOAD_BALANCER = "classic-load-balancer"
    TARGET_GROUP = "target-group"
    SECURITY_GROUP = "security-group"
    NETWORK_INTERFACE = "network-interface"
    VOLUME = "volume"
    SNAPSHOT = "snapshot"
    MOUNT_TARGET = "efs-mount-target"
    DNS_RECORD = "dns-record"
    LOG_GROUP = "log-group"
    OIDC_PROVIDER = "oidc-provider"
    INSTANCE_PROFILE = "instance-profile"
    ROLE = "role"
    VPC_ENDPOINT = "vpc-endpoint"
    NAT_GATEWAY = "nat-gateway"
    ELASTIC_IP = "elastic-ip"
    INTERNET_GATEWAY = "internet-gateway"
    ROUTE_TABLE = "route-table"
    SUBNET = "subnet"
    VPC = "vpc"


def kind_said(kind: str) -> str:
    """The word of a Kind, in each language; any other text as it is."""
    return Sentence(str(kind)) if kind in tuple(Kind) else str(kind)


@dataclass(frozen=True)
class Resource:
    """One resource in the account.

    `id` is the argument of its delete call (an instance id, a group id, a name, an ARN for load balancers; for a DNS record
    `<zone id>|<name>|<type>`), `arn` is unique over all kinds and regions, `created_at` is None if AWS does not return it.
    `attributes` holds facts for the decision or the deletion (`vpc-id`, `status`, `service-name`, `group-name`,
    `txt-owner`, `issuer`, `role-name`, ...).
    """

    kind: Kind
    id: str
    arn: str
    tags: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None


class EntryState(StrEnum):
    """The state of a ledger entry. UNPROVEN: it has the lab's tags or name but no proof; never deleted."""

    REQUESTED = "requested"
    PRESENT = "present"
    DELETED = "deleted"
    KEPT = "kept"
    BLOCKED = "blocked"
    UNPROVEN = "unproven"


#: Values of `how` that prove an entry: each was an answer of AWS, also before proofs were kept.
ASKED_FOR = Sentence("asked for by provision")
BY_STACK = Sentence("made by the lab's stack")
BY_EKS = Sentence("made by EKS for the lab's cluster")
_SAID: Mapping[str, Proof] = {ASKED_FOR: Proof.ANSWER, BY_STACK: Proof.STACK, BY_EKS: Proof.AWS}


#: The note on a resource that was deleted once before: late deliveries recreate log groups.
CAME_BACK = Sentence("It was deleted, and is there again.")


@dataclass(frozen=True)
class LedgerEntry:
    """One resource of the lab, or one like it. `how` says why: `asked for by provision`, `tag elbv2.k8s.aws/cluster`, ...

    `guest` marks resources that the lab only uses (an existing VPC and its subnets): the teardown *keeps* them. `proof`: the
    grade of its proof; `creator`: from CloudTrail; `settled_by`: the person who settled a leftover. `came_back`: it was deleted
    once, and seen again since.
    """

    resource: Resource
    state: EntryState
    how: str
    recorded_at: datetime
    changed_at: datetime
    reason: str = ""
    guest: bool = False
    proof: Proof | None = None
    creator: Creator | None = None
    settled_by: str = ""
    came_back: bool = False

    @property
    def grounds(self) -> Proof | None:
        """The proof of ownership; None without one. Entries from before proofs were kept have it in `how`."""
        if self.guest or self.state is EntryState.UNPROVEN:
            return None
        return self.proof or _SAID.get(self.how)

    @property
    def was_deleted(self) -> bool:
        """Whether it was deleted; also if it was seen again and could not be deleted yet (throttled, or denied)."""
        return self.state is EntryState.DELETED or self.came_back


@dataclass(frozen=True)
class Target:
    """The facts of a lab for finders and the ownership rule.

    `known_ids` are the ids on the lab's ledger: finders check these too, also after their tags were changed.
    `had_cluster`: the lab requested its cluster; before that, its name can only mean someone else's. `name_taken_over`:
    another cluster has the name now.
    `cluster_gone_at`: when the lab's own cluster was found gone; None while it may exist.

    Unique ids from AWS: `stack_id`, `role_ids` (AROA…) of the stack's roles, `true_role_names` whose role still
    has that id, `profile_ids` that hold such a role, `group_arns` and `member_ids` of node groups' Auto Scaling groups,
    `own_cluster_arn` while the cluster is the lab's. `before`: ARNs that bore the lab's name when it began; None: not
    recorded. `subdomain`: this lab's alone and empty when it began. `own_ids`: ids and ARNs of all proved resources.
    """

    lab_id: str
    cluster_name: str
    account: str
    region: str
    created_at: datetime
    stack_name: str
    txt_owner_id: str
    vpc_id: str | None = None
    vpc_is_ours: bool = False
    subnet_ids: tuple[str, ...] = ()
    hosted_zone_id: str | None = None
    oidc_issuer: str | None = None
    cluster_security_group_id: str | None = None
    role_names: tuple[str, ...] = ()
    known_ids: tuple[str, ...] = ()
    had_cluster: bool = False
    name_taken_over: bool = False
    cluster_gone_at: datetime | None = None
    stack_id: str | None = None
    own_cluster_arn: str | None = None
    cluster_created_at: datetime | None = None
    role_ids: frozenset[str] = frozenset()
    true_role_names: frozenset[str] = frozenset()
    profile_ids: frozenset[str] = frozenset()
    group_arns: frozenset[str] = frozenset()
    member_ids: frozenset[str] = frozenset()
    own_ids: frozenset[str] = frozenset()
    before: frozenset[str] | None = None
    subdomain: str | None = None


class InventoryAnswer(NamedTuple):
    """An account's inventory: resources that could be the lab's, the sources, and the unreadable ones."""

    found: tuple[Resource, ...]
    sources: tuple[str, ...]
    unreadable: tuple[str, ...]
