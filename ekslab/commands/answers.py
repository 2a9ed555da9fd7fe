"""Output of all commands: the answer in the requested format, or the service's refusal."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ekslab.client import Answer
from ekslab.commands.exit_codes import Exit
from ekslab.printing import problems, terminal, yaml_text

#: The lines of an answer for a person.
Lines = Callable[[Any], Iterator[str]]


def for_people(options: argparse.Namespace) -> bool:
    """Whether the format is tables and sentences, not a document."""
    return options.output in ("table", "wide")


def fit(options: argparse.Namespace) -> int | None:
    """Columns that a table may take; None: as many as it needs (`-o wide`)."""
    return None if options.output == "wide" else terminal.width()


def present(options: argparse.Namespace, body: Any, lines: Iterable[str], names: Iterable[str] = ()) -> int:
    """Print an answer: its lines for a person, one document for a program, or the names alone. Return the exit status."""
    match options.output:
        case "json" if not isinstance(body, str):
            terminal.json_out(body)
        case "yaml" if not isinstance(body, str):
            terminal.out_lines(yaml_text.dump(body))
        case "name":
            terminal.out_lines(names)
        case _:
            terminal.out_lines(lines)
    return Exit.OK


def answered(options: argparse.Namespace, answer: Answer, lines: Lines) -> int:
    """Print an answer, or why the service refused; return the exit status."""
    if not answer.ok:
        return refused(answer, options)
    return present(options, answer.body, lines(answer.body), _names(answer.body))


def refused(answer: Answer, options: argparse.Namespace, flags: Mapping[str, str] | None = None) -> int:
    """Print why the service refused; return the exit status. `flags`: the flag of each field of the request."""
    if options.output in ("json", "yaml") and isinstance(answer.body, dict):
        present(options, answer.body, ())
    else:
        for line in problems.problem(answer.status, answer.body, flags or {}):
            terminal.err(line)
    return Exit.REFUSED


def _names(body: Any) -> list[str]:
    return [str(body["name"])] if isinstance(body, dict) and "name" in body else []
