"""Our own body of POST /labs: its fields, their types and their words, and nothing of their meaning (`domain/requests`).

Every field but `name` is optional. Strict: a text is not a number. The field names are those of `GET /labs/{id}`,
so that its answer can be sent again. `api/inputs/lab_body.py` turns it into a Draft.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.alias_generators import to_camel

#: Empty strings are errors, because no field is dropped silently. `name` has its own message; values of tags may be empty.
Text = Annotated[str, Field(min_length=1)]


class _Body(BaseModel):
    # Most requests bring no body of a lab: its schema is built by the first that does.
    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel, frozen=True, defer_build=True)


def _also(*kinds: str) -> Callable[[dict[str, Any]], None]:
    """Say in the JSON schema that a field may also be written as another kind of value (a validator makes it ours)."""

    def add(schema: dict[str, Any]) -> None:
        schema["anyOf"] += [{"type": kind} for kind in kinds]

    return add


def _items_also_text(schema: dict[str, Any]) -> None:
    """Say in the JSON schema that a list's items may also be texts."""
    items = schema["anyOf"][0]
    items["items"] = {"anyOf": [items["items"], {"type": "string"}]}


class NetworkBody(_Body):
    """A new network (cidr, zones, nat) or an existing one (subnet ids)."""

    cidr: Text | None = Field(None, description="Range of the new VPC, /16 to /22. Default 192.168.0.0/16.")
    zones: list[str] | None = Field(None, description="Two availability zones. Default: the region's first two.")
    nat: Literal["none", "single"] | None = Field(
        None, description="Default: single if a node group is private, else none."
    )
    vpc_id: Text | None = Field(None, description="The VPC of the subnets below; may be left out.")
    public_subnet_ids: list[str] | None = Field(
        None, description="Existing subnets with a route to an internet gateway."
    )
    private_subnet_ids: list[str] | None = Field(None, description="Existing subnets without one.")


class EndpointBody(_Body):
    """From where the Kubernetes API answers."""

    access: Literal["public", "public-and-private", "private"] | None = Field(
        None, description="Default public-and-private."
    )
    allowed_cidrs: list[str] | None = Field(
        None, description="Who may reach the public endpoint. Default: your address."
    )


class TaintBody(_Body):
    """A Kubernetes taint."""

    key: Text
    value: str = ""
    effect: Literal["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"]


class NodegroupBody(_Body):
    """A managed node group."""

    name: Text | None = Field(None, description="Default `<lab>-nodegroup`.")
    instance_types: list[str] | None = Field(None, description="Default t3.medium.", min_length=1)
    desired: int | None = Field(None, description="Nodes to begin with. Default 2, within min and max.")
    min: int | None = Field(None, description="Default 1, or desired if that is less.")
    max: int | None = Field(None, description="Default 3, or desired if that is more.")
    volume_gib: int | None = Field(None, description="GiB of each node's gp3 volume, 20 to 16384. Default 30.")
    capacity_type: Literal["ON_DEMAND", "SPOT"] | None = Field(None, description="Default ON_DEMAND.")
    placement: Literal["public", "private"] | None = Field(None, description="Default public.")
    labels: dict[str, str] | None = None
    taints: list[TaintBody] | None = None
    tags: dict[str, str] | None = None
    disable_pod_imds: bool | None = Field(
        None, alias="disablePodIMDS", description="Default true: pods do not reach the instance's metadata."
    )


class SshBody(_Body):
    """Port 22 on the nodes; without it they are reached through SSM."""

    key_name: Text | None = Field(None, description="A key pair in EC2.")
    public_key: Text | None = Field(None, description="Or an OpenSSH public key's text, imported for the lab.")
    cidrs: list[str] | None = Field(None, description="From where. Default: your address.")


class ExternalDnsBody(_Body):
    """external-dns for one hosted zone, named by id, by domain or by both."""

    hosted_zone_id: Text | None = None
    domain: Text | None = Field(None, description="Names are made under it. Default: the zone's own.")


class WorkHostBody(_Body):
    """An instance in public subnet 1 with kubectl, eksctl, aws and docker. `true` is a short form of the default one."""

    instance_type: Text = Field("t3.medium", description="Default t3.medium.")


class AddonBody(_Body):
    """An EKS add-on. Its name alone is a short form."""

    name: Text
    version: Text | None = Field(None, description="Default: EKS's default for the cluster's version.")
    configuration: Text | None = Field(
        None, description="An object, or its text in JSON or YAML.", json_schema_extra=_also("object")
    )
    tags: dict[str, str] | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: object) -> object:
        return {"name": value} if isinstance(value, str) else value

    @field_validator("configuration", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> object:
        return json.dumps(value) if isinstance(value, dict) else value


class AccessPolicyBody(_Body):
    """An EKS access policy, for the whole cluster or for some namespaces."""

    policy_arn: Text
    namespaces: list[str] | None = None


class AccessBody(_Body):
    """A principal with access. Without policies and groups: a cluster administrator."""

    principal_arn: Text
    policies: list[AccessPolicyBody] | None = None
    groups: list[str] | None = None
    type: Text = "STANDARD"


class PodIdentityBody(_Body):
    """Gives pods of a service account a role that exists, under the path /ekslab/."""

    namespace: Text
    service_account: Text
    role_arn: Text


class ScheduleBody(_Body):
    """The time of curfew and its act. Omitted fields take the installation's values."""

    time_zone: Text | None = Field(None, description="An IANA name, such as Asia/Seoul.")
    curfew: Text | None = Field(None, description='Wall-clock time in that zone, "22:00".')
    weekdays: list[str] | None = Field(None, description="mon, tue, wed, thu, fri, sat, sun.")
    holidays: Text | None = Field(
        None, description="On whose public holidays there is no curfew: KR, DE-BY. null: nobody's."
    )
    quiet_dates: list[str] | None = Field(None, description="Days of your own without one: 2026-12-24.")
    at_curfew: Literal["end", "hibernate"] | None = Field(None, description="What happens to an idle lab.")
    wake: Text | None = Field(None, description="When a hibernated lab wakes by itself. null: never.")


class LabBody(_Body):
    """A requested lab."""

    model_config = ConfigDict(json_schema_extra={"required": ["name"]})

    name: str | None = Field(None, description="The cluster's name. Required.")
    account: Text | None = Field(None, description="The AWS account it is made in. Default: the service's own.")
    region: Text | None = Field(None, description="Default: the installation's.")
    version: Text | None = Field(None, description="Kubernetes minor version. Default: EKS's own default.")
    network: NetworkBody | None = None
    endpoint: EndpointBody | None = None
    nodegroups: list[NodegroupBody] | None = Field(None, description="Default: one. An empty list: none.")
    ssh: SshBody | None = None
    external_dns: ExternalDnsBody | None = None
    work_host: WorkHostBody | None = Field(
        None, description="true, or its settings.", json_schema_extra=_also("boolean")
    )
    addons: list[AddonBody] | None = Field(
        None, description="Beside the usual ones.", json_schema_extra=_items_also_text
    )
    access: list[AccessBody] | None = Field(None, description="Default: you, as cluster administrator.")
    access_role: bool | None = Field(
        None,
        description="You get in as cluster administrator by a role of the lab's own that nobody else can assume. "
        "Default: if you are of IAM Identity Center, and access is not given.",
    )
    pod_identities: list[PodIdentityBody] | None = None
    log_types: list[str] | None = Field(None, description="Control plane logs. Default: none.")
    tags: dict[str, str] | None = None
    lease_hours: int | None = Field(None, description="Default and maximum: the installation's.")
    volumes: Literal["delete", "snapshot", "keep"] | None = Field(
        None, description="Volumes of PVCs at the end. Default delete."
    )
    support_policy: Literal["STANDARD", "EXTENDED"] | None = Field(None, description="Default STANDARD.")
    schedule: ScheduleBody | None = Field(None, description="Default: the installation's.")

    @field_validator("work_host", mode="before")
    @classmethod
    def _by_flag(cls, value: object) -> object:
        match value:
            case True:
                return {}
            case False:
                return None
        return value
