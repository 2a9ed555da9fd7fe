"""The parser of one command: common options, switches like pflag's, and errors in one line."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn, TypeAlias

from ekslab.commands.exit_codes import IN_SHORT, Exit
from ekslab.parsing import arguments
from ekslab.printing import terminal

#: argparse's message about a word that is not one of its choices, quoted or not.
_CHOICE = re.compile(r"invalid choice: '?([^' ]+)'? \(choose from (.+)\)")
OUTPUTS = ("table", "wide", "json", "yaml", "name")

#: The verbs, or the nouns of a verb.
Commands: TypeAlias = "argparse._SubParsersAction[Command]"


class Command(argparse.ArgumentParser):
    """One command. Every command takes the options of `add_common`, also after its name.

    Switches (`add_switch`) are written as for eksctl: `--watch`, `--watch=false`, and never take the next word.
    """

    def __init__(self, *, example: str = "", common: bool = True, **options: Any) -> None:
        # Pass on the arguments that later Pythons give to subcommands' parsers (3.14: color).
        settings: dict[str, Any] = {
            "epilog": f"example: {example}\n{IN_SHORT}" if example else IN_SHORT,
            "formatter_class": argparse.RawDescriptionHelpFormatter,
            "allow_abbrev": False,
            **options,
        }
        super().__init__(**settings)
        self._switches: set[str] = set()
        if common:
            # Suppressed, so that a value before the command stays.
            add_common(self, argparse.SUPPRESS)

    def add_switch(self, *names: str, to: Any = None, **options: Any) -> None:
        """Add an option that is true or false, and None if it is absent. `to`: its group in the help."""
        self._switches.update(names)
        settings: dict[str, Any] = {"metavar": "", "default": None, "type": arguments.switch, **options}
        (to or self).add_argument(*names, **settings)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse as argparse does, with a bare switch as `=true`; argparse alone would take `-4h` for an option of `extend`."""
        words = list(args or ())
        self._refuse_back(words)
        end = words.index("--") if "--" in words else len(words)
        said = [f"{word}=true" if word in self._switches else word for word in words[:end]]
        found, unknown = super().parse_known_args([*said, *words[end:]], namespace)
        if unknown:
            # The command that does not know the option reports it; argparse would leave that to the parser above.
            self.error(f"it does not take {' '.join(unknown)}{self._meant(unknown)}")
        return found, unknown

    def _meant(self, unknown: Sequence[str]) -> str:
        flags = [name for name in self._option_string_actions if name.startswith("--")]
        return _nearest([word.partition("=")[0] for word in unknown if word.startswith("--")], flags)

    def error(self, message: str) -> NoReturn:
        """Print one line instead of seventy flags."""
        if choice := _CHOICE.search(message):
            message += _nearest([choice[1]], re.findall(r"[\w-]+", choice[2]))
        terminal.err(f"{self.prog}: {message}")
        terminal.err(f"`{self.prog} --help` shows what it takes.")
        raise SystemExit(int(Exit.USAGE))

    def _refuse_back(self, args: Sequence[str]) -> None:
        for word in args if self.prog.endswith(" extend") else ():
            if word[:1] == "-" and word[1:2].isdecimal():
                self.error(f"{word}: a lease can't go back; to be rid of the lab now: ekslab delete cluster")


def _nearest(typed: Sequence[str], known: Sequence[str]) -> str:
    """A suggestion of a similar word, as the end of a sentence."""
    import difflib

    near = [match for word in typed for match in difflib.get_close_matches(word, known, 1)]
    return f"; did you mean {', '.join(near)}?" if near else ""


def add_common(parser: argparse.ArgumentParser, default: Any) -> None:
    """Add the options of every command, valid before its name or after it."""
    common = parser.add_argument_group("common options")
    common.add_argument("--url", default=default, help="the API's address (or EKSLAB_URL)")
    common.add_argument(
        "--api-region", type=arguments.region, default=default, help="its region, if --url doesn't tell"
    )
    common.add_argument("-p", "--profile", default=default, help="an AWS profile to sign with")
    usual = default or "table"
    common.add_argument("-o", "--output", choices=OUTPUTS, default=usual, help="how to print the answer")
    verbose = "from 4 on, every call to the service on stderr"
    common.add_argument("-v", "--verbose", type=arguments.number, default=default or 3, metavar="LEVEL", help=verbose)


def add_lab(parser: Command, named: str = "--cluster", short: str = "-c") -> None:
    """Add a command's lab: an argument, or eksctl's flag."""
    parser.add_argument("lab_argument", nargs="?", metavar="NAME", type=arguments.lab, help="a lab: its name or its id")
    parser.add_argument(short, named, dest="lab_flag", metavar="NAME", type=arguments.lab, help="the same, as a flag")
    add_region(parser)


def add_region(parser: Command) -> None:
    """Add eksctl's flag, for a command about one lab."""
    parser.add_argument("-r", "--region", type=arguments.region, help="only labs of this region")


def add_watch(parser: Command, until: str, default: bool = False) -> None:
    """Add the flags for waiting, and for how long."""
    text = f"stay until {until}" + (" (default; --watch=false returns at once)" if default else "")
    parser.add_switch("-w", "--wait", "--watch", dest="watch", default=default, help=text)
    if not default:
        parser.add_argument("--timeout", type=arguments.duration, default=None, help="how long to stay, 25m0s")
