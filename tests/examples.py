"""A run's options from the environment: the number of examples of a random test, and whether it runs in CI."""

from __future__ import annotations

import os
import sys

QUICK = "EKSLAB_QUICK" in os.environ
PROVE = os.environ.get("EKSLAB_PROVE", "")
"""With what the names of the cells begin that a proof tells (`make prove ONLY=…`); all of them when it is empty."""
CI = "CI" in os.environ
"""Whether nobody watches: what a test needs and does not find is then a failure, not a skip."""
PYTHON = os.environ.get("EKSLAB_PYTHON") or sys.executable
"""What starts a sandbox: the project's own Python, where a test runs in another environment."""


def examples(count: int) -> int:
    """`count`, or a fifth of it while working (`make quick`)."""
    return max(count // 5, 3) if QUICK else count
