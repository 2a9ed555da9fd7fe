"""The support watch's Lambdas: they check every cluster of the fleet, once a day."""

from __future__ import annotations

from chalicelib.handlers.factory import scheduled_step
from chalicelib.workflows import watch_support

watch_support_begin = scheduled_step(watch_support.begin)
watch_support_scan_place = scheduled_step(watch_support.scan_place)
watch_support_lose_place = scheduled_step(watch_support.lose_place)
watch_support_decide_notices = scheduled_step(watch_support.decide_notices)
watch_support_deliver_notices = scheduled_step(watch_support.deliver_notices)
watch_support_finish = scheduled_step(watch_support.finish)
