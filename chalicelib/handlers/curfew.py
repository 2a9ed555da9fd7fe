"""The Lambdas of the hourly curfew run: they plan evenings, warn owners, and carry out curfews."""

from __future__ import annotations

from chalicelib.handlers.factory import scheduled_step
from chalicelib.workflows import curfew

curfew_begin = scheduled_step(curfew.begin)
curfew_examine = scheduled_step(curfew.examine)
curfew_warn = scheduled_step(curfew.warn)
curfew_brake = scheduled_step(curfew.brake)
curfew_act = scheduled_step(curfew.act)
curfew_put_off_one = scheduled_step(curfew.put_off_one)
curfew_find_orphans = scheduled_step(curfew.find_orphans)
curfew_finish = scheduled_step(curfew.finish)
