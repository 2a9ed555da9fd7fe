"""Commands on every page are valid: the shell parses them, and `aws` and `ekslab` know their words and options.

docs/how-to/deploy.md is run as a whole (test_walkthrough.py); other commands need an alarm or an organization to run.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import zip_longest
from typing import Any

import pytest
from awscli.clidriver import create_clidriver

from deployment.packaging import PROJECT
from ekslab.__main__ import parser

PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")])
FENCE = re.compile(r"^( *)```\w*\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"^( *)```(?:sh|bash)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")
AWS = re.compile(r"\baws ([a-z][a-z0-9-]*) ([a-z][a-z0-9-]*)")
OPTION = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]+)")


def blocks() -> Iterator[tuple[str, str]]:
    """Every block for a shell, with its page's name."""
    for page in PAGES:
        yield from ((page.name, text) for _, text in SHELL.findall(page.read_text()))


def lines() -> Iterator[tuple[str, str]]:
    """Every line of a block of any kind, and every piece of code in a sentence, with its page's name."""
    for page in PAGES:
        text = page.read_text()
        for _, block in FENCE.findall(text):
            yield from ((page.name, line.strip()) for line in block.replace("\\\n", " ").splitlines())
        yield from ((page.name, span) for span in SPAN.findall(FENCE.sub("", text)))


def of_accounts() -> list[list[str]]:
    """The words of the commands of accounts.md; `deploy` is an AWS CLI customization without a model."""
    said = [line for page, line in lines() if page == "accounts.md" and line.startswith("aws ")]
    return [words for words in map(shlex.split, said) if words[2] != "deploy"]


@pytest.mark.parametrize(("page", "block"), list(blocks()))
def test_the_shell_can_read_every_block(page: str, block: str) -> None:
    read = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")


def test_aws_knows_every_command_and_option() -> None:
    unknown = [(page, wrong) for page, line in lines() for wrong in unknown_to_aws(line)]
    assert unknown == []


@pytest.mark.parametrize("command", of_accounts(), ids=lambda command: " ".join(command[1:3]))
def test_aws_takes_what_is_said_of_accounts(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Values too: parsed and checked against the service's model, and not sent."""
    monkeypatch.chdir(PROJECT)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert create_clidriver().main([*command[1:], "--generate-cli-skeleton", "output"]) == 0


def test_ekslab_takes_every_command() -> None:
    mine = ("python -m ekslab ", "ekslab ", "$ekslab ")
    typed = [(page, line.removeprefix("python -m ")) for page, line in lines() if line.startswith(mine)]
    assert typed
    for page, line in typed:
        if re.fullmatch(r"(?:ekslab [a-z-]+|.*\.\.\.\)?)", line):
            continue
        words = shlex.split(re.split(r" > |; | \| |\)$", line)[0], comments=True)[1:]
        try:
            parser().parse_args(words)
        except SystemExit:
            pytest.fail(f"{page}: {line}")


def test_a_command_that_is_none_is_noticed() -> None:
    assert list(unknown_to_aws("aws logs tail x --since 1h")) == ["logs tail"]
    assert list(unknown_to_aws('aws eks list-clusters --name "$(aws s3 ls --quickly)"')) == ["--name", "--quickly"]


def unknown_to_aws(line: str) -> Iterator[str]:
    """Commands, and options of known ones, that the AWS CLI does not have."""
    found = [*AWS.finditer(line)]
    for command, following in zip_longest(found, found[1:]):
        options = options_of(*command.groups())
        said = OPTION.findall(line[command.end() : following.start() if following else None])
        if options is None:
            yield " ".join(command.groups())
        else:
            yield from (f"--{option}" for option in said if option.removeprefix("no-") not in options)


@cache
def options_of(service: str, operation: str) -> frozenset[str] | None:
    """The valid options of an operation; None for an unknown one."""
    driver, nothing = create_clidriver(), dict[str, Any]()
    command = driver._get_command_table().get(service)
    operations: Mapping[str, Any] = command.create_help_command().command_table if command else nothing
    if operation not in operations:
        return None
    own = operations[operation].create_help_command().arg_table
    return frozenset(name.removeprefix("no-") for name in [*own, *driver._get_argument_table()])
