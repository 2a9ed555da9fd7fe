"""Random tests draw the same cases at each run of the gate; `make explore` draws new ones.

What Chalice reads (`.chalice/config.json`, `resources.json`, `policies/`) is composed first: tests read it.
"""

from hypothesis import settings

from deployment import compose

settings.load_profile("ci")


def pytest_configure() -> None:
    compose.write()
