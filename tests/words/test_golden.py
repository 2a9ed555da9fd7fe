"""Every kind of message in every language and medium, as its reader gets it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from chalicelib.domain.core.language import Language
from chalicelib.domain.core.message import Link, Message, Paragraphs, english_body, letter_of
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.core.wording import WIDTH, width
from chalicelib.words.letters import written
from tests.words.kinds import FOLDER, KINDS, MEDIA, path_of, shown
from tests.words.reading import english_left, unresolved

CASES = [(kind, language, medium) for kind in KINDS for language in Language for medium in MEDIA]


@pytest.mark.parametrize(("kind", "language", "medium"), CASES)
def test_a_message_is_as_its_golden_file_has_it(kind: str, language: Language, medium: str) -> None:
    assert shown(KINDS[kind](), language, medium) == path_of(kind, language, medium).read_text()


def test_no_golden_file_is_of_a_kind_that_is_no_more() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {path_of(*case).name for case in CASES}


@pytest.mark.parametrize("kind", list(KINDS))
def test_subject_and_body_are_what_the_letter_says_in_english(kind: str) -> None:
    message = KINDS[kind]()
    assert message.letter is not None
    assert (message.subject, message.body) == (message.letter.subject, english_body(message.letter))


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("kind", list(KINDS))
def test_no_line_of_text_is_wider_than_a_terminal_but_for_what_is_not_broken(kind: str, language: Language) -> None:
    lines = written([KINDS[kind]()], language).text.splitlines()
    assert [line for line in lines if width(line) > WIDTH and " " in line.strip() and not line.startswith("  ")] == []


@pytest.mark.parametrize("medium", MEDIA)
@pytest.mark.parametrize("kind", list(KINDS))
def test_no_english_clause_and_no_unresolved_particle_is_left_in_korean(kind: str, medium: str) -> None:
    text = shown(KINDS[kind](), Language.KO, medium)
    assert unresolved(text) == []
    assert english_left(text) == []


@pytest.mark.parametrize("kind", list(KINDS))
def test_html_says_its_language_and_asks_no_other_server(kind: str) -> None:
    html = shown(KINDS[kind](), Language.KO, "html")
    assert '<html lang="ko">' in html
    assert re.findall(r"<(?:script|img|link|iframe|style)", html) == []


HOSTILE = (
    '<script>alert("x")</script>',
    "name\r\nBcc: everybody@example.com",
    "\u202egpj.exe",
    "{name}{lab}{0.__class__}",
    "을(를)",
    "a & b < c > d \"e\" 'f'",
    "</pre></body>`**`",
)


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("kind", ["warning-idle", "warning-gone", "warning-adopted"])
def test_names_of_strangers_change_neither_lines_nor_markup(kind: str, name: str) -> None:
    letter = KINDS[kind]().letter
    assert letter is not None
    evil = letter_of(
        Sentence("{name} is kept", name=name), [*letter.blocks, Paragraphs((name,)), Link("https://x", name)]
    )
    message = replace(KINDS[kind](), letter=evil)
    plain = replace(
        message, letter=letter_of(Sentence("{name} is kept", name="n"), [*letter.blocks, Paragraphs(("n",))])
    )
    for language in Language:
        whole = written([message], language)
        assert not re.search(r"[\r\n\u202e]", whole.subject)
        assert whole.text.count("\n") <= written([plain], language).text.count("\n") + 3
        assert "\u202e" not in whole.text + whole.html
        assert "<script" not in whole.html
        assert whole.html.count("</pre>") == written([plain], language).html.count("</pre>")


def test_a_message_without_a_letter_stays_in_english() -> None:
    bare = Message("learner", "ekslab: <b>", "a & b\n", "kind", KINDS["warning-idle"]().severity, "", "")
    whole = written([bare], Language.KO)
    assert whole.text == "a & b\n"
    assert "a &amp; b" in whole.html
    assert "<b>" not in whole.html
