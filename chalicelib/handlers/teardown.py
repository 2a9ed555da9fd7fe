"""Teardown's Lambdas: from a lab to the proof that its resources are gone."""

from __future__ import annotations

from chalicelib.handlers.factory import lab_step
from chalicelib.workflows import teardown

teardown_begin = lab_step(teardown.begin)
teardown_revoke_access = lab_step(teardown.revoke_access)
teardown_take_stock = lab_step(teardown.take_stock)
teardown_sweep_kubernetes = lab_step(teardown.sweep_kubernetes)
teardown_delete_nodegroups = lab_step(teardown.delete_nodegroups)
teardown_terminate_instances = lab_step(teardown.terminate_instances)
teardown_sweep_leftovers = lab_step(teardown.sweep_leftovers)
teardown_delete_cluster = lab_step(teardown.delete_cluster)
teardown_sweep_remains = lab_step(teardown.sweep_remains)
teardown_delete_stack = lab_step(teardown.delete_stack)
teardown_take_inventory = lab_step(teardown.take_inventory)
teardown_finish = lab_step(teardown.finish)
teardown_block = lab_step(teardown.block)
