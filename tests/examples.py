"""How many examples a random test draws: all of them in the gate, a fifth in `make quick`."""

from __future__ import annotations

import os

QUICK = "EKSLAB_QUICK" in os.environ


def examples(count: int) -> int:
    """`count`, or a fifth of it while working (`make quick`)."""
    return max(count // 5, 3) if QUICK else count
