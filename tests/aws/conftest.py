"""One running sandbox for the adapters' tests: its root's clients, and a calm EKS."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from moto.core import responses
from moto.ec2.models import key_pairs

from emulator.core.settings import Settings
from emulator.process import Sandbox, running_sandbox
from tests.aws import moto_tables

moto_tables.install()
#: moto looks through all that a service's class has, to find its methods, at each request.
responses.method_names_from_class = cache(responses.method_names_from_class)
#: An RSA key takes a tenth of a second to make, and no test compares two.
key_pairs.random_rsa_key_pair = cache(key_pairs.random_rsa_key_pair)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(Settings(scale=0.001)) as sandbox:
        yield sandbox
