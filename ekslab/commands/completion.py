"""Commands that do not call the service: completion files, which are packaged (shtab makes them), and the version."""

from __future__ import annotations

import argparse
from importlib import resources

import ekslab
from ekslab.client import Client
from ekslab.commands.answers import present
from ekslab.commands.exit_codes import Exit

SHELLS = ("bash", "zsh", "fish")


def completion(client: Client, options: argparse.Namespace) -> int:  # noqa: ARG001  (all commands take a client)
    """Print a shell's completion file."""
    file = resources.files("ekslab") / "completions" / f"ekslab.{options.shell}"
    print(file.read_text(encoding="utf-8"), end="")
    return Exit.OK


def version(client: Client, options: argparse.Namespace) -> int:  # noqa: ARG001  (all commands take a client)
    """Print the version."""
    return present(options, {"version": ekslab.__version__}, [f"ekslab {ekslab.__version__}"], [ekslab.__version__])
