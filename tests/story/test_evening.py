"""The course's evening, as `make demo` plays it: every promise it makes on the screen is kept."""

import pytest

from sandbox import demo
from sandbox.stage import Stage

pytestmark = pytest.mark.story


def test_the_demo_holds(stage: Stage) -> None:
    # The demo walks a day ahead in time, so it has a sandbox of its own beside the one that all others share.
    assert demo.main() == 0
