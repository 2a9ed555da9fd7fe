"""From the flags of `create cluster` to the body of `POST /labs`, and from a finding's path back to the flag."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ekslab.parsing.arguments import UsageError
from ekslab.parsing.eksctl_flags import FLAGS, Treatment

_KEYS = ("id_rsa.pub", "id_ed25519.pub")
#: Fields whose flag answers no finding of another: `--without-nodegroup` for groups that are too large.
_NEVER_ADVISED = frozenset({"nodegroups"})
_NAT = {"highlyavailable": "single", "single": "single", "disable": "none"}
Json = dict[str, Any]


def request_of(options: argparse.Namespace, warn: Callable[[str], None]) -> Json:
    """The body with the given options only. `warn` is called with options that are honoured in part. Raises UsageError."""
    if options.name is not None and options.cluster_name is not None:
        raise UsageError("the name is given twice, as --name and as an argument")
    name = options.cluster_name if options.name is None else options.name
    if name is None:
        raise UsageError("name the cluster: `ekslab create cluster myeks`, or give a file with -f")
    return _said(
        name=name,
        account=options.account,
        region=options.region,
        version=options.version,
        tags=options.tags,
        network=_network(options, warn),
        endpoint=_said(allowedCidrs=options.allowed_cidrs),
        nodegroups=_nodegroups(options, warn),
        ssh=_ssh(options),
        externalDns=_external_dns(options, warn),
        workHost=options.work_host or None,
        leaseHours=options.lease_hours,
        volumes=options.volumes,
        supportPolicy=options.support_type and options.support_type.upper(),
    )


def flag_of_field(options: argparse.Namespace) -> dict[str, str]:
    """The flag by the beginning of a field's path, typed flags first."""
    fields: dict[str, str] = {"externalDns.domain": "--external-dns-domain", "leaseHours": "--lease-hours"}
    fields |= {"account": "--account", "workHost": "--work-host", "endpoint.allowedCidrs": "--allowed-cidrs"}
    for flag in FLAGS:
        if flag.treatment is Treatment.HONOURED and flag.field:
            typed = getattr(options, flag.dest, None) is not None
            if typed or flag.field not in fields.keys() | _NEVER_ADVISED:
                fields[flag.field] = f"--{flag.name}"
    return fields


def _said(**fields: Any) -> Json:
    """Without fields that were not given. A given list may be empty."""
    return {name: value for name, value in fields.items() if value is not None and value != {}}


def _network(options: argparse.Namespace, warn: Callable[[str], None]) -> Json:
    zones = options.zones
    if zones is not None and len(zones) > 2:
        warn(f"  warning  --zones: A lab takes two zones; these are {zones[0]} and {zones[1]}.")
    nat = None
    if options.vpc_nat_mode is not None:
        nat = _NAT.get(options.vpc_nat_mode.lower())
        if nat is None:
            raise UsageError("--vpc-nat-mode: expected HighlyAvailable, Single or Disable")
        if options.vpc_nat_mode.lower() == "highlyavailable":
            warn("  warning  --vpc-nat-mode: A lab has one NAT gateway at most: Single.")
    return _said(
        cidr=options.vpc_cidr,
        zones=zones and zones[:2],
        nat=nat,
        publicSubnetIds=options.vpc_public_subnets,
        privateSubnetIds=options.vpc_private_subnets,
    )


def _nodegroups(options: argparse.Namespace, warn: Callable[[str], None]) -> list[Json] | None:
    if options.node_type is not None and options.instance_types is not None:
        raise UsageError("--node-type and --instance-types: give one of them")
    group = _said(
        name=options.nodegroup_name,
        instanceTypes=options.instance_types or (options.node_type and [options.node_type]),
        desired=options.nodes,
        min=options.nodes_min,
        max=options.nodes_max,
        volumeGib=options.node_volume_size,
        capacityType="SPOT" if options.spot else None,
        placement="private" if options.node_private_networking else None,
        labels=options.node_labels,
        disablePodIMDS=options.disable_pod_imds,
    )
    if options.without_nodegroup:
        if group:
            raise UsageError("--without-nodegroup: the other flags ask for a node group")
        return []
    if options.managed is False:
        warn("  warning  --managed: The node group is made a managed one all the same.")
    return [group] if group else None


def _ssh(options: argparse.Namespace) -> Json | None:
    given = options.ssh_public_key
    if options.ssh_access is False or (options.ssh_access is None and given is None):
        return None
    if given is None:
        return {"publicKey": _usual_key()}
    if given.startswith(("ssh-", "ecdsa-")):
        return {"publicKey": given}
    file = Path(given).expanduser()
    return {"publicKey": _key_in(file)} if file.is_file() else {"keyName": given}


def _usual_key() -> str:
    folder = Path.home() / ".ssh"
    for name in _KEYS:
        if (folder / name).is_file():
            return _key_in(folder / name)
    raise UsageError(
        f"--ssh-access: there is no {folder / _KEYS[0]}: make one with ssh-keygen, or name a key with --ssh-public-key"
    )


def _key_in(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        raise UsageError(f"--ssh-public-key: {file} is no public key") from None


def _external_dns(options: argparse.Namespace, warn: Callable[[str], None]) -> Json | None:
    if options.external_dns_domain is not None:
        return {"domain": options.external_dns_domain}
    if options.external_dns_access:
        warn(
            "  warning  --external-dns-access: No rights are put on the node role, where every pod would have them. "
            "For external-dns with rights on one hosted zone add --external-dns-domain example.com."
        )
    return None
