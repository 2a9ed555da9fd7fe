"""One message of each kind that people get, to be read in every language and medium. `python -m tests.words.kinds` writes them.

Look at the difference before you commit it: a golden file is a mail that somebody reads.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from pathlib import Path

from chalicelib.domain.core.language import Language
from chalicelib.domain.core.message import Message
from chalicelib.domain.core.sentence import Listed, Moment, Sentence, Style
from chalicelib.domain.curfew.plan import Stakes, Trigger
from chalicelib.domain.labs.schedule import AtCurfew
from chalicelib.domain.labs.spec import VolumePolicy
from chalicelib.words.catalogues import words_of
from chalicelib.words.letters import chat_of, written
from tests.domain.curfew.messages.test_warning import AT, SEOUL, mail
from tests.domain.curfew.messages.test_warning import ENTRY as A_LINE

FOLDER = Path(__file__).parent / "golden"
MEDIA = ("txt", "html", "chat")

IDLE = Sentence(
    "idle since {at}: {reasons}",
    at=Moment(AT - timedelta(hours=3, minutes=20), "Asia/Seoul", Style.CLOCK),
    reasons=Listed(
        [
            Sentence("no user pods scheduled in {time}", time=Sentence("{hours} h", hours=5)),
            Sentence("{what} (baseline {percent} %)", what=Sentence("CPU {percent} %", percent=3), percent=3),
            Sentence("no load-balancer traffic"),
        ],
        between=", ",
    ),
)
ENTRY = replace(A_LINE, reason=IDLE)
GONE = Sentence("EKS knows no such cluster any more. Everything that it left behind is deleted.")

WARNINGS: dict[str, Callable[[], Message]] = {
    "warning-idle": lambda: mail(ENTRY, spent_usd=12.5),
    "warning-sleep": lambda: mail(replace(ENTRY, act=AtCurfew.HIBERNATE), replace(SEOUL, wake=time(8, 30))),
    "warning-lease": lambda: mail(replace(ENTRY, trigger=Trigger.LEASE), volumes=VolumePolicy.SNAPSHOT),
    "warning-lease-sleep": lambda: mail(replace(ENTRY, trigger=Trigger.LEASE, act=AtCurfew.HIBERNATE, stakes=Stakes())),
    "warning-gone": lambda: mail(
        replace(ENTRY, trigger=Trigger.GONE, reason=GONE, stakes=Stakes(0, 0, 2, 0)),
        keep_url=None,
        keep_until=None,
        keep_cost_usd=None,
        volumes=VolumePolicy.KEEP,
    ),
    "warning-adopted": lambda: mail(
        replace(ENTRY, trigger=Trigger.ADOPTED, stakes=Stakes(2, None, None, 0)), volumes=None
    ),
    "warning-used-up": lambda: mail(ENTRY, keep_url=None, keep_until=None),
    "warning-no-link": lambda: mail(replace(ENTRY, hourly_usd=None), keep_url=None, keep_cost_usd=None),
    "warning-in-place": lambda: mail(ENTRY, in_place_of="learner"),
}
KINDS: dict[str, Callable[[], Message]] = {**WARNINGS}


def shown(message: Message, language: Language, medium: str) -> str:
    """What its reader gets."""
    whole = written(message, language)
    match medium:
        case "txt":
            return f"Subject: {whole.subject}\n\n{whole.text}"
        case "html":
            return whole.html
        case _:
            assert message.letter is not None
            return chat_of(message.letter, words_of(language)) + "\n"


def path_of(kind: str, language: Language, medium: str) -> Path:
    return FOLDER / f"{kind}.{language}.{medium}"


if __name__ == "__main__":
    from deployment.words import compile_here

    compile_here()
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for kind, make in KINDS.items():
        for language in Language:
            for medium in MEDIA:
                path_of(kind, language, medium).write_text(shown(make(), language, medium))
    print(json.dumps(sorted(KINDS)))
