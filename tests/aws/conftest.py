"""One running sandbox for the adapters' tests: its root's clients, and EKS without faults."""

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
#: moto searches all attributes of a service's class for its methods, at each request.
responses.method_names_from_class = cache(responses.method_names_from_class)
#: Generating an RSA key takes a tenth of a second, and no test compares two.
key_pairs.random_rsa_key_pair = cache(key_pairs.random_rsa_key_pair)


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(Settings(scale=0.001)) as sandbox:
        yield sandbox
