"""The subject of a keep-link as JSON; the page is made from it. It is read without a login: it holds no ARN."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chalicelib.api.views.json_format import instant
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.costs import describe_keeping
from chalicelib.domain.labs.schedule import AtCurfew, format_local
from chalicelib.services.curfew.keep import KeepView


def keep_view(view: KeepView) -> dict[str, Any]:
    """`at`: the time of the planned act; `until`: the end of keeping, offered or done. `cost` None: unknown."""
    entry, keeping = view.entry, view.keeping

    def local(context: datetime) -> str:
        return format_local(view.lab.spec.schedule, context)

    return {
        "name": entry.name,
        "region": entry.region,
        "act": str(entry.act),
        "effect": _EFFECTS[entry.act],
        "trigger": str(entry.trigger),
        "reason": entry.reason,
        "at": instant(entry.at),
        "atLocal": local(entry.at),
        "kept": view.kept,
        "until": instant(keeping.until),
        "untilLocal": local(keeping.until),
        "leaseEnds": keeping.lab.lease_ends_at <= keeping.until,
        "clamped": keeping.clamped,
        "nextCurfewLocal": local(keeping.wanted),
        "cost": None if view.usd is None else describe_keeping(view.usd, entry.hourly_usd),
    }


_EFFECTS = {
    AtCurfew.END: Sentence("everything of it is deleted"),
    AtCurfew.HIBERNATE: Sentence("it goes to sleep: its nodes are shut down, and come back when it is woken"),
}
