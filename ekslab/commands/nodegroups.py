"""The commands about a lab's node groups."""

from __future__ import annotations

import argparse

from ekslab.client import Answer, Client
from ekslab.commands.answers import fit, present, refused
from ekslab.commands.exit_codes import Exit
from ekslab.commands.labs import change
from ekslab.commands.naming import path_of
from ekslab.parsing.arguments import UsageError, lab_of
from ekslab.printing import labs as printing
from ekslab.printing import terminal
from ekslab.words import t


def get_nodegroups(client: Client, options: argparse.Namespace) -> int:
    """A lab's node groups, as EKS has them now."""
    path = path_of(client, lab_of(options), "inventory", options.region)
    answer = path if isinstance(path, Answer) else client.call("GET", path)
    if not answer.ok:
        return refused(answer, options)
    groups = [group for group in answer.body["nodegroups"] or () if options.group in (None, group["name"])]
    lines = printing.nodegroup_table(groups, fit(options))
    return present(options, {"nodegroups": groups}, lines, [group["name"] for group in groups])


def scale_nodegroup(client: Client, options: argparse.Namespace) -> int:
    """Change the number of a group's nodes; of the only group, if none is named."""
    if options.nodes_min is not None or options.nodes_max is not None:
        terminal.err(
            t("  error    --nodes-min, --nodes-max: They are fixed when the lab is made; --nodes stays within them.")
        )
        return Exit.REFUSED
    if options.group is not None and options.group_argument is not None:
        raise UsageError("the node group is named twice")
    path = path_of(client, options.lab, region=options.region)
    answer = path if isinstance(path, Answer) else client.call("GET", path)
    if not answer.ok:
        return refused(answer, options)
    names = [group["name"] for group in answer.body["spec"]["nodegroups"]]
    name = options.group or options.group_argument
    if name is None and len(names) != 1:
        raise UsageError(f"name the node group with --name: {', '.join(names) or 'the lab has none'}")
    return change(
        client, options, answer.body["id"], {"nodegroups": [{"name": name or names[0], "desired": options.nodes}]}
    )
