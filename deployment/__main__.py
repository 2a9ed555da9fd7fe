"""The commands behind `make package`, `make deploy` and `make destroy`.

Credentials and, for the sandbox, the endpoint come from the environment as with every AWS tool. No change is made before the
operator has seen the change set and agreed to it.
"""

import argparse
import json
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError, MissingDependencyException

from deployment.artifacts import ClientFactory
from deployment.bom import write_bill
from deployment.compiling import WITHOUT, UnknownRuntime, runtime_of
from deployment.deploy import Ask, Consent, Refused, deploy, without_asking
from deployment.destroy import StillInUse, destroy
from deployment.packaging import BUILD, PROJECT, NotPackaged, Package, package
from deployment.people import wide_patterns
from deployment.stacks import Change, NotDeployed, Pace

#: Functions and their roles get names that begin with the stack's and a hyphen, and IAM takes 64 characters. Rights are
#: given by that beginning, so a stage has no hyphen of its own: `prod` would have rights on `prod-b` (docs/how-to/deploy.md).
_STAGE = re.compile(r"(?!lab)[a-z][a-z0-9]{0,8}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except Refused:
        print("Nothing was changed.", file=sys.stderr)
    except (NotPackaged, UnknownRuntime, NotDeployed, StillInUse, ClientError, BotoCoreError) as error:
        print(told(error), file=sys.stderr)
    else:
        return 0
    return 1


def told(error: Exception) -> str:
    """The error for a person, with the remedy: credentials of `aws login` need an optional part of botocore."""
    if isinstance(error, MissingDependencyException):
        return f"{error} Credentials of `aws login` want it: .venv/bin/pip install 'botocore[crt]'."
    return str(error)


def _package(options: argparse.Namespace) -> None:
    found = _packaged(options.runtime)
    size = sum(len(content) for name, content in found.files.items() if name.endswith(".zip"))
    print(f"{write_bill(PROJECT, PROJECT / BUILD / 'bom.cdx.json')} names what it is made of")
    print(f"{PROJECT / BUILD / 'sam.json'} with {len(found.files)} files; the code is {size / 1e6:.1f} MB")


def _packaged(name: str) -> Package:
    """The package for a runtime; says if it has no compiled modules."""
    runtime = runtime_of(name)
    if runtime.interpreter is None:
        print(WITHOUT.format(runtime=runtime.name), file=sys.stderr)
    return package(PROJECT, runtime)


def _deploy(options: argparse.Namespace) -> None:
    client, given = _clients(options.region), parameters(options.parameters)
    for line in wide_patterns(client, given):
        print(line, file=sys.stderr)
    outputs = deploy(
        client,
        _packaged(options.runtime),
        stack_name(options.stage),
        given,
        consent=Consent(_asking(options.yes), options.lose.split()),
        pace=Pace(interval=options.interval),
        bucket=options.bucket or None,
    )
    for name, value in sorted(outputs.items()):
        print(f"{name:<32} {value}")


def _destroy(options: argparse.Namespace) -> None:
    ask = (lambda _said: True) if options.yes else _agreed
    for line in destroy(_clients(options.region), stack_name(options.stage), ask, Pace(interval=options.interval)):
        print(line)


def stack_name(stage: str) -> str:
    """The stack of a stage: `prod` is `ekslab-prod`. Raises NotDeployed for a name that would not fit."""
    if not _STAGE.fullmatch(stage):
        raise NotDeployed(f"{stage!r} is no stage: up to 9 of a-z and 0-9, a letter first, and not lab.")
    return f"ekslab-{stage}"


def parameters(text: str) -> Mapping[str, str]:
    """Read `Name=value` words as a shell does, or a JSON file of them. Raises NotDeployed for anything else."""
    if text.endswith(".json"):
        try:
            return {str(key): str(value) for key, value in dict(json.loads(Path(text).read_text())).items()}
        except (OSError, ValueError, TypeError) as error:
            raise NotDeployed(f"{text} holds no parameters: {error}") from error
    words = [word.partition("=") for word in shlex.split(text)]
    if unclear := [name for name, is_there, _ in words if not is_there]:
        raise NotDeployed(f"not of the form Name=value: {' '.join(unclear)}")
    return {name: value for name, _, value in words}


def _asking(agreed: bool) -> Ask:
    def ask(changes: Sequence[Change]) -> bool:
        for change in changes:
            print(change)
        print(f"{len(changes)} changes.")
        return without_asking(changes) if agreed else _agreed("Shall they be made?")

    return ask


def _agreed(question: str) -> bool:
    print(f"{question} [yes/no] ", end="", flush=True)
    return sys.stdin.readline().strip() == "yes"


def _clients(region: str) -> ClientFactory:
    made: ClientFactory = boto3.Session(region_name=region or None).client
    return made


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deployment", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    packing = commands.add_parser("package", help="make build/sam.json and what it names")
    packing.set_defaults(command=_package)
    there = commands.add_parser("deploy", help="create or update a stage's stack")
    there.set_defaults(command=_deploy)
    there.add_argument("--parameters", default="", help="Name=value words, or a .json file")
    there.add_argument("--lose", default="", help="logical ids of tables and secrets that may go, with what they hold")
    there.add_argument("--bucket", default="", help="for the code; without it one of the account's own is made")
    for command in (packing, there):
        command.add_argument("--runtime", default="", help="such as python3.13; without it that of this Python")
    gone = commands.add_parser("destroy", help="delete a stage's stack")
    gone.set_defaults(command=_destroy)
    for command in (there, gone):
        command.add_argument("--stage", required=True)
        command.add_argument("--region", default="", help="without it the one that is configured")
        command.add_argument("--yes", action="store_true", help="do not ask")
        command.add_argument("--interval", type=float, default=3, help="seconds between two looks at the stack")
    return parser


if __name__ == "__main__":
    sys.exit(main())
