"""The seed of AWS's simulated eventual consistency in every story: `make check` has a fixed one, `make long` others."""

from __future__ import annotations

import os

#: The environment variable with another seed.
LAG_SEED = "EKSLAB_LAG_SEED"
USUAL_SEED = 1


def lag_seed() -> int:
    """The seed of this session."""
    return int(os.environ.get(LAG_SEED, USUAL_SEED))
