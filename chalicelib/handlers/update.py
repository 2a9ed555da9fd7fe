"""Update's Lambdas: they change a lab's endpoint and the sizes of its node groups."""

from __future__ import annotations

from chalicelib.handlers.factory import lab_step
from chalicelib.workflows import update

update_begin = lab_step(update.begin)
update_change_endpoint = lab_step(update.change_endpoint)
update_check_endpoint = lab_step(update.check_endpoint)
update_scale_nodegroups = lab_step(update.scale_nodegroups)
update_check_nodegroups = lab_step(update.check_nodegroups)
update_finish = lab_step(update.finish)
update_give_up = lab_step(update.give_up)
