"""What changed between two texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.articles.differences import AROUND, Piece, differences


@pytest.mark.parametrize(
    ("before", "after", "pieces"),
    [
        ("One.\n", "One.\n", []),
        ("", "One.", [Piece("added", "One.")]),
        (
            "One two.",
            "One three.",
            [Piece("same", "One "), Piece("removed", "two."), Piece("added", "three.")],
        ),
        ("a\nb\n", "a\n", [Piece("same", "a\n"), Piece("removed", "b\n")]),
    ],
)
def test_words_that_came_and_went_are_told_apart(before: str, after: str, pieces: list[Piece]) -> None:
    assert differences(before, after) == pieces


def test_what_did_not_change_is_passed_over_but_for_the_lines_around() -> None:
    lines = [f"Line {number}.\n" for number in range(40)]
    changed = [*lines[:20], "Another.\n", *lines[21:]]
    kinds = [piece.kind for piece in differences("".join(lines), "".join(changed))]
    assert kinds[0] == kinds[-1] == "skipped"
    shown = "".join(
        piece.text for piece in differences("".join(lines), "".join(changed)) if piece.kind == "same"
    )
    assert shown.count("\n") >= 2 * AROUND
    assert "Line 2." not in shown


words = st.text(alphabet="ab \n.", max_size=60)


@given(words, words)
def test_taken_together_the_pieces_are_both_texts(before: str, after: str) -> None:
    pieces = differences(before, after)
    if any(piece.kind == "skipped" for piece in pieces) or before == after:
        return
    assert "".join(piece.text for piece in pieces if piece.kind != "added") == before
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == after
