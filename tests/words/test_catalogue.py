"""The catalogues hold all messages of the code, complete, with the same slots, and with one word for one term."""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO

import pytest
from babel.messages.catalog import Message

from chalicelib.domain.core.language import Language
from chalicelib.domain.core.sentence import Sentence
from chalicelib.words.catalogues import preferred, words_of
from chalicelib.words.korean import PARTICLES
from deployment.words import FOLDER, LANGUAGES, messages, read, with_compiled_catalogues
from tests.paths import PROJECT
from tests.words.reading import english_left

_SLOT = re.compile(r"\{\w+\}")
TERMS = list(csv.DictReader((PROJECT / "docs/reference/korean-terms.csv").open()))


def entries(language: str) -> Iterator[tuple[tuple[str, ...], tuple[str, ...], Message]]:
    for entry in read(language):
        if entry.id:
            ids = entry.id if isinstance(entry.id, tuple) else (entry.id,)
            texts = entry.string if isinstance(entry.string, tuple) else (entry.string,)
            yield tuple(ids), tuple(texts), entry


def test_every_language_but_the_codes_own_has_a_catalogue() -> None:
    assert set(LANGUAGES) == set(Language) - {Language.EN}


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_missing_fuzzy_or_obsolete(language: str) -> None:
    catalog = read(language)
    wanted = {(message, plural) for _, message, plural in messages()}
    there = {(ids[0], ids[1] if len(ids) > 1 else "") for ids, _, _ in entries(language)}
    assert sorted(wanted - there) == [], "run `make words` and translate"
    assert sorted(there - wanted) == [], "run `make words`"
    assert [ids[0] for ids, texts, _ in entries(language) if not all(texts)] == []
    assert [ids[0] for ids, _, entry in entries(language) if entry.fuzzy] == []
    assert list(catalog.obsolete) == []
    assert not catalog.fuzzy


@pytest.mark.parametrize("language", LANGUAGES)
def test_there_are_as_many_forms_as_the_language_has(language: str) -> None:
    forms = read(language).num_plurals
    assert [ids[0] for ids, texts, _ in entries(language) if len(texts) != (forms if len(ids) > 1 else 1)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_sides_have_the_same_slots(language: str) -> None:
    """A slot may occur twice; `{n}` may be omitted where a language shows no number."""
    wrong = []
    for ids, texts, _ in entries(language):
        wanted = set(_SLOT.findall(ids[-1]))
        wrong += [(ids[0], text) for text in texts if set(_SLOT.findall(text)) != wanted]
    assert wrong == []


def test_markup_is_on_both_sides() -> None:
    """`code` and **strong**."""
    wrong = []
    for ids, texts, _ in entries("ko"):
        for mark in ("`", "**"):
            wrong += [text for text in texts if text.count(mark) != ids[0].count(mark)]
    assert wrong == []


def test_commands_are_the_same_on_both_sides() -> None:
    code = re.compile(r"`[^`]+`")
    assert [
        texts for ids, texts, _ in entries("ko") if sorted(code.findall(texts[0])) != sorted(code.findall(ids[0]))
    ] == []


def test_no_english_clause_stands_in_a_translation() -> None:
    assert {texts[0]: found for _, texts, _ in entries("ko") if (found := english_left(_SLOT.sub("0", texts[0])))} == {}


@pytest.mark.parametrize("term", TERMS, ids=[term["english"] for term in TERMS])
def test_one_term_has_one_word(term: dict[str, str]) -> None:
    """The glossary's forbidden words do not occur; where a message has the term, its translation has the word, or a slot for it."""
    never = re.compile(term["never"]) if term["never"] else None
    english = re.compile(rf"\b{re.escape(term['english'])}(?:s|d)?\b", re.IGNORECASE)
    wrong = []
    for ids, texts, _ in entries("ko"):
        message, text = _without_names(ids[0]), texts[0]
        wrong += [text] if never and never.search(text) else []
        filled = f"{{{term['english']}}}" in text or (term["english"] == "lab" and "{name}" in text)
        if english.search(message) and term["korean"] not in text and not filled:
            wrong.append(f"{ids[0]} -> {text}")
    assert wrong == []


def _without_names(message: str) -> str:
    """Terms with another meaning are ignored: AWS's free plan, a field of a file, Pod Identity."""
    names = r"`[^`]*`|--?[\w-]+|\w+\.\w+|Pod Identity|free plan|account's plan|Price List|prices of"
    return _SLOT.sub(" ", re.sub(names, " ", message))


def test_a_particle_behind_a_slot_is_written_in_both_forms() -> None:
    """`{n}를` is wrong for every other number; `{name} 랩을` is right for every name."""
    single = re.compile(r"\}(?:\*\*|`)?(?:은|는|이|가|을|를|과|와|으로|로|라)(?=[\s.,]|$)")
    assert [texts[0] for _, texts, _ in entries("ko") if single.search(texts[0])] == []


@pytest.mark.parametrize("folder", ["chalicelib/words", "ekslab/words"])
def test_a_particle_fits_the_syllable_before_it(folder: str) -> None:
    """`한도은` and `계정를` are wrong. 는 also ends verbs: only that behind some nouns is checked."""
    wrong = []
    for line in (PROJECT / folder / "ko.po").read_text().splitlines():
        if line.startswith(("msgid", "#")):
            continue
        for before, particle in re.findall(r"([가-힣])(은|을|를|와)(?=[\s.,)\"]|$)", line):
            closed = (ord(before) - ord("가")) % 28 > 0
            if closed != (particle in "은을") and f"{before}{particle}" not in ("마을", "가을", "지은"):
                wrong.append(line)
        wrong += [line] * len(re.findall(r"(?:계정|권한|이름|목록|값|랩)는", line))
    assert wrong == []


def test_no_translation_speaks_familiarly() -> None:
    """합니다 style: no sentence ends in 해요, 해라 or the plain form."""
    familiar = re.compile(r"(?:해요|돼요|예요|어요|아요|한다|된다|하세요|한다면)\.?(?:\s|$)")
    assert [texts[0] for _, texts, _ in entries("ko") if familiar.search(texts[0])] == []


def test_the_package_holds_compiled_catalogues_and_no_sources() -> None:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as target:
        target.writestr(f"{FOLDER}/ko.po", (PROJECT / FOLDER / "ko.po").read_bytes())
        target.writestr("app.py", "")
    with zipfile.ZipFile(BytesIO(with_compiled_catalogues(archive.getvalue()))) as made:
        assert made.namelist() == ["app.py", f"{FOLDER}/ko.mo"]
        assert made.read(f"{FOLDER}/ko.mo") == (PROJECT / FOLDER / "ko.mo").read_bytes()


def test_a_message_without_translation_is_said_in_english() -> None:
    assert Sentence("No catalogue has {what}.", what="this").said(words_of(Language.KO)) == "No catalogue has this."


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "en"),
        ("", "en"),
        ("ko", "ko"),
        ("ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "ko"),
        ("en-US,en;q=0.9,ko;q=0.8", "en"),
        ("fr, de;q=0.9, ko;q=0.1", "ko"),
        ("ko;q=0, en", "en"),
        ("ko;q=zero", "en"),
        ("*", "en"),
        ("ko;q=" + "9" * 5000, "ko"),
        (";;;,,,ko;q=\u0661", "en"),
    ],
)
def test_a_browser_says_what_it_wants(accepted: str | None, language: str) -> None:
    assert preferred(accepted) == language


def test_every_particle_has_two_forms() -> None:
    assert all(len(forms) == 2 and all(forms) for forms in PARTICLES.values())
