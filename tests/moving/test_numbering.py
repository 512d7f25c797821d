"""How lists count and how far verses are moved in comes through: HTML, Markdown, page."""

import pytest
from selectolax.lexbor import LexborHTMLParser

from app.articles.markdown import render_article, render_response
from app.moving.markdown import Converted, to_markdown


def _page(html: str) -> str:
    return render_article(to_markdown(html).text).html


@pytest.mark.parametrize(
    ("html", "counts"),
    [
        ("<ol reversed><li>Two<li>One</ol>", [{"reversed": ""}]),
        ("<ol reversed start=9><li>Nine</ol>", [{"reversed": "", "start": "9"}]),
        ("<ol type=a><li>A</ol>", [{"type": "a", "class": "lower-alpha"}]),
        ("<ol type=A start=3><li>C</ol>", [{"type": "A", "class": "upper-alpha", "start": "3"}]),
        # As the block editor writes it.
        (
            '<ol style="list-style-type:upper-roman" class="wp-block-list"><li>A</ol>',
            [{"type": "I", "class": "upper-roman"}],
        ),
        ('<ol style="list-style: lower-latin inside"><li>A</ol>', [{"type": "a", "class": "lower-alpha"}]),
        ("<ol start=-2><li>A</ol>", [{"start": "-2"}]),
        ("<ol start=0><li>A</ol>", [{"start": "0"}]),
        ("<ol start=7><li>A</ol>", [{"start": "7"}]),
        ("<ol type=1><li>A</ol>", [{}]),
        ("<ol type=x start=x><li>A</ol>", [{}]),
        ("<ol><li>A<ol type=i><li>B</ol><li>C</ol>", [{}, {"type": "i", "class": "lower-roman"}]),
        ("<ol type=a><li>A<ol><li>B</ol></ol>", [{"type": "a", "class": "lower-alpha"}, {}]),
    ],
)
def test_a_list_counts_as_it_did(html: str, counts: list[dict[str, str]]) -> None:
    lists = LexborHTMLParser(_page(html)).css("ol")
    assert [{k: v or "" for k, v in one.attributes.items()} for one in lists] == counts


def test_an_item_keeps_the_number_that_it_was_given() -> None:
    items = LexborHTMLParser(_page("<ol><li>One<li value=7>Seven<li>Eight</ol>")).css("li")
    assert [item.attributes.get("value") for item in items] == [None, "7", None]


def test_what_stands_in_such_a_list_stays() -> None:
    html = (
        '<ol type="a"><li>one <b>two</b> <a href="/x">three</a><p>four</p><ul><li>five</ul><li>six &lt;</ol>'
    )
    page = LexborHTMLParser(_page(html))
    assert page.body is not None
    assert " ".join(page.body.text(separator=" ").split()) == "one two three four five six <"
    assert page.css_first('a[href="/x"]') is not None
    assert len(page.css("ol[type=a] > li > ul > li")) == 1
    # A picture is no reason to lose it; a list of nothing is none.
    assert 'src="/a.jpg"' in _page('<ol reversed><li><img src="/a.jpg" alt="A"></ol>')
    assert to_markdown("<ol reversed><li> </li></ol>").text == ""


@pytest.mark.parametrize(
    "inner", ['<iframe src="https://x.example/"></iframe>', "<div>a</div><div>b</div>", "<dl><dt>t<dd>d</dl>"]
)
def test_what_html_cannot_say_there_counts_from_one_and_is_listed(inner: str) -> None:
    made = to_markdown(f"<ol reversed><li>A {inner}</ol>")
    assert made.text.startswith("1. A")
    assert made.dropped["ol: how it counts"] == 1


def test_a_response_has_plain_lists() -> None:
    made = to_markdown("<ol type=a><li>A</ol>", flavour="response")
    assert (made.text, made.dropped["ol: how it counts"]) == ("1. A", 1)
    assert "<li>A</li>" in render_response(made.text)


def _lines(html: str) -> list[str]:
    body = LexborHTMLParser(_page(html).replace("<br>", "").replace("<p>", "").replace("</p>", "\n")).body
    assert body is not None
    return body.text().replace("\u00a0", "·").strip("\n").split("\n")


@pytest.mark.parametrize(
    ("inside", "lines"),
    [
        ("in\n  two\n    four\nout", ["in", "··two", "····four", "out"]),
        ("  first\nsecond", ["··first", "second"]),
        ("\tone\n\t\ttwo", ["····one", "········two"]),
        ("a   b\nc d", ["a···b", "c d"]),
        ("a<br>   b", ["a", "···b"]),
        ("a\n   <em>b</em>  c", ["a", "···b··c"]),
        ("&nbsp;&nbsp;a\n&nbsp;b", ["··a", "·b"]),
        ("a  \n   \n  b", ["a", "", "··b"]),
        ("  - no list\n  1. none", ["··- no list", "··1. none"]),
    ],
)
def test_a_verse_is_moved_in_as_far_as_it_was(inside: str, lines: list[str]) -> None:
    assert _lines(f'<pre class="wp-block-verse">\n{inside}</pre>') == lines


def test_a_verse_of_the_classic_editor_keeps_its_spaces_that_must_not_break() -> None:
    assert _lines("<p>in<br />\n&nbsp; &nbsp; four<br />\n&nbsp;one<br />\nout</p>") == [
        "in",
        "····four",
        "one",
        "out",
    ]
    # An empty line of an editor is a paragraph's end, as it was.
    assert to_markdown("<p>a<br>&nbsp;&nbsp;<br>b</p>").text == "a\n\nb"


def test_what_an_editor_moved_in_as_a_whole_is_listed() -> None:
    made: Converted = to_markdown('<p style="padding-left: 40px;">in</p><p style="padding-left: 0">out</p>')
    assert made.aligned == 1
