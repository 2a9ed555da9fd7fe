"""Messages as one mail, with letters and without: every text escaped, links as buttons, commands as code."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.domain.core.language import Language
from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.core.sentence import Style
from chalicelib.words.catalogues import words_of
from chalicelib.words.chat import chat_document
from chalicelib.words.letters import translated, written
from tests.words.kinds import KINDS
from tests.words.reading import english_left, unresolved

BODY = 'Hello <b>you</b> & all.\n\n  https://api.example.com/keep/token"x\n\n  ekslab extend lab-1 24h\n  ekslab wake lab-1\n'


def message(subject: str = "ekslab: <script>", body: str = BODY) -> Message:
    return Message("jane", subject, body, "curfew-warning", Severity.WARNING, "", "")


def rendered(messages: list[Message], language: str = "en") -> tuple[str, str]:
    whole = written(messages, language)
    return whole.text, whole.html


def test_every_word_is_escaped() -> None:
    _, html = rendered([message()])
    assert "<script>" not in html
    assert "Hello &lt;b&gt;you&lt;/b&gt; &amp; all." in html


def test_a_link_is_a_button_and_commands_are_code() -> None:
    _, html = rendered([message()])
    assert 'href="https://api.example.com/keep/token&quot;x"' in html
    assert "ekslab extend lab-1 24h\nekslab wake lab-1</pre>" in html


def test_the_text_of_one_message_is_its_body_and_several_have_their_subjects() -> None:
    assert rendered([message()])[0] == BODY
    text, html = rendered([message("one"), message("two")])
    assert (text.count("one\n===\n"), text.count("two\n===\n"), html.count("<h1")) == (1, 1, 2)


def test_styles_stand_in_the_elements_and_no_script_or_address_of_others_is_in_it() -> None:
    _, html = rendered([message(body="plain\n")], "ko")
    assert '<html lang="ko">' in html
    assert not any(word in html for word in ("<style", "<script", "<link", "src=", "url("))


def test_the_subject_of_several_is_that_of_the_first_and_says_how_many_more_there_are() -> None:
    assert written([message("one"), message("two"), message("three")], "en").subject == "one (and 2 more)"
    assert written([message("one"), message("two")], "ko").subject == "one (그 밖에 1건)"


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("style", [Style.LOCAL, Style.BOTH, Style.CLOCK, Style.SHORT, Style.MINUTE])
def test_an_instant_without_a_zone_of_its_own_is_on_its_reader_s_clock(language: Language, style: Style) -> None:
    at = datetime(2026, 11, 29, 15, 30, tzinfo=UTC)
    mine, theirs = words_of(language, "Asia/Seoul"), words_of(language)
    clear = Style.LOCAL if style in (Style.CLOCK, Style.SHORT) else style
    assert mine.moment(at, "UTC", style) == theirs.moment(at, "Asia/Seoul", clear) != theirs.moment(at, "UTC", clear)
    assert mine.moment(at, "America/New_York", style) == theirs.moment(at, "America/New_York", clear)
    assert mine.moment(at, "Asia/Seoul", style) == theirs.moment(at, "Asia/Seoul", style)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("style", [Style.DAY, Style.DATE, Style.INSTANT, Style.SECOND])
def test_days_of_aws_and_instants_for_programs_stay_in_utc(language: Language, style: Style) -> None:
    at = datetime(2026, 11, 29, 15, 30, tzinfo=UTC)
    assert words_of(language, "Asia/Seoul").moment(at, "UTC", style) == words_of(language).moment(at, "UTC", style)


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_topic_gets_it_in_its_language(kind: str) -> None:
    message = translated(KINDS[kind](), Language.KO)
    content: Any = chat_document(KINDS[kind](), Language.KO)["content"]
    for text in (message.subject, message.body, content["title"], content["description"]):
        assert english_left(text.replace(":rotating_light:", "").replace(":information_source:", "")) == []
        assert unresolved(text) == []
    assert translated(KINDS[kind](), Language.EN) == KINDS[kind]()
