"""`python -m ekslab`: request labs, watch them, delete them; and read the deadlines of your clusters.

Exit statuses are in commands/exit_codes.py. Nothing here imports botocore: the first call to the service does.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ekslab.client import Answer, Client, NoAnswer, NoCredentials, Refused, Transport
from ekslab.client.http import SignedHttp
from ekslab.commands.exit_codes import Exit
from ekslab.parsing import arguments
from ekslab.parsing.arguments import UsageError
from ekslab.parsing.parser import parse, parser
from ekslab.parsing.unsupported import instead_of
from ekslab.printing import terminal
from ekslab.words import ENGLISH, language, t

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["main", "parser", "run"]
#: At this level of --verbose, calls are shown.
_DEBUG = 4


def main(words: Sequence[str] | None = None) -> int:
    """Parse, call, print; return the exit status."""
    terminal.replace_unknown_letters()
    try:
        try:
            return run(list(sys.argv[1:] if words is None else words), _signed)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        _leave_output()
        return Exit.NOBODY_READS
    except OSError as error:
        if error.filename is None:
            _leave_output()
        terminal.err(f"{error.filename or 'output'}: {error.strerror}")
    return Exit.USAGE


def run(words: list[str], connect: Callable[[argparse.Namespace], Client]) -> int:
    """Run a command line; `connect` makes the client, from the options, when the command needs one."""
    if not all(_is_text(word) for word in words):
        terminal.err(t("An argument is not UTF-8."))
        return Exit.USAGE
    if instead := instead_of(words):
        terminal.err(instead)
        return Exit.REFUSED
    options = parse(words)
    try:
        client = Client() if getattr(options, "offline", False) else connect(options)
        client.language = "" if language() == ENGLISH or _is_for_a_program(options) else language()
        return int(options.run(client, options))
    except (NoCredentials, UsageError) as error:
        terminal.err(str(error))
        return Exit.USAGE
    except Refused as error:
        terminal.err(str(error))
        return Exit.REFUSED
    except NoAnswer as error:
        terminal.err(t("No answer from {url}: {reason}", url=options.url or os.environ.get("EKSLAB_URL"), reason=error))
        return Exit.NO_SERVICE


def _is_for_a_program(options: argparse.Namespace) -> bool:
    """Whether the output is a document: these are the same in every language."""
    return getattr(options, "output", "") in ("json", "yaml", "name")


def _signed(options: argparse.Namespace) -> Client:
    url = options.url or os.environ.get("EKSLAB_URL")
    if not url:
        raise UsageError(t("Say where the service is: --url, or EKSLAB_URL."))
    try:
        http = SignedHttp(arguments.address(url), options.api_region, options.profile)
    except argparse.ArgumentTypeError as error:
        raise UsageError(f"{'argument --url' if options.url else 'EKSLAB_URL'}: {error}") from error
    return Client(transport=_Shown(http) if options.verbose >= _DEBUG else http)


class _Shown:
    """Prints each call on standard error."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        answer = self._transport.call(method, path, body, headers)
        terminal.err(f"{method} {path}: {answer.status} {answer.headers.get('x-amzn-requestid', '')}".rstrip())
        return answer


def _is_text(word: str) -> bool:
    """Whether it was UTF-8: Python turns other bytes into surrogates, which can't be sent."""
    return not any("\ud800" <= letter <= "\udfff" for letter in word)


def _leave_output() -> None:
    """The output's reader is gone. Otherwise Python would write once more at its end, and report an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
