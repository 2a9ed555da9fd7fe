"""Inspect's Lambdas: a later look at what a lab may have left behind."""

from __future__ import annotations

from chalicelib.handlers.factory import lab_step
from chalicelib.workflows import inspect

inspect_look = lab_step(inspect.look)
inspect_remove_stragglers = lab_step(inspect.remove_stragglers)
