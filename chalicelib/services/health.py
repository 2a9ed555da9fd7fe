"""The service's own health: two small reads and, where it sends mail, two of SES; independent of the size of the fleet."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.core.service_health import Health, Run, judge_health
from chalicelib.domain.errors.tree import EkslabError
from chalicelib.ports.deps import Deps


def health_of(deps: Deps, now: datetime) -> Health:
    """Read the table and the secret, and the times of the last scheduled runs. Raises no error of AWS."""
    troubles: list[str] = []
    runs: tuple[Run, ...] | None = None
    try:
        runs = deps.store.runs()
    except EkslabError as error:
        troubles.append(Sentence("The table can't be read: {name}.", name=type(error).__name__))
    try:
        deps.curfew.keys.current()
    except EkslabError as error:
        troubles.append(
            Sentence("The secret that links are signed with can't be read: {name}.", name=type(error).__name__)
        )
    if deps.mail is not None:
        troubles += deps.mail.mailer.troubles()
    return judge_health(runs, troubles, now)
