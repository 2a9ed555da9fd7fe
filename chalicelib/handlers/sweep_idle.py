"""The sweep's Lambdas: evenings planned, owners warned, curfews held, once an hour."""

from __future__ import annotations

from chalicelib.handlers.factory import scheduled_step
from chalicelib.workflows import sweep_idle

sweep_idle_begin = scheduled_step(sweep_idle.begin)
sweep_idle_examine = scheduled_step(sweep_idle.examine)
sweep_idle_warn = scheduled_step(sweep_idle.warn)
sweep_idle_brake = scheduled_step(sweep_idle.brake)
sweep_idle_act = scheduled_step(sweep_idle.act)
sweep_idle_put_off_one = scheduled_step(sweep_idle.put_off_one)
sweep_idle_find_orphans = scheduled_step(sweep_idle.find_orphans)
sweep_idle_finish = scheduled_step(sweep_idle.finish)
