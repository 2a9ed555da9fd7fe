"""VerifyDeletion's Lambdas: a later check for a lab's leftovers."""

from __future__ import annotations

from chalicelib.handlers.factory import lab_step
from chalicelib.workflows import verify_deletion

verify_deletion_look = lab_step(verify_deletion.look)
verify_deletion_remove_leftovers = lab_step(verify_deletion.remove_leftovers)
