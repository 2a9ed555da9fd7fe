"""The course's lab, with a test's changes to its specification."""

from __future__ import annotations

from typing import Any

from chalicelib.domain.labs.lab import Lab
from tests.fakes import builders


def a_lab(**differences: Any) -> Lab:
    spec = builders.a_spec(**({"network": builders.NewNetwork()} | differences))
    return builders.a_lab(spec=spec, phase="provisioning")
