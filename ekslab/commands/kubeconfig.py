"""Writes a lab's context into the kubeconfig, and removes the contexts of ended labs from it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ekslab import kubeconfig
from ekslab.client import Answer, Client
from ekslab.client.client import lab_path
from ekslab.commands.answers import present, refused
from ekslab.commands.exit_codes import Exit
from ekslab.commands.naming import path_of
from ekslab.parsing.arguments import lab_of
from ekslab.printing import terminal, yaml_text
from ekslab.words import t

JSON = {"Accept": "application/json"}


def write_kubeconfig(client: Client, options: argparse.Namespace) -> int:
    """`utils write-kubeconfig`: the context of an existing lab."""
    path = path_of(client, lab_of(options), region=options.region)
    answer = path if isinstance(path, Answer) else client.call("GET", path)
    if not answer.ok:
        return refused(answer, options)
    return write_context(client, options, answer.body)


def write_context(client: Client, options: argparse.Namespace, lab: Any) -> int:
    """Merge the lab's context, and print the file's path. PARTLY if the file can't be written: the lab exists all the same."""
    if options.write_kubeconfig is False:
        return Exit.OK
    answer = client.call("GET", lab_path(lab["id"], "kubeconfig"), headers=JSON)
    if not answer.ok:
        refused(answer, options)
        return Exit.PARTLY
    found = kubeconfig.entries(lab, answer.body, options.profile)
    file = _file(options, lab)
    try:
        current = options.set_kubeconfig_context is not False
        kubeconfig.edit(file, lambda text: kubeconfig.merge(text, found, current))
    except (kubeconfig.NotMergeable, OSError, UnicodeDecodeError) as error:
        terminal.err(
            t(
                "{file} is left as it is: {reason}. `ekslab get kubeconfig {lab}` prints a file of its own.",
                file=file,
                reason=error,
                lab=lab["id"],
            )
        )
        return Exit.PARTLY
    terminal.err(
        t("{file} has the context {context}: kubectl get nodes", file=file, context=kubeconfig.context_of(lab))
    )
    return Exit.OK


def get_kubeconfig(client: Client, options: argparse.Namespace, path: str) -> int:
    """`get kubeconfig`: a file of its own, on standard output; JSON on request."""
    answer = client.call("GET", path, headers=JSON)
    if not answer.ok:
        return refused(answer, options)
    document = kubeconfig.with_profile(answer.body, options.profile)
    return present(options, document, yaml_text.dump(document), [document["current-context"]])


def forget(lab_ids: Sequence[str]) -> None:
    """Remove the contexts of these labs from the usual file; a file that can't be edited stays unchanged, with a message."""
    file = kubeconfig.default_path(os.environ)
    try:
        if kubeconfig.edit(file, lambda text: kubeconfig.remove(text, lab_ids)):
            terminal.err(t("{file} no longer has the context of {names}.", file=file, names=", ".join(lab_ids)))
    except (kubeconfig.NotMergeable, OSError, UnicodeDecodeError) as error:
        terminal.err(t("{file} is left as it is: {reason}.", file=file, reason=error))


def _file(options: argparse.Namespace, lab: Any) -> Path:
    if options.auto_kubeconfig:
        return Path.home() / ".kube" / "eksctl" / "clusters" / str(lab["name"])
    return Path(options.kubeconfig) if options.kubeconfig else kubeconfig.default_path(os.environ)
