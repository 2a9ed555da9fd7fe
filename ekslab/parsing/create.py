"""The parser of `create cluster`: eksctl's flags, and a few of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ekslab.commands import create
from ekslab.parsing import arguments
from ekslab.parsing.command import Command, add_watch
from ekslab.parsing.eksctl_flags import FLAGS, Flag, Kind, Treatment

#: Seconds: longer than the creation of a lab takes.
TIMEOUT = 40 * 60.0
_TYPES: dict[Kind, Callable[[str], Any]] = {
    Kind.TEXT: str,
    Kind.NUMBER: arguments.number,
    Kind.LIST: arguments.words,
    Kind.PAIRS: arguments.pairs,
    Kind.DURATION: arguments.duration,
}
_METAVARS = {Kind.NUMBER: "N", Kind.LIST: "A,B", Kind.PAIRS: "K=V,..."}
#: The options of every command, and of argparse itself.
_ELSEWHERE = frozenset({"profile", "help", "verbose"})


def add_create_cluster(parser: Command) -> None:
    """Add its arguments."""
    parser.usage = "%(prog)s [NAME] [flags]"
    parser.add_argument("cluster_name", nargs="?", metavar="NAME", help="the cluster's name")
    own = {Treatment.HONOURED: "eksctl's flags, honoured", Treatment.WARNED: "taken with a warning"}
    own[Treatment.REFUSED] = "refused, with what to do instead"
    for treatment, title in own.items():
        group = parser.add_argument_group(title)
        for flag in FLAGS:
            if flag.treatment is treatment and flag.name not in _ELSEWHERE:
                _add(parser, group, flag)
    _add_own(parser)
    parser.set_defaults(run=create.create_cluster, timeout=TIMEOUT)


def _add(parser: Command, group: Any, flag: Flag) -> None:
    names = [f"-{flag.short}", f"--{flag.name}"] if flag.short else [f"--{flag.name}"]
    help_text = flag.message.replace("%", "%%")
    if flag.kind is Kind.SWITCH:
        parser.add_switch(*names, dest=flag.dest, help=help_text, to=group)
        return
    metavar = _METAVARS.get(flag.kind, flag.name.rpartition("-")[2].upper())
    group.add_argument(*names, dest=flag.dest, type=_TYPES[flag.kind], metavar=metavar, help=help_text)


def _add_own(parser: Command) -> None:
    add_watch(parser, "it is ready", default=True)
    own = parser.add_argument_group("what eksctl has no flag for")
    own.add_argument("--account", type=arguments.account, help="the registered account to make it in")
    own.add_argument("--lease-hours", type=arguments.number, metavar="N", help="hours until it ends (default 8)")
    own.add_argument("--allowed-cidrs", type=arguments.words, metavar="A,B", help="who reaches the API (default: you)")
    own.add_argument("--external-dns-domain", metavar="DOMAIN", help="external-dns for this hosted zone")
    own.add_argument("--volumes", choices=["delete", "snapshot", "keep"], help="what becomes of PVC volumes at the end")
    own.add_argument("--address", metavar="MAIL", help="where mail about your labs is to reach you, if it is to change")
    own.add_argument("--key", type=arguments.key, help="an Idempotency-Key; the same key twice is the same lab")
    parser.add_switch("--work-host", help="an instance in its network, with kubectl", to=own)
