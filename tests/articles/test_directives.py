"""Lines that stand for cards: rendered to places that survive sanitising, and found again."""

import pytest

from app.articles.directives import Part, parts, without_places
from app.articles.markdown import render_article

LESSON = '<div class="lesson-here" data-card="lower-body/deep-rotators"></div>'


def names(text: str) -> list[tuple[str, str]]:
    return [(part.kind, part.name) for part in parts(render_article(text).html) if part.kind]


def test_a_line_is_a_place_between_the_blocks_around_it() -> None:
    html = render_article("Before.\n\n::lesson lower-body/deep-rotators\n\nAfter.").html
    assert html == f"<p>Before.</p>\n{LESSON}\n<p>After.</p>\n"
    assert parts(html) == [
        Part("<p>Before.</p>\n"),
        Part("", "lesson", "lower-body/deep-rotators"),
        Part("\n<p>After.</p>\n"),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("::lesson a/b", [("lesson", "a/b")]),
        ("::topic neck", [("topic", "neck")]),
        ("Words\n::topic neck\nmore", [("topic", "neck")]),  # without empty lines too
        ("::lesson a/b\n::topic neck  \n", [("lesson", "a/b"), ("topic", "neck")]),
        ("::: lesson\n:::", [("lesson", "")]),  # the article's own
        ("# Title\n::lesson a/b", [("lesson", "a/b")]),
        # What stays words, so that the author sees it.
        ("::lesson a", []),
        ("::lesson a/b/c", []),
        ("::lesson A/B", []),
        ("::lesson a/b please", []),
        ("::clip x", []),
        ("::lessons a/b", []),
        ("    ::lesson a/b", []),
        ("```\n::lesson a/b\n```", []),
        ("> ::lesson a/b", []),
        ("- ::lesson a/b", []),
        ("::: note\n::lesson a/b\n:::", []),
        ("In a line ::lesson a/b", []),
        # HTML of somebody's own around it: cut there, each half would be broken.
        ("<aside>\n\n::lesson a/b\n\n</aside>", []),
        ("<aside>\n\nx\n\n</aside>\n\n::lesson a/b", [("lesson", "a/b")]),
        ("Line<br>\n![A > b](/pictures/x.jpg)\n\n::lesson a/b", [("lesson", "a/b")]),
    ],
)
def test_which_lines_are_places(text: str, found: list[tuple[str, str]]) -> None:
    assert names(text) == found


def test_nothing_is_lost_between_the_places() -> None:
    text = "One *two*.\n\n::topic neck\n\n> Three\n\n::lesson a/b\n\n- four\n"
    html = render_article(text).html
    joined = "".join(part.html for part in parts(html))
    assert joined == without_places(html)
    assert "topic-here" not in joined
    assert parts("") == []


def test_a_place_that_somebody_forges_names_nothing_but_slugs() -> None:
    forged = '<div class="lesson-here" data-card="a/b&quot; onclick=&quot;x"></div>'
    assert names(forged) == []
    assert names('<div class="lesson-here evil" data-card="a/b" style="x" onclick="y"></div>') == [
        ("lesson", "a/b")
    ]
