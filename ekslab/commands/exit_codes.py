"""The exit status of every command; docs/reference/command-line.md and `--help` list them."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit statuses."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    NO_SERVICE = 3
    NOT_IN_TIME = 4
    PARTLY = 5
    INTERRUPTED = 130
    NOBODY_READS = 141


MEANING = {
    Exit.OK: "done",
    Exit.REFUSED: "refused, or the lab ended badly",
    Exit.USAGE: "the command line is wrong",
    Exit.NO_SERVICE: "the service can't be reached",
    Exit.NOT_IN_TIME: "not ready in time; the workflow continues",
    Exit.PARTLY: "done in part",
    Exit.INTERRUPTED: "interrupted",
    Exit.NOBODY_READS: "the reader of the output is gone",
}
#: The last line of every `--help`.
IN_SHORT = "exit status: " + ", ".join(f"{int(code)} {MEANING[code]}" for code in list(Exit)[:6])
