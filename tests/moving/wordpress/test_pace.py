"""However odd a text is, reading it takes time in step with its length: an import must not stand before one article."""

import time

import pytest

from app.moving.wordpress import content, records, wxr
from app.moving.wordpress.shown import Attached

N = 32_000
# Each takes well under a second; those that looked at the rest of the text from each place took minutes.
MOST_CPU_S = 8.0
TEXTS = {
    "comments that nobody closes": "<!--" * N,
    "blocks whose braces nobody closes": '<!-- wp:x {"a":1} ' * N,
    "braces in a block": "<!-- wp:x {" + "} " * N,
    "classic blocks that nobody closes": '<!-- wp:freeform {"a":1} -->x' * N,
    "breaks that nobody closes": "<!--more" * N,
    "code that nobody closes": "[code]x" * N,
    "codes within codes": "[code " * N,
    "galleries that nobody closes": '[gallery ids="1"]' * N,
    "one end for many": "[gallery]" * N + "[/gallery]",
    "quotes in shortcodes": '[a "' * N,
    "preformatted words that nobody closes": "<pre>x" * N,
    "scripts that nobody closes": "<script>" * N,
    "signs of tags": "<" * N,
}


class Nothing:
    def attached(self, post_id: str) -> Attached | None:
        return None

    def attached_to(self, post_id: str) -> list[str]:
        return []

    def reusable(self, post_id: str) -> str | None:
        return None


@pytest.mark.parametrize("kind", TEXTS)
def test_an_odd_text_is_read_in_step_with_its_length(kind: str) -> None:
    began = time.process_time()
    content.read(TEXTS[kind], Nothing(), "1", {}).to_markdown()
    assert time.process_time() - began < MOST_CPU_S


@pytest.mark.parametrize(
    "inner",
    ["<a><![CDATA[x]]>" * N, "<a><![CDATA[x" * N, "<" + "a" * N, "<a><![CDATA[&]]></a>" * N],
    ids=["ends of others", "no end", "a name", "whole ones"],
)
def test_an_odd_record_is_mended_in_step_with_its_length(inner: str) -> None:
    began = time.process_time()
    with pytest.raises(records.Unreadable):
        records.parse(records.Record("item", f"<item>{inner}&</item", 0))
    assert time.process_time() - began < MOST_CPU_S


def test_an_odd_title_is_plain_in_step_with_its_length() -> None:
    began = time.process_time()
    assert wxr.plain("<" * 3 * N) == "<" * 3 * N
    assert time.process_time() - began < MOST_CPU_S


@pytest.mark.parametrize("tag", ["b", "em", "span", "a", "sup"])
def test_words_that_nest_without_end_are_read(tag: str) -> None:
    made = content.read(f"<{tag}>" * 3000 + "deep", Nothing(), "1", {}).to_markdown()
    assert "deep" in made.text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<!-- wp:freeform -->a\n\nb<!-- /wp:freeform -->", "a\n\nb"),
        ("<!-- wp:freeform -->a\n\nb", "a b"),
        ("a<!-- never closed [gallery]", "a"),
        ("<pre>a\n\nb", "```\na\n\nb\n```"),
        ("[code]a[php]b[/php][/code]", "```\na[php]b[/php]\n```"),
        ("[CODE lang=js]a[/Code]", "```js\na\n```"),
    ],
)
def test_what_nobody_closes_goes_on_to_the_end(text: str, said: str) -> None:
    assert content.read(text, Nothing(), "1", {}).to_markdown().text == said
