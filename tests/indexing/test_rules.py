"""Text in its plain form, passages of it, and how far two words are apart."""

import pytest

from app.indexing.rules import (
    PASSAGE_WORDS,
    Line,
    cut,
    cut_lines,
    distance,
    known_words,
    plain,
    words_in,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hüfte & Knie", "hufte & knie"),
        ("Straße", "straße"),
        ("Ischias\x00\x1bweg", "ischias  weg"),
        ("ПОЯСНИЦА", "поясница"),
        ("허리 통증", "허리 통증"),
        ("ﬁne İ ŉ", "ﬁne i ŉ"),
        ("\ud800x", " x"),
    ],
)
def test_plain_text_keeps_every_place(text: str, expected: str) -> None:
    assert plain(text) == expected
    assert len(plain(text)) == len(text)


def test_words_are_without_signs() -> None:
    assert words_in("Don’t: two-second (hip_flexors) 腰痛") == [
        "don't",
        "two",
        "second",
        "hip",
        "flexors",
        "腰痛",
    ]


def test_a_word_without_end_is_cut() -> None:
    assert words_in("a" * 5000) == ["a" * 40]


def test_only_words_are_offered() -> None:
    assert known_words(["The 24 hips, at h2o", "hips"]) == ["hips", "the"]


def test_short_paragraphs_stand_together_and_long_ones_are_cut() -> None:
    long = " ".join(f"Sentence {n} has six words here." for n in range(30))
    found = [piece.words for piece in cut(["A short one.", "", "Another.", long], "there")]
    assert found[0].startswith("A short one. Another.")
    assert all(len(words.split()) <= PASSAGE_WORDS for words in found)
    assert " ".join(found) == f"A short one. Another. {long}"


def test_a_sentence_without_end_is_cut_too() -> None:
    words = " ".join(["word"] * 200)
    assert [len(piece.words.split()) for piece in cut([words])] == [60, 60, 60, 20]


def test_what_is_said_keeps_the_second_of_each_line() -> None:
    lines = [Line(3 * n, f"line number {n} of them") for n in range(20)]
    first, second = list(cut_lines(lines))
    assert (first.at_s, second.at_s) == (0, 36)
    for at, second_s in first.marks:
        assert first.words[at:].startswith(f"line number {second_s // 3} ")


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [
        ("hip", "hip", 0),
        ("hpi", "hip", 1),
        ("pirifomis", "piriformis", 1),
        ("sciatca", "sciatica", 1),
        ("psaos", "psoas", 1),
        ("knee", "shin", 3),
        ("", "hip", 3),
    ],
)
def test_how_far_words_are_apart(one: str, other: str, apart: int) -> None:
    assert distance(one, other, 2) == apart
    assert distance(other, one, 2) == apart
