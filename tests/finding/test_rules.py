"""A question as a query, an excerpt with its marks, and what a muscle or condition needs."""

import pytest

from app.finding import figure, regions
from app.finding.regions import REGIONS
from app.finding.rules import (
    ASKED_WORDS,
    Part,
    TermDraft,
    asked_words,
    check_term,
    first_hit,
    parts,
    second_of,
    shortened,
    tsquery,
)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("  Hip   FLEXORS hip ", ("hip", "flexors")),
        ("hip & !(knee | ':*') <-> \\", ("hip", "knee")),
        ("'; DROP TABLE article; --", ("drop", "table", "article")),
        ("\x00\x1b%_", ()),
        ("ischias Übung", ("ischias", "ubung")),
    ],
)
def test_what_is_asked_is_words_and_nothing_else(asked: str, words: tuple[str, ...]) -> None:
    assert asked_words(asked) == words


def test_a_question_without_end_is_cut() -> None:
    assert len(asked_words("word " * 5000)) == 1
    assert len(asked_words(" ".join(f"w{n}" for n in range(500)))) == ASKED_WORDS


def test_a_query_quotes_whatever_is_in_a_lexeme() -> None:
    assert tsquery([[["it's", "a\\b"]], [["hip"], ["hips"]]]) == "('it''s' & 'a\\\\b') & ('hip' | 'hips')"
    assert tsquery([[["hip"]], []], mark="^", any_word=True) == "('^hip')"


def test_marks_are_cut_out_of_the_words() -> None:
    found = parts("The Hüfte hurts", "the \x02hufte\x03 hurts")
    assert found == (Part("The "), Part("Hüfte", True), Part(" hurts"))
    assert first_hit(found) == 4


def test_a_headline_that_does_not_fit_marks_nothing() -> None:
    assert parts("one two", "\x02one\x03 two three") == (Part("one two"),)


def test_an_excerpt_is_about_two_lines_around_the_first_hit() -> None:
    words = " ".join(f"word{n}" for n in range(100))
    at = words.index("word60")
    found = shortened(parts(words, words.replace("word60", "\x02word60\x03", 1)))
    text = "".join(part.words for part in found)
    assert text.startswith("… word")
    assert text.endswith(" …")
    assert "word60" in text
    assert len(text) < 240 < at
    assert Part("word60", True) in found


def test_the_second_is_that_of_the_line() -> None:
    marks = [[0, 12], [20, 15], [44, 19]]
    assert [second_of(marks, at) for at in (0, 19, 20, 43, 44, 900)] == [12, 12, 15, 15, 19, 19]
    assert second_of([], 3) is None


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (TermDraft(name=""), "name"),
        (TermDraft(name="x" * 121), "name"),
        (TermDraft(name="x", kind="bone"), "kind"),
        (TermDraft(name="x", slug="A b"), "slug"),
        (TermDraft(name="x", synonyms="y" * 121), "synonyms"),
        (TermDraft(name="x", summary="y" * 321), "summary"),
    ],
)
def test_each_fault_of_a_muscle_stands_beside_its_field(draft: TermDraft, field: str) -> None:
    assert list(check_term(draft)) == [field]


def test_every_region_is_drawn_on_its_sides_and_has_a_name_there() -> None:
    for drawn in figure.FIGURES:
        keys = [shape.key for shape in drawn.shapes]
        assert keys == [key for key, region in REGIONS.items() if drawn.side in region.sides]
        assert all(shape.path.startswith("M") and shape.label for shape in drawn.shapes)


def test_unknown_regions_are_left_out() -> None:
    assert regions.known(["knee", "moon", "head"]) == ("head", "knee")
