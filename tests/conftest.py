"""Random tests draw the same cases at each run of the gate; `make explore` draws new ones.

What Chalice reads (`.chalice/config.json`, `resources.json`, `policies/`) is composed first, and the catalogues are compiled:
tests read them.
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
#: Tests that share nothing, some of which take minutes (`make prove`).
APART = "tests/proof/"

settings.register_profile("quick", settings.get_profile("ci"), max_examples=examples(100))
settings.register_profile("explore", settings.get_profile("ci"), derandomize=False)
settings.load_profile("quick" if QUICK else "ci")

#: New objects after which the garbage collector looks at the young ones: tests make many that live long, such as imports.
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
    """The log's lines of this test, of the level INFO and above."""
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
    """Commands speak English in any locale. Set once: a thread of a story that reads the environment while a variable
    goes away fails.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LC_ALL", "C.UTF-8")
        patch.setenv("AWS_EXECUTION_ENV", "AWS_Lambda")
        yield


@pytest.fixture(autouse=True)
def user_agent(environment: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget after each test what a new Chalice application adds to this variable: every User-Agent repeats it."""
    monkeypatch.setenv("AWS_EXECUTION_ENV", "AWS_Lambda")


class OneProcessAFile(LoadScopeScheduling):
    """Hands out files, and all stories to one process: tests that share a sandbox stay together. Those of APART are single."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        if path.startswith(APART):
            return nodeid
        return STORIES if path.startswith(STORIES) else path


def pytest_collection_finish() -> None:
    """Leave imported modules and collected tests out of the garbage collector's rounds: they live as long as the process."""
    gc.collect()
    gc.freeze()


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return OneProcessAFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One process begins with the stories: they take the longest."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not item.nodeid.startswith(STORIES))
