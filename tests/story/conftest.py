"""One installed service for all stories, which run in parallel: labs of different people do not wait for each other.

A story is a test function that takes only `stage` and is marked `story`. When the first story is due, all stories of this
session start, a few at a time, and so do the shared situations of `rows.py`; each test then waits for its own result.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from _pytest import runner

from sandbox.recorded_requests import FOLDER_VARIABLE
from sandbox.stage import Stage, installed
from tests.story.eventual import lag_seed
from tests.story.rows import PLAYS

#: pytest sets and removes an environment variable with the current test's name while stories copy the environment.
runner._update_current_test_var = lambda item, when: None
#: Labs mostly wait. With more of them at once, a machine with two cores is the bottleneck.
AT_ONCE = 8


@pytest.fixture(scope="session")
def stage() -> Iterator[Stage]:
    """The whole service, deployed into a sandbox that enforces IAM."""
    with installed() as stage:
        stage.lag(lag_seed())
        yield stage


@pytest.fixture(scope="session")
def left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The directory where the other sandboxes, of stories and of the demo, record the requested actions."""
    folder = tmp_path_factory.mktemp("questions")
    before = os.environ.get(FOLDER_VARIABLE)
    os.environ[FOLDER_VARIABLE] = str(folder)
    yield folder
    if before is None:
        del os.environ[FOLDER_VARIABLE]
    else:
        os.environ[FOLDER_VARIABLE] = before


@pytest.fixture(scope="session")
def tellers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield pool


@pytest.fixture(scope="session")
def played(
    request: pytest.FixtureRequest, stage: Stage, left: Path, tellers: ThreadPoolExecutor
) -> Mapping[str, Future[Any]]:
    """The running situations of `rows.py` that tests of this session need, by name."""
    items = (item for item in request.session.items if isinstance(item, pytest.Function))
    wanted = {name for item in items for name in item.fixturenames}
    return {name: tellers.submit(play, stage) for name, play in PLAYS.items() if name in wanted}


@pytest.fixture(scope="session")
def begun(
    request: pytest.FixtureRequest, stage: Stage, tellers: ThreadPoolExecutor, played: object
) -> Mapping[str, Future[None]]:
    """All running stories of this session by node id. Situations take longest, so they start first."""
    stories = [item for item in request.session.items if _is_sent(item)]
    return {item.nodeid: tellers.submit(item.function, stage) for item in stories if isinstance(item, pytest.Function)}


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Wait for a story's result instead of starting it."""
    if not _is_sent(pyfuncitem):
        return None
    futures: Mapping[str, Future[None]] = pyfuncitem._request.getfixturevalue("begun")
    futures[pyfuncitem.nodeid].result()
    return True


def _is_sent(item: pytest.Item) -> bool:
    on_stage = isinstance(item, pytest.Function) and item._fixtureinfo.argnames == ("stage",)
    return on_stage and item.get_closest_marker("story") is not None
