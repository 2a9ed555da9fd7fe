"""The treatment of each flag of eksctl 0.230's `create cluster`: honoured, warned about or refused; none is dropped.

docs/command-line.md shows this table, and tests/data/eksctl-flags.txt lists eksctl's own. A warned or refused flag without an
effect (`--fargate=false`, or a value that a lab has anyway) is no finding.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The form of a flag's value."""

    TEXT = "text"
    NUMBER = "number"
    SWITCH = "switch"
    LIST = "list"
    PAIRS = "pairs"
    DURATION = "duration"


class Treatment(StrEnum):
    """The treatment of a flag."""

    HONOURED = "honoured"
    WARNED = "warned"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Flag:
    """`message`: help of an honoured flag; of others, the reason and the alternative. `field`: of the body of `POST /labs`.

    `harmless`: values that a lab has anyway.
    """

    name: str
    kind: Kind
    treatment: Treatment
    message: str
    short: str = ""
    field: str = ""
    harmless: tuple[object, ...] = ()

    @property
    def dest(self) -> str:
        """Its attribute after parsing."""
        return self.name.replace("-", "_")


def _yes(name: str, kind: Kind, message: str, field: str = "", short: str = "") -> Flag:
    return Flag(name, kind, Treatment.HONOURED, message, short, field)


def _warn(name: str, kind: Kind, message: str, *harmless: object, short: str = "") -> Flag:
    return Flag(name, kind, Treatment.WARNED, message, short, harmless=harmless)


def _no(name: str, kind: Kind, message: str, *harmless: object) -> Flag:
    return Flag(name, kind, Treatment.REFUSED, message, harmless=harmless)


_T, _N, _S, _L, _P = Kind.TEXT, Kind.NUMBER, Kind.SWITCH, Kind.LIST, Kind.PAIRS
_GROUP = "nodegroups[0]"
_REPAIR = "Automatic node repair is not set up for a lab."
_POD_IDENTITY = "No rights are put on the node role: ask for podIdentities in a file (-f) instead."
_SELECTOR = "Instances are not chosen for you: give --node-type or --instance-types."
_ROLES = "A lab makes its own roles and stacks. Leave it out."
_NAMES = "Instances are named after the lab and the node group."

FLAGS = (
    _yes("name", _T, "the cluster's name; or give it as the argument", "name", "n"),
    _yes("tags", _P, "k1=v1,k2=v2", "tags"),
    _yes("region", _T, "the lab's region", "region", "r"),
    _warn("with-oidc", _S, "No IAM OIDC provider is made: Pod Identity gives pods their rights in a lab.", False),
    _yes("zones", _L, "two availability zones", "network.zones"),
    _yes("support-type", _T, "STANDARD or EXTENDED (default STANDARD; eksctl: EXTENDED)", "supportPolicy"),
    _yes("version", _T, "Kubernetes minor version (default: EKS's own, if in standard support)", "version"),
    _yes("config-file", _T, "a lab's own form or an eksctl ClusterConfig, JSON or YAML; - reads stdin", "", "f"),
    _yes("timeout", Kind.DURATION, "how long to stay until it is ready, 25m0s (default 40m; the lab goes on)"),
    _no("install-vpc-controllers", _S, "Windows nodes are not supported.", False),
    _no("fargate", _S, "Fargate is not supported: leave it out, and the lab has a node group.", False),
    _yes("dry-run", _S, "print the completed request and what it costs; make nothing"),
    _yes("nodegroup-name", _T, "name of the node group (default NAME-nodegroup)", f"{_GROUP}.name"),
    _yes("without-nodegroup", _S, "a lab without nodes", "nodegroups"),
    _yes("node-type", _T, "instance type", f"{_GROUP}.instanceTypes", "t"),
    _yes("nodes", _N, "number of nodes (default 2)", f"{_GROUP}.desired", "N"),
    _yes("nodes-min", _N, "the least number of nodes", f"{_GROUP}.min", "m"),
    _yes("nodes-max", _N, "the greatest number of nodes", f"{_GROUP}.max", "M"),
    _yes("node-volume-size", _N, "GiB of each node's volume (default 30; eksctl: 80)", f"{_GROUP}.volumeGib"),
    _warn("node-volume-type", _T, "Volumes are gp3 with EC2's default speed.", "gp3"),
    _no("max-pods-per-node", _N, "Nodes take as many pods as EKS allows for their type. Leave it out.", 0),
    _yes("ssh-access", _S, "port 22 of nodes, from your address (eksctl: from everywhere)", "ssh"),
    _yes("ssh-public-key", _T, "a file, a key's text or a key pair in EC2 (default ~/.ssh/id_rsa.pub)", "ssh"),
    _yes("enable-ssm", _S, "always on: nodes are reached through Session Manager"),
    _no(
        "node-ami", _T, "Custom AMIs are not supported: leave it out, and EKS's own image is taken.", "auto", "auto-ssm"
    ),
    _no("node-ami-family", _T, "Nodes run AmazonLinux2023. Leave it out.", "AmazonLinux2023"),
    _yes("node-private-networking", _S, "nodes in private subnets", f"{_GROUP}.placement", "P"),
    _no("node-security-groups", _L, "A lab makes its own security groups and attaches no others. Leave it out."),
    _yes("node-labels", _P, "Kubernetes labels of the nodes, k1=v1,k2=v2", f"{_GROUP}.labels"),
    _warn("node-zones", _L, "Nodes may start in any zone of the lab: give --zones instead."),
    _warn("instance-prefix", _T, _NAMES),
    _warn("instance-name", _T, _NAMES),
    _yes(
        "disable-pod-imds",
        _S,
        "always so; =false lets pods reach the instance metadata, with a warning",
        f"{_GROUP}.disablePodIMDS",
    ),
    _yes("managed", _S, "always so; --managed=false is made a managed one, too"),
    _yes("spot", _S, "Spot instances", f"{_GROUP}.capacityType"),
    _warn("enable-node-repair", _S, _REPAIR, False),
    _warn("node-repair-max-unhealthy-percentage", _N, _REPAIR, 0),
    _warn("node-repair-max-unhealthy-count", _N, _REPAIR, 0),
    _warn("node-repair-max-parallel-percentage", _N, _REPAIR, 0),
    _warn("node-repair-max-parallel-count", _N, _REPAIR, 0),
    _yes("instance-types", _L, "several instance types of one architecture", f"{_GROUP}.instanceTypes"),
    _no("asg-access", _S, _POD_IDENTITY, False),
    _yes(
        "external-dns-access",
        _S,
        "external-dns with rights on one hosted zone: name it with --external-dns-domain; without, a warning",
        "externalDns",
    ),
    _no("full-ecr-access", _S, _POD_IDENTITY, False),
    _no("appmesh-access", _S, _POD_IDENTITY, False),
    _no("appmesh-preview-access", _S, _POD_IDENTITY, False),
    _no("alb-ingress-access", _S, _POD_IDENTITY, False),
    _warn("install-neuron-plugin", _S, "No device plugin is installed: install it on the running lab.", False),
    _warn("install-nvidia-plugin", _S, "No device plugin is installed: install it on the running lab.", False),
    _warn("nodegroup-parallelism", _N, "Node groups are made all at once.", 8),
    _yes("vpc-cidr", _T, "range of the new VPC (default 192.168.0.0/16)", "network.cidr"),
    _yes("vpc-private-subnets", _L, "subnets of an existing VPC", "network.privateSubnetIds"),
    _yes("vpc-public-subnets", _L, "subnets of an existing VPC", "network.publicSubnetIds"),
    _no("vpc-from-kops-cluster", _T, "Name the subnets instead: --vpc-public-subnets, --vpc-private-subnets."),
    _yes("vpc-nat-mode", _T, "Single or Disable; HighlyAvailable is Single, with a warning", "network.nat"),
    _no("enable-auto-mode", _S, "Auto Mode is not supported: leave it out, and the lab has a node group.", False),
    _no("instance-selector-vcpus", _N, _SELECTOR, 0),
    _no("instance-selector-memory", _T, _SELECTOR),
    _no("instance-selector-cpu-architecture", _T, _SELECTOR),
    _no("instance-selector-gpus", _N, _SELECTOR, 0),
    _no("instance-selector-neuron-devices", _N, _SELECTOR, 0),
    _yes("profile", _T, "an AWS profile to sign with; kubectl uses it, too", "", "p"),
    _no("cfn-role-arn", _T, _ROLES),
    _warn("cfn-disable-rollback", _S, "A lab that fails is taken down, and its history says why.", False),
    _yes("kubeconfig", _T, "the kubeconfig to write (default: the first of KUBECONFIG, else ~/.kube/config)"),
    _no("authenticator-role-arn", _T, "You are let in as you are: ask for access in a file (-f) instead."),
    _yes("set-kubeconfig-context", _S, "make it the current context (default true)"),
    _yes("auto-kubeconfig", _S, "write ~/.kube/eksctl/clusters/NAME, a file of its own"),
    _yes("write-kubeconfig", _S, "write the kubeconfig once it is ready (default true)"),
    _yes("help", _S, "show this", "", "h"),
    _yes("verbose", _N, "from 4 on, every call to the service on stderr", "", "v"),
    _warn("color", _T, "Nothing is coloured.", "true", "false", short="C"),
    _warn(
        "dumpLogs", _S, "There are no logs on your side: `ekslab get events` has the lab's history.", False, short="d"
    ),
)
