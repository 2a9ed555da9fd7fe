"""Random tests draw the same cases at each run of the gate; `make explore` draws new ones.

What Chalice reads (`.chalice/config.json`, `resources.json`, `policies/`) is composed first: tests read it.
"""

import pytest
from hypothesis import settings

from deployment import compose
from tests.examples import QUICK, examples

settings.register_profile("quick", settings.get_profile("ci"), max_examples=examples(100))
settings.load_profile("quick" if QUICK else "ci")


def pytest_configure() -> None:
    compose.write()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With two processes, each file stays in one of them, and all stories do, the first to begin: they share a sandbox."""
    for item in items:
        is_story = item.get_closest_marker("story") is not None
        item.add_marker(pytest.mark.xdist_group("stories" if is_story else item.path.as_posix()))
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("story") is None)
