"""The Lambda that looks after labs whose workflows were lost, every few minutes."""

from __future__ import annotations

from chalicelib.handlers.factory import handler
from chalicelib.wiring.deps import get_deps
from chalicelib.workflows import tend

tend_labs = handler("tend_labs", lambda event: tend.run(get_deps(), event.get("time")))
