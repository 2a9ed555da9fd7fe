"""The parsers of verbs about labs: create, get, describe, update, scale, delete, and `utils write-kubeconfig`."""

from __future__ import annotations

from ekslab.commands import kubeconfig, labs, nodegroups
from ekslab.parsing import arguments
from ekslab.parsing.command import Command, Commands, add_lab, add_region, add_watch
from ekslab.parsing.create import add_create_cluster

COURSE = "ekslab create cluster --name myeks --region=ap-northeast-2 --node-type=t3.medium"


def add_lab_verbs(verbs: dict[str, Commands]) -> None:
    """Add the commands to their verbs."""
    cluster = verbs["create"].add_parser(
        "cluster", help="ask for a lab, and stay until it is ready", description="Ask for a lab.", example=COURSE
    )
    add_create_cluster(cluster)
    _add_get_clusters(verbs["get"])
    _add_one(verbs)
    _add_nodegroups(verbs)
    _add_parts(verbs["get"])
    written = verbs["utils"].add_parser(
        "write-kubeconfig",
        help="merge a lab's context into the kubeconfig",
        description="Merge a lab's context into the kubeconfig.",
        example="ekslab utils write-kubeconfig --cluster myeks",
    )
    add_lab(written)
    written.add_argument("--kubeconfig", metavar="FILE", help="default: the first of KUBECONFIG, else ~/.kube/config")
    written.add_switch("--set-kubeconfig-context", help="make it the current context (default true)")
    written.add_switch("--auto-kubeconfig", help="write ~/.kube/eksctl/clusters/NAME, a file of its own")
    written.set_defaults(run=kubeconfig.write_kubeconfig, write_kubeconfig=True)


def _add_get_clusters(get: Commands) -> None:
    listed = get.add_parser(
        "cluster",
        aliases=["clusters"],
        help="your labs that are alive",
        description="List your labs that are alive.",
        example="ekslab get clusters --all -o wide",
    )
    add_lab(listed, "--name", "-n")
    listed.add_switch("--all", help="those that are over, too")
    listed.add_argument("--owner", help="someone else's (administrators), or `*` for everyone's")
    listed.add_argument("--phase", action="append", help="only these; may be repeated")
    listed.add_switch("-A", "--all-regions", help="always so, unless --region is given")
    listed.set_defaults(run=labs.get_clusters)


def _add_one(verbs: dict[str, Commands]) -> None:
    described = verbs["describe"].add_parser(
        "cluster",
        help="one lab whole, or a watched cluster",
        description="Show a lab: its phase, its steps, what comes next; or a watched cluster: its deadlines, how to upgrade.",
        example="ekslab describe cluster myeks --watch",
    )
    described.add_argument(
        "lab_argument", nargs="?", metavar="NAME", type=arguments.lab_or_cluster, help="a lab, or ACCOUNT/REGION/NAME"
    )
    described.add_argument("-n", "--name", dest="lab_flag", type=arguments.lab_or_cluster, help="the same, as a flag")
    add_region(described)
    add_watch(described, "nothing is going on")
    described.set_defaults(run=labs.describe_cluster)
    updated = verbs["update"].add_parser(
        "cluster",
        help="change endpoint access",
        description="Change from where a lab's Kubernetes API is reached.",
        example="ekslab update cluster myeks --endpoint private",
    )
    add_lab(updated, "--name", "-n")
    updated.add_argument("--endpoint", choices=["public", "public-and-private", "private"])
    updated.add_argument("--allowed-cidrs", type=arguments.words, metavar="A,B", help="who may reach the public one")
    add_watch(updated, "it is changed")
    updated.set_defaults(run=labs.update_cluster)
    deleted = verbs["delete"].add_parser(
        "cluster",
        help="let a lab go, and all that was made in it",
        description="Let a lab go, and all that was made in it.",
        example="ekslab delete cluster myeks --wait",
    )
    add_lab(deleted, "--name", "-n")
    add_watch(deleted, "it is gone")
    _add_delete_flags(deleted)
    deleted.set_defaults(run=labs.delete_cluster)


def _add_delete_flags(deleted: Command) -> None:
    """Add eksctl's flags: a lab is always deleted whole, in its own order."""
    needless = deleted.add_argument_group("eksctl's flags, not needed")
    for name in ("force", "disable-nodegroup-eviction"):
        deleted.add_switch(f"--{name}", help="warned: a lab is torn down whole, in its own order", to=needless)
    for name in ("pod-eviction-wait-period", "parallel"):
        needless.add_argument(f"--{name}", help="warned: a lab is torn down whole, in its own order")


def _add_nodegroups(verbs: dict[str, Commands]) -> None:
    listed = verbs["get"].add_parser(
        "nodegroup",
        aliases=["nodegroups", "ng"],
        help="a lab's node groups",
        description="List a lab's node groups, as EKS has them now.",
        example="ekslab get nodegroup --cluster myeks",
    )
    add_lab(listed)
    listed.add_argument("-n", "--name", dest="group", help="only this one")
    listed.set_defaults(run=nodegroups.get_nodegroups)
    scaled = verbs["scale"].add_parser(
        "nodegroup",
        aliases=["ng"],
        help="change the number of nodes",
        description="Change the number of a node group's nodes.",
        example="ekslab scale nodegroup --cluster myeks --nodes 3",
    )
    scaled.add_argument("group_argument", nargs="?", metavar="GROUP", help="the node group; the only one, if left out")
    scaled.add_argument(
        "-c", "--cluster", dest="lab", required=True, type=arguments.lab, help="a lab: its name or its id"
    )
    add_region(scaled)
    scaled.add_argument("-n", "--name", dest="group", metavar="GROUP", help="the same, as a flag")
    scaled.add_argument("-N", "--nodes", type=arguments.number, required=True, metavar="N", help="how many")
    for short, name in (("-m", "--nodes-min"), ("-M", "--nodes-max")):
        scaled.add_argument(short, name, type=arguments.number, metavar="N", help="refused: fixed when the lab is made")
    add_watch(scaled, "it is changed")
    scaled.set_defaults(run=nodegroups.scale_nodegroup)


def _add_parts(get: Commands) -> None:
    for name, what in {
        "events": "a lab's history",
        "inventory": "what was made, to look at",
        "receipt": "what became of everything",
        "kubeconfig": "for kubectl, on standard output; no secret in it",
    }.items():
        one = get.add_parser(name, help=what, description=f"Print {what}.", example=f"ekslab get {name} myeks")
        add_lab(one)
        one.set_defaults(run=labs.read, what=name)
    versions = get.add_parser(
        "versions",
        help="Kubernetes versions and when their support ends",
        description="List Kubernetes versions and when their support ends.",
        example="ekslab get versions --region us-east-1",
    )
    versions.add_argument("-r", "--region", type=arguments.region, help="a region's own calendar")
    versions.set_defaults(run=labs.versions)
