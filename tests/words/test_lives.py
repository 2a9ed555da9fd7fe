"""All texts about labs' lives, with any refusal by AWS: steps, history, reasons, receipts, each in Korean.

AWS's own words are unchanged: those of the refusals here are one word, so any other English is the service's.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest

from chalicelib.domain.core.language import Language
from chalicelib.domain.core.sentence import said
from chalicelib.domain.errors.tree import AccessDenied, AwsRefused, AwsUnavailable, StillInUse
from chalicelib.domain.labs.lab import Phase
from chalicelib.domain.teardown.receipt import verdict
from chalicelib.services.labs import hibernation, queries
from chalicelib.words.catalogues import words_of
from tests.api.http import Http
from tests.api.pages.browser import Browser
from tests.fakes import OWNER, a_caller
from tests.words.reading import english_left, unresolved
from tests.workflows.machine import StepFailed
from tests.workflows.test_whole_path import OPERATIONS, a_rich_theatre
from tests.workflows.theatre import Theatre

KOREAN = words_of(Language.KO)
WORD = "Verboten."
#: AWS's and the network's own words in the fakes.
TOLD_BY_OTHERS = re.compile(
    r"connection timed out: not on the allow-list|Delete [\w-]+: DependencyViolation: [^;]*? is used by [\w, -]+"
)
REFUSALS = {
    "denied": AccessDenied("eks:Do", "AccessDenied", WORD),
    "refused": AwsRefused("eks:Do", "Quaint", WORD),
    "in-use": StillInUse("eks:Do", "ResourceInUse", WORD),
    "unavailable": AwsUnavailable(WORD),
}
#: Calls of a lab that sleeps and wakes.
CHANGING = ("resize_nodegroup", "revoke_access", "grant_access", "nodegroup", "clusters.describe")


def texts_of(theatre: Theatre) -> Iterator[str]:
    """All texts about the lab for people."""
    store, lab = theatre.world.store, theatre.lab
    yield lab.reason or ""
    for step in store.steps(lab.id):
        yield from (step.title, step.detail)
    for event in store.events(lab.id, 200, None).items:
        yield event.message
    for entry in store.ledger(lab.id):
        yield from (entry.reason, entry.how)
    receipts = store.receipts(lab.id)
    for receipt in receipts:
        for line in receipt.lines:
            yield from (line.reason, line.how)
    if receipts:
        yield verdict(lab, receipts)
    yield from queries.get_lab(theatre.world.deps, a_caller(), lab.id, theatre.world.clock.now()).next


def english_in(theatre: Theatre) -> dict[str, list[str]]:
    spoken = {TOLD_BY_OTHERS.sub("", said(text, KOREAN)) for text in texts_of(theatre) if text}
    return {text: left for text in sorted(spoken) if (left := english_left(text) + unresolved(text))}


def play(theatre: Theatre) -> None:
    """To the end, also where nothing catches a failure."""
    for _ in range(3):
        try:
            theatre.play()
        except StepFailed:
            continue
        return


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("operation", [None, *(each for each in OPERATIONS if each != "workflows.start")])
def test_a_life_is_told_in_korean_whatever_is_refused(operation: str | None, refusal: str) -> None:
    theatre = a_rich_theatre()
    if operation:
        theatre.world.fail(operation, REFUSALS[refusal], times=40)
    play(theatre)
    found = english_in(theatre)
    if theatre.lab.phase is Phase.READY:
        theatre.release()
        play(theatre)
    theatre.world.account.troubles.clear()
    for hours in (1, 24):
        theatre.later(hours=hours)
        found |= english_in(theatre)
    assert found == {}


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("operation", CHANGING)
def test_sleeping_and_waking_are_told_in_korean(operation: str, refusal: str) -> None:
    theatre = a_rich_theatre()
    play(theatre)
    now = theatre.world.clock.now
    hibernation.hibernate_lab(theatre.world.deps, a_caller(), theatre.lab_id, now())
    theatre.world.fail(operation, REFUSALS[refusal], times=40)
    play(theatre)
    found = english_in(theatre)
    if theatre.lab.phase is Phase.HIBERNATED:
        hibernation.wake_lab(theatre.world.deps, a_caller(), theatre.lab_id, now())
        theatre.world.fail(operation, REFUSALS[refusal], times=40)
        play(theatre)
    assert found | english_in(theatre) == {}


@pytest.mark.parametrize("operation", [None, "clusters.create", "create_nodegroup", "leftovers.delete"])
def test_a_labs_page_tells_its_life_in_korean(operation: str | None) -> None:
    theatre = a_rich_theatre()
    if operation:
        theatre.world.fail(operation, REFUSALS["denied"], times=40)
    play(theatre)
    if theatre.lab.phase is Phase.READY:
        theatre.release()
        play(theatre)
    browser = Browser.of(Http(world=theatre.world), OWNER)
    browser.language = "ko"
    shown = re.sub(r"<(code|pre)\b.*?</\1>", "", browser.get(f"labs/{theatre.lab_id}").text, flags=re.DOTALL)
    shown = TOLD_BY_OTHERS.sub("", html.unescape(re.sub(r"<[^>]+>", "; ", shown.partition("<main")[2])))
    assert unresolved(shown) == []
    assert english_left(shown, frozenset({"myeks", theatre.lab_id})) == []
