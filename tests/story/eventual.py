"""The seed by which AWS lags behind what was just made, in every story: `make check` has the usual one, `make long` others."""

from __future__ import annotations

import os

#: Names another seed.
LAG_SEED = "EKSLAB_LAG_SEED"
USUAL_SEED = 1


def lag_seed() -> int:
    """The seed of this session."""
    return int(os.environ.get(LAG_SEED, USUAL_SEED))
