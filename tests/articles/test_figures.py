"""Figures in a page: the sizes to choose from, colours until one is there, and words for those who cannot see it."""

import re

import pytest

from app.articles import figures
from app.articles.markdown import plain_text, render_article, undescribed
from app.articles.rules import ArticleDraft, PictureDraft, check_article, check_picture, with_line

HEX = "0123456789abcdef" * 2
WIDE = f"{HEX}-2048x1024-{'wRgR' * 6}.jpg"
SMALL = f"{HEX}-300x200.png"


@pytest.mark.parametrize(
    ("name", "widths"),
    [
        (WIDE, (400, 800, 1200, 1600)),
        (f"{HEX}-1600x900.jpg", (400, 800, 1200, 1600)),
        (f"{HEX}-1250x900.webp", (400, 800, 1250)),
        (f"{HEX}-810x900.png", (400, 810)),
        (SMALL, (300,)),
        (f"{HEX}-900x900.gif", ()),
        ("elsewhere.jpg", ()),
    ],
)
def test_widths_rise_to_the_pictures_own(name: str, widths: tuple[int, ...]) -> None:
    assert figures.widths_of(name) == widths


def test_a_figure_has_its_sizes_its_place_and_its_caption() -> None:
    html = render_article(f'![A knee "bent" > 90°](/pictures/{WIDE} "Slowly & well")').html
    assert html.startswith('<figure><span class="shot"><img class="glance" src="data:image/bmp;base64,')
    assert f'<source type="image/avif" srcset="/pictures/{WIDE}/400.avif 400w, ' in html
    assert f"/pictures/{WIDE}/1600.webp 1600w" in html
    assert html.index("image/avif") < html.index("image/webp") < html.index(f"/pictures/{WIDE}/1200.jpg")
    assert html.count('sizes="') == 2
    assert 'width="2048" height="1024" fetchpriority="high"' in html
    assert "<figcaption>Slowly &amp; well</figcaption></figure>" in html
    assert "style=" not in html
    assert figures.pictures_in(html) == [(f"/pictures/{WIDE}", 'A knee "bent" > 90°')]
    assert plain_text(html) == "Slowly & well"


def test_all_but_the_first_wait_until_they_are_near() -> None:
    html = render_article(
        f"![one](/pictures/{WIDE})\n\n![two](/pictures/{SMALL})\n\n![three](/pictures/{WIDE})"
    ).html
    assert [("lazy" in tag) for tag in re.findall(r"<img (?!class)[^>]*>", html)] == [False, True, True]


def test_what_only_decorates_is_silent() -> None:
    html = render_article(f"![Decorative](/pictures/{SMALL})").html
    assert 'alt=""' in html
    assert "ecorative" not in html


def test_a_picture_from_elsewhere_stays_one() -> None:
    html = render_article("![x](https://other.example/x.jpg)").html
    assert "<picture" not in html
    assert 'src="https://other.example/x.jpg" alt="x"' in html


def test_readers_elsewhere_get_no_colours() -> None:
    written = render_article(f"![x](/pictures/{WIDE})\n\n[a](/b) [c](//d) [e](#f)").html
    html = figures.for_readers_elsewhere(written, "https://limber.test", "https://limber.test/articles/x")
    assert "data:" not in html
    assert f'src="https://limber.test/pictures/{WIDE}/1200.jpg"' in html
    assert 'href="https://limber.test/b"' in html
    assert 'href="//d"' in html
    assert 'href="https://limber.test/articles/x#f"' in html


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        (f"![A knee](/pictures/{SMALL})", []),
        (f"![decorative](/pictures/{SMALL})", []),
        (f"Words.\n\n![](/pictures/{SMALL})", [3]),
        ("One\n![ ](/a.png)\n![](/b.png)", [2, 3]),
        ("- a\n- ![](/x.png)", [2]),
        (
            "<div>\n\n<img src=/x.png>\n<img alt='a knee' src=/y.png>\n<img src=/z.png alt=\"\">\n</div>",
            [3, 5],
        ),
        ("Words <img src=/x.png> more", [1]),
        ("Words <img src=/x.png alt=knee> more", []),
        ("`![](/x.png)`\n\n```\n![](/x.png)\n```", []),
    ],
)
def test_pictures_without_words_are_found_by_their_lines(text: str, lines: list[int]) -> None:
    assert undescribed(text) == lines


def test_an_article_with_a_silent_figure_is_refused_in_one_sentence() -> None:
    errors = check_article(ArticleDraft(title="Hips", body_md="Words.\n\n![](/x.png)"), publishing=False)
    assert list(errors) == ["body_md"]
    assert errors["body_md"].startswith("Please say what the picture in line 3 shows")
    assert check_article(ArticleDraft(title="Hips", body_md="![decorative](/x.png)"), publishing=False) == {}


def test_beside_a_picture_stand_words_or_the_mark_that_it_decorates() -> None:
    assert list(check_picture(PictureDraft())) == ["picture_alt"]
    assert check_picture(PictureDraft(is_decorative=True)) == {}
    assert check_picture(PictureDraft("A knee", caption="x" * 500)) == {}
    assert list(check_picture(PictureDraft("x" * 301, caption="x" * 501))) == [
        "picture_alt",
        "picture_caption",
    ]


@pytest.mark.parametrize(
    "words", ["A [knee] bent", 'The "best" \\ way', "a\nb", "](javascript:alert(1))", '" onerror="x']
)
def test_what_was_typed_beside_a_picture_comes_out_as_it_was(words: str) -> None:
    html = render_article(figures.line(words, f"/pictures/{SMALL}", words)).html
    assert figures.pictures_in(html) == [(f"/pictures/{SMALL}", " ".join(words.split()))]
    assert plain_text(html) == " ".join(words.split())


def test_a_line_becomes_a_paragraph_of_its_own() -> None:
    assert with_line("", "![x](/y)") == "![x](/y)\n"
    assert with_line("Words.\n\n\n", "![x](/y)") == "Words.\n\n![x](/y)\n"


def test_other_sites_are_shown_a_plain_picture() -> None:
    assert figures.preview_of(f"/pictures/{WIDE}") == (f"/pictures/{WIDE}/1200.jpg", 1200, 600)
    assert figures.preview_of(f"/pictures/{SMALL}") == (f"/pictures/{SMALL}", 300, 200)
    assert figures.preview_of("/elsewhere.jpg") is None
