"""The one mail to approvers about a lab that waits for their word: its price, its owner's month, and two links."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.core.wording import paragraph
from chalicelib.domain.costs import usd
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.schedule import format_local
from chalicelib.domain.labs.spending import foreseen

KIND = "approval-asked"
_MOST_SUBJECT = 99


def approval_message(
    lab: Lab, recipient: str, month_usd: float, links: tuple[str, str] | None, until: datetime
) -> Message:
    """`month_usd`: the owner's month, this lab included. `links`: to approve and to refuse; None where an approver asked."""
    least = "at least " if lab.meter and lab.meter.unknown else ""
    price = f"{least}{usd(foreseen(lab) / MICRO)}"
    why = lab.approval.why if lab.approval else ""
    pieces = [
        paragraph(f"{lab.owner} asks for the lab {lab.name} ({lab.id} in {lab.region}), and {why}."),
        paragraph(
            f"Its lease of {lab.spec.lease_hours} hours costs {price}. With it, its owner's labs cost {usd(month_usd)} this "
            "month. Nothing is made before somebody approves it."
        ),
        *_answers(lab, links),
        f"Look at it:\n\n  ekslab describe cluster {lab.id}",
        paragraph(f"Without an answer the request is over on {format_local(lab.spec.schedule, until)}."),
    ]
    return Message(
        recipient=recipient,
        subject=f"ekslab: {lab.name} waits for your approval ({price})"[:_MOST_SUBJECT],
        body="\n\n".join(pieces) + "\n",
        kind=KIND,
        severity=Severity.WARNING,
        account=lab.account,
        owner=lab.owner,
    )


def _answers(lab: Lab, links: tuple[str, str] | None) -> list[str]:
    if links is None:
        by_name = "Nobody approves their own: another administrator answers with one of these."
        return [paragraph(by_name), f"  ekslab approve {lab.id} --why '...'\n  ekslab refuse {lab.id} --why '...'"]
    approve, refuse = links
    return [
        f"To approve it, open this page and press its button:\n\n  {approve}",
        f"To refuse it:\n\n  {refuse}",
        paragraph("The pages need no login: whoever has a link can give its answer, once, and do nothing else."),
    ]
