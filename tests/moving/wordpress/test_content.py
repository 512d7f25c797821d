"""The dialects in which WordPress keeps texts: classic, blocks, shortcodes, and what plugins leave behind."""

import pytest

from app.moving.wordpress import content
from app.moving.wordpress.shortcodes import attributes
from app.moving.wordpress.shown import Attached


class Library:
    """Three pictures, one reusable block."""

    def attached(self, post_id: str) -> Attached | None:
        if post_id not in ("1", "2", "3"):
            return None
        return Attached(
            f"https://x.org/{post_id}.jpg", f"alt {post_id}", f"Caption {post_id}", f"Title {post_id}"
        )

    def attached_to(self, post_id: str) -> list[str]:
        return ["2", "3"]

    def reusable(self, post_id: str) -> str | None:
        return "<!-- wp:paragraph --><p>Again</p><!-- /wp:paragraph -->" if post_id == "5" else None


def read(text: str, **meta: str) -> content.Document:
    return content.read(text, Library(), "9", meta)


def markdown(text: str, **meta: str) -> str:
    return read(text, **meta).to_markdown().text


FIGURE_1 = '![alt 1](https://x.org/1.jpg "Caption 1")'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # Classic: empty lines are paragraphs, single ones breaks.
        ("one\ntwo\n\nthree", "one\\\ntwo\n\nthree"),
        ("<b>one\n\ntwo</b>", "**one**\n\n**two**"),
        ("<ul>\n \t<li>a</li>\n \t<li>b\n\nc</li>\n</ul>\nafter", "- a\n\n- b\n\n  c\n\nafter"),
        ("a<br />\nb<br /><br />c", "a\\\nb\n\nc"),
        ("<pre>a\n\n b</pre>\n\nc", "```\na\n\n b\n```\n\nc"),
        ("<blockquote>a\n\nb</blockquote>", "> a\n>\n> b"),
        ("<h2>A</h2>\nb", "## A\n\nb"),
        ('<a\nhref="/x">y</a>', "[y](/x)"),
        ("a\n\n<!--more Read on-->\n\nb<!--nextpage-->c", "a\n\nb\n\n---\n\nc"),
        ("https://youtu.be/x\nwords", "<https://youtu.be/x>\n\nwords"),
        # A picture beside which words flowed; what came out of Word; links around whole cards; empty lines.
        ('<img class="alignright" src="/a.jpg" alt="A">One\ntwo', "![A](/a.jpg)\n\nOne\\\ntwo"),
        ('a <img src="/i.png" width="16" alt="I"> b', "a ![I](/i.png) b"),
        ('<p>In <st1:city w:st="on">Rome</st1:city> now.<o:p></o:p></p>', "In Rome now."),
        ('<a href="/b"><div><h3>A</h3><p>c</p></div></a>', "### [A](/b)\n\nc"),
        ('<a href="/b"><div><img src="/a.jpg" alt="A"></div></a>', "[![A](/a.jpg)](/b)"),
        ("a\n&nbsp;\n\n&nbsp;\n\nb", "a\n\nb"),
        # Embeds by number; what cannot be told stays visible.
        ("[dailymotion id=x8o]", "<https://www.dailymotion.com/video/x8o>"),
        ("[slideshare id=88&doc=a&w=5]", "<https://www.slideshare.net/slideshow/embed_code/88>"),
        ("[bandcamp album=4]", r"\[bandcamp album=4\]"),
        ('[gallery ids="98,99"]', r'\[gallery ids="98,99"\]'),
        ("[audio]", r"\[audio\]"),
        # Shortcodes.
        (
            '[caption id="attachment_1" width="300"]<a href="/b"><img src="/a.jpg" alt="A" /></a> C[/caption]',
            '<figure><a href="/b"><img src="/a.jpg" alt="A"></a><figcaption>C</figcaption></figure>',
        ),
        ('[caption caption="Old \'way\'"]<img src="/a.jpg" alt="A">[/caption]', "![A](/a.jpg \"Old 'way'\")"),
        ('[gallery ids="1,99"]', FIGURE_1),
        (
            "[gallery exclude=3]",
            '![alt 2](https://x.org/2.jpg "Caption 2")',
        ),
        ("[embed width=1]https://vimeo.com/1[/embed]", "<https://vimeo.com/1>"),
        ("[youtube=http://www.youtube.com/watch?v=a&amp;w=1]", "<http://www.youtube.com/watch?v=a&w=1>"),
        ('[youtube id="abc"]', "<https://www.youtube.com/watch?v=abc>"),
        ('[audio mp3="https://x.org/a.mp3"][/audio]', "<https://x.org/a.mp3>"),
        ('[playlist ids="1"]', "[Title 1](https://x.org/1.jpg)"),
        ("[code lang=\"php\"]\n$a[b] = '<i>';\n\nx();\n[/code]", "```php\n$a[b] = '<i>';\n\nx();\n```"),
        ("a[ref]Note <i>b</i>[/ref] c[footnote]D[/footnote]", "a[^1] c[^2]\n\n[^1]: Note *b*\n\n[^2]: D"),
        ("[vc_row][vc_column width='1/2'][vc_column_text]a[/vc_column_text][/vc_column][/vc_row]", "a"),
        (
            '[contact-form to="a@b.c"][contact-field label="Name" /][/contact-form]',
            "[Send me an email](/contact)",
        ),
        ('[button link="/x"]Go[/button]', "[Go](/x)"),
        (
            "[[gallery]] and [unknown a='b']in[/unknown] [sic]",
            r"\[gallery\] and \[unknown a='b'\]in\[/unknown\] \[sic\]",
        ),
        # Footnotes by hand, as Word and Jetpack leave them.
        (
            'a<sup id="r1"><a href="#f1">1</a></sup>\n\n<ol><li id="f1">Note <a href="#r1">up</a></li></ol>',
            "a[^1]\n\n[^1]: Note",
        ),
        ('<a href="#b">x</a> <a href="#zz">y</a>\n<h2 id="b">Bé c</h2>', "[x](#be-c) y\n\n## Bé c"),
        # Late loading, and smaller twins.
        (
            '<img src="data:x" data-src="/a.jpg" alt="A"><noscript><img src="/a.jpg"></noscript>',
            "![A](/a.jpg)",
        ),
    ],
)
def test_classic_texts(text: str, shown: str) -> None:
    assert markdown(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('<!-- wp:block {"ref":5} /-->', "Again"),
        ("<!-- wp:freeform -->\na\n\nb\n<!-- /wp:freeform -->", "a\n\nb"),
        (
            '<!-- wp:gallery {"ids":[1]} --><figure class="wp-block-gallery"><ul class="blocks-gallery-grid">'
            '<li class="blocks-gallery-item"><figure><img src="/a.jpg" alt="A"/><figcaption>C</figcaption></figure>'
            "</li>"
            '</ul><figcaption class="blocks-gallery-caption">All</figcaption></figure><!-- /wp:gallery -->',
            '![A](/a.jpg "C")\n\n*All*',
        ),
        (
            '<!-- wp:embed {"url":"https://youtu.be/x"} --><figure class="wp-block-embed">'
            '<div class="wp-block-embed__wrapper">\nhttps://youtu.be/x\n</div></figure><!-- /wp:embed -->',
            "<https://youtu.be/x>",
        ),
        (
            '<!-- wp:file --><div class="wp-block-file"><a href="/f.pdf">Sheet</a>'
            '<a href="/f.pdf" class="wp-block-file__button" download>Download</a></div><!-- /wp:file -->',
            "[Sheet](/f.pdf)",
        ),
        (
            "<!-- wp:pullquote --><figure class='wp-block-pullquote'><blockquote><p>a</p><cite>b</cite></blockquote>"
            "</figure><!-- /wp:pullquote -->",
            "::: pull\na\n\n*b*\n:::",
        ),
        ("<!-- wp:verse --><pre class='wp-block-verse'>a\nb</pre><!-- /wp:verse -->", "a\\\nb"),
        ("<!-- wp:shortcode -->\nhttps://v.org/x\n<!-- /wp:shortcode -->", "<https://v.org/x>"),
        # What is only in a block's settings, or behind its words.
        (
            '<!-- wp:social-links --><ul><!-- wp:social-link {"url":"https://x.org/eva","service":"mastodon"} /-->'
            "</ul><!-- /wp:social-links -->",
            "- [Mastodon](https://x.org/eva)",
        ),
        ('<!-- wp:embed {"url":"https://youtu.be/x"} /-->', "<https://youtu.be/x>"),
        (
            '<!-- wp:cover --><div class="wp-block-cover" style="background-image:url(/a.jpg)"><p>a</p></div>'
            "<!-- /wp:cover -->",
            "![](/a.jpg)\n\na",
        ),
        (
            "<!-- wp:query --><div><!-- wp:query-no-results --><p>None</p><!-- /wp:query-no-results --></div>"
            "<!-- /wp:query -->a",
            "a",
        ),
        ("<!-- wp:query-no-results --><p>a</p>b", "a\n\nb"),
        (
            "<!-- wp:accordion-heading --><h3><button>A<span class='wp-block-accordion-heading__toggle-icon'>+</span>"
            "</button></h3><!-- /wp:accordion-heading -->",
            "### A",
        ),
        (
            '<!-- wp:math --><math><mi>x</mi><annotation encoding="application/x-tex">x^2</annotation></math>'
            "<!-- /wp:math -->",
            "`x^2`",
        ),
        (
            '<!-- wp:videopress/video --><figure><div class="jetpack-videopress-player__wrapper">\nhttps://v.org/x\n'
            "</div></figure><!-- /wp:videopress/video -->",
            "<https://v.org/x>",
        ),
        (
            "<!-- wp:details --><details><summary>S</summary><p>b</p></details><!-- /wp:details -->",
            "**S**\n\nb",
        ),
    ],
)
def test_texts_of_the_block_editor(text: str, shown: str) -> None:
    assert markdown(text) == shown


def test_footnotes_of_the_block_editor_have_their_words_in_a_field() -> None:
    mark = '<sup data-fn="u" class="fn"><a href="#u" id="u-link">1</a></sup>'
    text = f"<!-- wp:paragraph --><p>a{mark}</p><!-- /wp:paragraph -->"
    assert markdown(text, footnotes='[{"id":"u","content":"N <b>b</b>"}]') == "a[^1]\n\n[^1]: N **b**"
    assert "[^" not in markdown(text, footnotes="not json")
    assert "[^" not in markdown(text, footnotes='{"id": 1}')


def test_pictures_that_the_file_does_not_have_are_told() -> None:
    """An export of posts only has galleries and none of their pictures."""
    found = read('[gallery ids="1,98"] [gallery ids="99"]').found
    assert found.lacking == ["98", "99"]
    assert (found.shortcodes, found.unknown_shortcodes) == ({"gallery": 1}, {"gallery": 1})


def test_words_among_a_plugins_settings_are_told() -> None:
    settings = (
        '{"data":{"quote":"My hip is <b>well</b> again","_quote":"field_5f ab cd","color":"light blue"}}'
    )
    found = read(f"<!-- wp:acf/voice {settings} /-->").found
    assert found.unsaid == [("acf/voice", "My hip is well again")]
    assert found.empty_blocks == {"acf/voice": 1}


def test_everything_found_is_counted_once() -> None:
    found = read(
        "<!-- wp:paragraph --><p>[gallery ids='1'] [x]</p><!-- /wp:paragraph -->"
        '<!-- wp:acme/box {"a":{"b":[1]}} --><div>b</div><!-- /wp:acme/box --><!-- wp:latest-posts /-->'
        "<!-- wp:shortcode -->[caption]<img src='/a.jpg'> [y][/caption]<!-- /wp:shortcode -->[code][z][/code]"
    ).found
    assert found.shortcodes == {"gallery": 1, "caption": 1, "code": 1}
    assert found.unknown_shortcodes == {"x": 1, "y": 1}
    assert found.shortcodes_seen == 5
    assert found.blocks == {"paragraph": 1, "shortcode": 1}
    assert found.foreign_blocks == {"acme/box": 1}
    assert found.empty_blocks == {"latest-posts": 1}
    assert found.blocks_seen == 4


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see http://x.org/a_b.\nBye", "see <http://x.org/a_b>.\nBye"),
        ('<a href="javascript:x">a</a> <a href="http://b.c" rel="nofollow">http://b.c</a>', "a <http://b.c>"),
        ("<blockquote>q</blockquote>\n\n<code>a &lt; b</code>", "> q\n\n`a < b`"),
        ("1 &lt; 2 &amp; *not*", r"1 \< 2 & \*not\*"),
        ("", ""),
    ],
)
def test_comments_have_paragraphs_and_their_addresses_are_links(text: str, shown: str) -> None:
    assert content.read_comment(text).text == shown


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (' a="b c" d=\'e\' f=g "h" i', {"a": "b c", "d": "e", "f": "g", "0": "h", "1": "i"}),
        ("=http://x", {"0": "http://x"}),
        (" a=&#8221;b&#8221;", {"a": "b"}),
        ("", {}),
    ],
)
def test_attributes_are_read_as_people_write_them(text: str, found: dict[str, str]) -> None:
    assert attributes(text) == found
