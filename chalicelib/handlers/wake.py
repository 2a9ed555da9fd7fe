"""Wake's Lambdas: they wake a hibernated lab."""

from __future__ import annotations

from chalicelib.handlers.factory import lab_step
from chalicelib.workflows import wake

wake_begin = lab_step(wake.begin)
wake_restore_nodegroups = lab_step(wake.restore_nodegroups)
wake_verify_nodes = lab_step(wake.verify_nodes)
wake_grant_access = lab_step(wake.grant_access)
wake_finish = lab_step(wake.finish)
wake_give_up = lab_step(wake.give_up)
