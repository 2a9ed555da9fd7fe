"""Particles by the last sound, dates in Korean format, and lines by their display width."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.core.language import Language
from chalicelib.domain.core.sentence import Listed, Moment, Sentence, Style, said
from chalicelib.domain.core.wording import paragraph, width
from chalicelib.words.catalogues import words_of
from chalicelib.words.korean import PARTICLES, with_particles
from tests.words.reading import unresolved

AT = datetime(2026, 11, 28, 19, 53, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("클러스터을(를)", "클러스터를"),
        ("랩을(를)", "랩을"),
        ("랩은(는) 볼륨이(가)", "랩은 볼륨이"),
        ("서울(으)로", "서울로"),
        ("부산(으)로", "부산으로"),
        ("제주(으)로", "제주로"),
        ("1.33은(는)", "1.33은"),
        ("1.34은(는)", "1.34는"),
        ("4:53(으)로", "4:53으로"),
        ("10:01(으)로", "10:01로"),
        ("1.30을(를)", "1.30을"),
        ("3 %을(를)", "3 %를"),
        ("$500.00을(를)", "$500.00를"),
        ("$1,200이(가)", "$1,200가"),
        ("노드 2개과(와) 파드", "노드 2개와 파드"),
        ("myeks 랩(lab-1, ap-northeast-2)이(가)", "myeks 랩(lab-1, ap-northeast-2)이"),
        ("'랩'을(를)", "'랩'을"),
        ("`랩`을(를)", "`랩`을"),
        ("**랩**을(를)", "**랩**을"),
        ("myeks을(를)", "myeks을(를)"),
        ("을(를)", "을(를)"),
        ("(a)을(를)", "(a)을(를)"),
    ],
)
def test_a_particle_follows_the_last_sound(written: str, read: str) -> None:
    assert with_particles(written) == read


@given(st.text("가각간갈값힣0123456789%", min_size=1), st.sampled_from(sorted(PARTICLES)))
def test_behind_hangul_and_digits_every_particle_is_resolved(before: str, particle: str) -> None:
    assert unresolved(with_particles(before + particle)) == []


@given(st.text(), st.sampled_from(sorted(PARTICLES)))
def test_a_particle_is_the_only_thing_that_changes(before: str, particle: str) -> None:
    read = with_particles(before + particle)
    assert read == before + particle or any(read.endswith(form) for form in PARTICLES[particle])


@pytest.mark.parametrize(
    ("zone", "style", "text"),
    [
        ("Asia/Seoul", Style.LOCAL, "11월 29일(일) 오전 4:53 KST"),
        ("Asia/Seoul", Style.BOTH, "11월 29일(일) 오전 4:53 KST"),
        ("Asia/Seoul", Style.CLOCK, "오전 4:53"),
        ("Asia/Seoul", Style.SHORT, "11월 29일(일) 오전 4:53"),
        ("Asia/Seoul", Style.DAY, "2026년 11월 29일(일)"),
        ("UTC", Style.MINUTE, "2026년 11월 28일(토) 오후 7:53 UTC"),
        ("Asia/Singapore", Style.LOCAL, "11월 29일(일) 오전 3:53 UTC+8"),
        ("Asia/Kathmandu", Style.LOCAL, "11월 29일(일) 오전 1:38 UTC+5:45"),
        ("America/Argentina/Buenos_Aires", Style.LOCAL, "11월 28일(토) 오후 4:53 UTC-3"),
    ],
)
def test_an_instant_is_written_as_koreans_write_it(zone: str, style: Style, text: str) -> None:
    assert Moment(AT, zone, style).said(words_of(Language.KO)) == text


@pytest.mark.parametrize(
    ("hour", "text"), [(0, "오전 12:05"), (11, "오전 11:05"), (12, "오후 12:05"), (23, "오후 11:05")]
)
def test_noon_and_midnight_are_twelve(hour: int, text: str) -> None:
    at = datetime(2026, 11, 28, hour, 5, tzinfo=UTC)
    assert Moment(at, "UTC", Style.CLOCK).said(words_of(Language.KO)) == text


def test_a_list_needs_no_word_before_its_last_but_for_a_choice() -> None:
    parts = [Sentence("nodes"), Sentence("pods"), Sentence("volumes")]
    assert said(Listed(parts), words_of(Language.KO)) == "노드, 파드, 볼륨"
    assert said(Listed(parts, "or"), words_of(Language.KO)) == "노드, 파드 또는 볼륨"


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("한글", 4), (unicodedata.normalize("NFD", "한글"), 4), ("é", 1), ("①", 1), ("", 0)],
)
def test_a_hangul_syllable_takes_two_columns_composed_or_not(text: str, columns: int) -> None:
    assert width(text) == columns


@given(st.text("가나다 abc %", max_size=400), st.sampled_from(["", "    "]))
def test_wrapping_loses_no_word_and_no_line_is_too_wide(text: str, indent: str) -> None:
    wrapped = paragraph(text, indent)
    assert wrapped.split() == text.split()
    assert [line for line in wrapped.splitlines() if width(line) > 80 and " " in line.strip().replace(" %", "")] == []
