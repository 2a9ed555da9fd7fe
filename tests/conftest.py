"""Random tests draw the same cases at each run of the gate; `make explore` draws new ones.

What Chalice reads (`.chalice/config.json`, `resources.json`, `policies/`) is composed first: tests read it.
"""

from hypothesis import settings

from deployment import compose
from tests.examples import QUICK, examples

settings.register_profile("quick", settings.get_profile("ci"), max_examples=examples(100))
settings.load_profile("quick" if QUICK else "ci")


def pytest_configure() -> None:
    compose.write()
