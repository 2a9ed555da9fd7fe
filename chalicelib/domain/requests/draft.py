"""A request before defaults: both dialects become a Draft, `validation.complete` makes it a LabSpec.

None means "not given". Every finding is first made with our own path (`nodegroups[0].min`) and then, through
`Draft.caller_path`, reported by the path that the caller wrote (`managedNodeGroups[0].minSize`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.labs import spec
from chalicelib.domain.requests.schedule_input import UNSAID, ScheduleDraft


@dataclass(frozen=True)
class NetworkDraft:
    """A new network (cidr, zones, nat) or an existing one (vpc_id, subnet ids); validation refuses both together."""

    cidr: str | None = None
    zones: tuple[str, ...] = ()
    nat: spec.NatMode | None = None
    vpc_id: str | None = None
    public_subnet_ids: tuple[str, ...] = ()
    private_subnet_ids: tuple[str, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether the caller named an existing network."""
        return bool(self.vpc_id or self.public_subnet_ids or self.private_subnet_ids)


@dataclass(frozen=True)
class NodegroupDraft:
    """A requested node group."""

    name: str | None = None
    instance_types: tuple[str, ...] = ()
    desired: int | None = None
    min: int | None = None
    max: int | None = None
    volume_gib: int | None = None
    capacity_type: spec.CapacityType | None = None
    placement: spec.Placement | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[spec.Taint, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    disable_pod_imds: bool | None = None


@dataclass(frozen=True)
class SshDraft:
    """Requested SSH access; `cidrs` None: from the caller's address."""

    key_name: str | None = None
    public_key: str | None = None
    cidrs: tuple[str, ...] | None = None


@dataclass(frozen=True)
class ExternalDnsDraft:
    """Requested external-dns: a hosted zone by id or by domain."""

    hosted_zone_id: str | None = None
    domain: str | None = None


@dataclass(frozen=True)
class Draft:
    """A request that was read and not yet judged.

    `nodegroups` None: not given, so the default one; empty: none on purpose. `access` None: the requester as cluster
    admin; `requester_too` adds the requester to a given list. `access_role` None: for any requester with access who
    comes from IAM Identity Center. `default_addons` False: only the listed ones.
    `paths` maps our paths to the caller's. `broken`: the caller's paths that could not be read; no other
    finding is about them.
    """

    name: str | None = None
    account: str | None = None
    region: str | None = None
    version: str | None = None
    network: NetworkDraft = NetworkDraft()
    endpoint_access: spec.EndpointAccess | None = None
    allowed_cidrs: tuple[str, ...] | None = None
    nodegroups: tuple[NodegroupDraft, ...] | None = None
    ssh: SshDraft | None = None
    external_dns: ExternalDnsDraft | None = None
    work_host: spec.WorkHostSpec | None = None
    addons: tuple[spec.AddonSpec, ...] = ()
    default_addons: bool = True
    access: tuple[spec.AccessSpec, ...] | None = None
    requester_too: bool = False
    access_role: bool | None = None
    pod_identities: tuple[spec.PodIdentitySpec, ...] = ()
    log_types: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    lease_hours: int | None = None
    volumes: spec.VolumePolicy | None = None
    support_policy: spec.SupportPolicy | None = None
    schedule: ScheduleDraft = UNSAID
    paths: Mapping[str, str] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()

    def caller_path(self, ours: str) -> str:
        """The caller's path for one of ours: the longest known prefix is replaced, the rest kept."""
        best = next((known for known in ancestors(ours) if known in self.paths), None)
        return ours if best is None else self.paths[best] + ours[len(best) :]

    def is_broken(self, path: str) -> bool:
        """Whether the caller's path lies in a part that could not be read."""
        return any(known in self.broken for known in ancestors(path))

    def is_partly_broken(self, ours: str) -> bool:
        """Whether a part of one of our paths could not be read, so that the whole can't be judged."""
        path = self.caller_path(ours)
        return any(is_under(broken, path) for broken in self.broken)


def ancestors(path: str) -> Iterator[str]:
    """The path itself and its ancestors, nearest first, the whole body (the empty path) last."""
    yield path
    for end in range(len(path) - 1, 0, -1):
        if path[end] in ".[":
            yield path[:end]
    if path:
        yield ""


def is_under(path: str, ancestor: str) -> bool:
    """Whether a path is `ancestor` or lies in it: `a.b[0].c` is under `a.b`, `a.bc` is not."""
    return path.startswith(ancestor) and (path == ancestor or not ancestor or path[len(ancestor)] in ".[")
