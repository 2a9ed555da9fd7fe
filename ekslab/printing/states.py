"""Words for states of labs, steps and clusters in sentences. Columns of tables have the service's own words."""

from __future__ import annotations

from ekslab.words import t


def state(word: str) -> str:
    """The word in the reader's language; other words stay the same."""
    return {
        "awaiting-approval": t("awaiting-approval"),
        "refused": t("refused"),
        "requested": t("requested"),
        "provisioning": t("provisioning"),
        "ready": t("ready"),
        "updating": t("updating"),
        "hibernating": t("hibernating"),
        "hibernated": t("hibernated"),
        "waking": t("waking"),
        "lost": t("lost"),
        "releasing": t("releasing"),
        "rolling-back": t("rolling-back"),
        "blocked": t("blocked"),
        "deleted": t("deleted"),
        "failed": t("failed"),
        "running": t("running"),
        "done": t("done"),
        "skipped": t("skipped"),
    }.get(word, word)


def whose(responsible: str | None) -> str:
    """The party that can fix a failure, as text."""
    known = {"yours to fix": t("yours to fix"), "ours": t("ours"), "unknown": t("unknown")}
    return known.get(responsible or "", responsible or t("nobody"))
