"""Hypothesis draws the same examples in each run of the gate; `make explore` draws new ones.

The files that Chalice reads (`.chalice/config.json`, `resources.json`, `policies/`) are generated and the catalogues compiled
first: tests read them.
"""

import gc
import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from chalicelib.logs import logger
from deployment import compose, words
from emulator.core import service_files
from tests.examples import QUICK, examples

STORIES = "tests/story/"
#: Independent tests, some of which take minutes (`make prove`).
APART = "tests/proof/"

settings.register_profile("quick", settings.get_profile("ci"), max_examples=examples(100))
settings.register_profile("explore", settings.get_profile("ci"), derandomize=False)
settings.load_profile("quick" if QUICK else "ci")

#: Garbage collector threshold of generation 0: imports and tests create many long-lived objects.
YOUNG = 20_000

gc.set_threshold(YOUNG)
service_files.share()


def pytest_configure() -> None:
    compose.write()
    words.compile_here()
    # Tests run a hundred thousand steps. Their lines are made, and only warnings are written: that is a tenth of the time.
    logger.handlers[0].setLevel(logging.WARNING)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The log lines of this test from level INFO up."""
    kept, [handler] = io.StringIO(), logger.handlers
    assert isinstance(handler, logging.StreamHandler)
    before = handler.setStream(kept)
    handler.setLevel(logging.INFO)
    yield kept
    handler.setLevel(logging.WARNING)
    handler.setStream(before)
    logger.clear_state()


@pytest.fixture(scope="session", autouse=True)
def environment() -> Iterator[None]:
    """Commands use English in any locale. Session-wide: a story's thread that copies the environment fails if a variable is
    removed.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LC_ALL", "C.UTF-8")
        patch.setenv("AWS_EXECUTION_ENV", "AWS_Lambda")
        yield


@pytest.fixture(autouse=True)
def user_agent(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove after each test the text that a new Chalice application appends to this variable: every User-Agent repeats it."""
    monkeypatch.setenv("AWS_EXECUTION_ENV", "AWS_Lambda")


class OneProcessAFile(LoadScopeScheduling):
    """Schedules tests by file, and all stories to one process, so that tests of one sandbox share it. Tests of APART run
    singly.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        if path.startswith(APART):
            return nodeid
        return STORIES if path.startswith(STORIES) else path


def pytest_collection_finish() -> None:
    """Exempt imported modules and collected tests from garbage collection: they live as long as the process."""
    gc.collect()
    gc.freeze()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return OneProcessAFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the stories first: they take the longest."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(STORIES))
