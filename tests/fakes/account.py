"""The account that all fakes share: its resources, their references, and planned failures.

Nothing here knows about labs. Other people's resources are added with `add`, exactly like the service's.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.errors.tree import AccessDenied, AwsUnavailable, ResourceGone, StillInUse
from tests.fakes.clock import FakeClock

#: kind -> (id prefix, ARN pattern)
_SHAPES: dict[Kind, tuple[str, str]] = {
    Kind.STACK: ("stack", "cloudformation:{r}:{a}:stack/{i}/0001"),
    Kind.CLUSTER: ("cluster", "eks:{r}:{a}:cluster/{i}"),
    Kind.AUTO_SCALING_GROUP: ("asg", "autoscaling:{r}:{a}:autoScalingGroup:0001:autoScalingGroupName/{i}"),
    Kind.INSTANCE: ("i", "ec2:{r}:{a}:instance/{i}"),
    Kind.LOG_GROUP: ("log", "logs:{r}:{a}:log-group:{i}"),
    Kind.OIDC_PROVIDER: ("oidc", "iam::{a}:oidc-provider/{i}"),
    Kind.INSTANCE_PROFILE: ("profile", "iam::{a}:instance-profile/ekslab/{i}"),
    Kind.ROLE: ("role", "iam::{a}:role/ekslab/{i}"),
    Kind.DNS_RECORD: ("record", "route53:::recordset/{i}"),
    Kind.LAUNCH_TEMPLATE: ("lt", "ec2:{r}:{a}:launch-template/{i}"),
    Kind.SECURITY_GROUP: ("sg", "ec2:{r}:{a}:security-group/{i}"),
    Kind.NETWORK_INTERFACE: ("eni", "ec2:{r}:{a}:network-interface/{i}"),
    Kind.VOLUME: ("vol", "ec2:{r}:{a}:volume/{i}"),
    Kind.SNAPSHOT: ("snap", "ec2:{r}::snapshot/{i}"),
    Kind.MOUNT_TARGET: ("fsmt", "elasticfilesystem:{r}:{a}:mount-target/{i}"),
    Kind.NAT_GATEWAY: ("nat", "ec2:{r}:{a}:natgateway/{i}"),
    Kind.ROUTE_TABLE: ("rtb", "ec2:{r}:{a}:route-table/{i}"),
    Kind.INTERNET_GATEWAY: ("igw", "ec2:{r}:{a}:internet-gateway/{i}"),
    Kind.ELASTIC_IP: ("eipalloc", "ec2:{r}:{a}:elastic-ip/{i}"),
    Kind.SUBNET: ("subnet", "ec2:{r}:{a}:subnet/{i}"),
    Kind.VPC: ("vpc", "ec2:{r}:{a}:vpc/{i}"),
    Kind.KEY_PAIR: ("key", "ec2:{r}:{a}:key-pair/{i}"),
    Kind.VPC_ENDPOINT: ("vpce", "ec2:{r}:{a}:vpc-endpoint/{i}"),
}
#: Kinds of resources in a subnet or VPC that prevent its deletion.
_INHABITANTS = frozenset(
    {
        Kind.INSTANCE,
        Kind.NETWORK_INTERFACE,
        Kind.LOAD_BALANCER,
        Kind.CLASSIC_LOAD_BALANCER,
        Kind.MOUNT_TARGET,
        Kind.NAT_GATEWAY,
        Kind.VPC_ENDPOINT,
    }
)
_VPC_FURNITURE = frozenset({Kind.SECURITY_GROUP, Kind.SUBNET})


@dataclass
class Trouble:
    """One planned failure of one operation. `after`: the operation takes effect, but its answer is lost."""

    error: Exception
    after: bool


@dataclass(frozen=True)
class Call:
    """One call of a port: `clusters.describe`, its arguments, and its effect."""

    name: str
    given: tuple[Any, ...]
    act: Callable[[], Any]


@dataclass
class Account:
    """The account's state. `calls` is every port call in order; `deleted` every resource removed through a port.

    `around` wraps each call of a port; the default performs the call.
    """

    clock: FakeClock = field(default_factory=FakeClock)
    id: str = "111122223333"
    region: str = "ap-northeast-2"
    resources: dict[str, Resource] = field(default_factory=dict)
    calls: list[tuple[str, tuple[Any, ...]]] = field(default_factory=list)
    deleted: list[Resource] = field(default_factory=list)
    troubles: dict[str, list[Trouble]] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    hooks: dict[str, Callable[[], None]] = field(default_factory=dict)
    around: Callable[[Call], Any] = lambda call: call.act()
    _count: int = 0

    def add(self, kind: Kind, id: str | None = None, *, arn: str | None = None, **attributes: Any) -> Resource:
        """Add a resource. Keywords become attributes (`vpc_id` → `vpc-id`), except `tags` and `created_at`."""
        self._count += 1
        prefix, pattern = _SHAPES.get(kind, (str(kind), "ec2:{r}:{a}:" + str(kind) + "/{i}"))
        id = id or f"{prefix}-{self._count:017x}"
        arn = arn or (id if id.startswith("arn:") else "arn:aws:" + pattern.format(r=self.region, a=self.id, i=id))
        tags = attributes.pop("tags", {})
        created_at = attributes.pop("created_at", self.clock.now())
        facts = {key.replace("_", "-"): str(value) for key, value in attributes.items()}
        resource = Resource(kind, id, arn, dict(tags), facts, created_at)
        self.resources[arn] = resource
        return resource

    @property
    def made(self) -> int:
        """The number of resources ever created: a unique number for each new one."""
        return self._count

    def of(self, kind: Kind) -> tuple[Resource, ...]:
        """Everything of a kind, in order of creation."""
        return tuple(r for r in self.resources.values() if r.kind is kind)

    def get(self, kind: Kind, id: str) -> Resource:
        """Get a resource by its id. Raises ResourceGone."""
        for resource in self.of(kind):
            if resource.id == id:
                return resource
        raise ResourceGone(f"Describe {kind}", "NotFound", f"There is no {kind} {id}.")

    def with_tag(self, key: str, value: str) -> tuple[Resource, ...]:
        """Everything with this tag."""
        return tuple(r for r in self.resources.values() if r.tags.get(key) == value)

    def change(self, resource: Resource, **attributes: Any) -> Resource:
        """Change attributes of an existing resource."""
        facts = {key.replace("_", "-"): str(value) for key, value in attributes.items()}
        changed = replace(resource, attributes={**resource.attributes, **facts})
        self.resources[resource.arn] = changed
        return changed

    def remove(self, resource: Resource) -> None:
        """Delete as AWS would: raises ResourceGone, StillInUse with the users' names, or AccessDenied where forbidden."""
        if resource.arn not in self.resources:
            raise ResourceGone(f"Delete {resource.kind}", "NotFound", f"{resource.id} does not exist.")
        if resource.arn in self.forbidden:
            raise AccessDenied(f"Delete {resource.kind}", "AccessDenied", f"{resource.id} is protected by a policy.")
        users = self.users_of(resource)
        if users:
            names = ", ".join(user.id for user in users)
            raise StillInUse(f"Delete {resource.kind}", "DependencyViolation", f"{resource.id} is used by {names}.")
        self.deleted.append(self.resources.pop(resource.arn))

    def users_of(self, resource: Resource) -> list[Resource]:
        """The dependents that must be deleted first."""
        here = self.resources[resource.arn]
        if here.kind is Kind.NETWORK_INTERFACE and here.attributes.get("status") == "in-use":
            return [here]
        return [other for other in self.resources.values() if other.arn != here.arn and _uses(other, here)]

    def forbid(self, *resources: Resource) -> None:
        """Deny the deletion of these from now on."""
        self.forbidden |= {resource.arn for resource in resources}

    def fail(self, operation: str, error: Exception, times: int = 1, after: bool = False) -> None:
        """Plan failures of an operation (`create_nodegroup`, or `clusters.delete` where names are shared)."""
        self.troubles.setdefault(operation, []).extend(Trouble(error, after) for _ in range(times))

    def lose_answer(self, operation: str) -> None:
        """Let the next such call take effect and then fail like a lost connection."""
        self.fail(operation, AwsUnavailable(f"The answer of {operation} was lost."), after=True)

    def trouble(self, port: str, name: str) -> Trouble | None:
        """Remove and return the next planned failure of this call."""
        for key in (f"{port}.{name}", name):
            if self.troubles.get(key):
                return self.troubles[key].pop(0)
        return None


def _uses(other: Resource, thing: Resource) -> bool:
    attributes = other.attributes
    match thing.kind:
        case Kind.SECURITY_GROUP:
            return other.kind in _INHABITANTS and thing.id in _words(attributes.get("groups"))
        case Kind.SUBNET:
            return other.kind in _INHABITANTS and thing.id in _words(attributes.get("subnet-id"))
        case Kind.VPC:
            return other.kind in _INHABITANTS | _VPC_FURNITURE and attributes.get("vpc-id") == thing.id
        case Kind.INTERNET_GATEWAY:
            return other.kind is Kind.NAT_GATEWAY and attributes.get("vpc-id") == thing.attributes.get("vpc-id")
        case Kind.TARGET_GROUP:
            return thing.arn in _words(attributes.get("target-groups"))
        case Kind.VOLUME:
            return other.kind is Kind.INSTANCE and other.id == thing.attributes.get("attached-to")
        case Kind.ROLE:
            return other.kind is Kind.INSTANCE_PROFILE and attributes.get("role-name") == thing.id
        case _:
            return False


def _words(text: str | None) -> Iterable[str]:
    return (text or "").split(",")


Method = TypeVar("Method", bound=Callable[..., Any])


def port(method: Method) -> Method:
    """Mark a port's method: the call is recorded, and fails if the account has planned so.

    A hook named like the operation runs once, right after it: a concurrent change by somebody else.
    """

    @functools.wraps(method)
    def called(self: Any, *args: Any, **kwargs: Any) -> Any:
        account: Account = self.account
        name = method.__name__
        account.calls.append((name, args))
        given = (*args, *kwargs.values())
        return account.around(Call(f"{self.port_name}.{name}", given, lambda: answered(self, account, args, kwargs)))

    def answered(self: Any, account: Account, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        name = method.__name__
        trouble = account.trouble(self.port_name, name)
        if trouble and not trouble.after:
            raise trouble.error
        result = method(self, *args, **kwargs)
        hook = account.hooks.pop(name, None)
        if hook:
            hook()
        if trouble:
            raise trouble.error
        return result

    return called  # type: ignore[return-value]  # functools.wraps keeps the signature, mypy can't see it.
