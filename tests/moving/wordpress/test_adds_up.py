"""Whatever is in an export: nothing is dropped silently, the report adds up to the file, and a second run is calm."""

import random
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app import db
from app.moving.wordpress import wxr
from app.practice.models import Practice
from tests.moving.wordpress.exports import Comment as Said
from tests.moving.wordpress.exports import Export, Item, picture
from tests.moving.wordpress.running import articles, responses, run

pytestmark = pytest.mark.usefixtures("database")

BODIES = (
    '[gallery ids="{p},{q}" columns="3"] [gallery ids="{p},999999"]',
    '<!-- wp:gallery {{"ids":[{p}]}} --><figure class="wp-block-gallery"><!-- wp:gallery {{"ids":[{q}]}} -->'
    '<figure><img src="https://old.example.com/wp-content/uploads/2019/05/{p}.jpg" alt=""></figure>'
    "<!-- /wp:gallery --></figure><!-- /wp:gallery -->",
    "[gallery][gallery ids='{p}'][/gallery][/gallery]",
    '[su_box title="A [b] \\"c\\""]Inside [wpforms id="5"] and [[escaped]][/su_box] [unclosed attr=',
    '<!-- wp:yoast/faq-block {{"questions":[{{"id":"x","jsonQuestion":"Why --> not?"}}]}} --><p>Why</p>'
    "<!-- /wp:yoast/faq-block --><!-- wp:plugin/dynamic /--><!-- wp:broken {{nojson}} -->x<!-- /wp:other -->",
    '<!-- wp:columns --><!-- wp:column --><!-- wp:acf/hero {{"data":{{"t":"]]>"}}}} /--><!-- /wp:column -->'
    "<!-- /wp:columns --> ]]> and ]]]]> too",
    "Control \x0b\x08 characters \ufffe and a lone &nbsp; &bogus; & more",
    '<p><img src="/wp-content/uploads/missing.jpg"><img><img src=""><a href="https://old.example.com/?p={p}">x</a>'
    '<a href="//old.example.com/nowhere/">y</a><a>z</a><a href="mailto:a@b.example">m</a></p>',
    "[embed]https://www.youtube.com/watch?v=abc[/embed]\n\nhttps://vimeo.com/1\n\n[caption id='attachment_{p}']"
    '<img src="https://old.example.com/wp-content/uploads/2019/05/{p}.jpg"> A [caption] in a caption[/caption]',
    "",
)
SLUGS = (
    "",
    "%e3%82%b9%e3%83%88%e3%83%ac%e3%83%83%e3%83%81",
    "x" * 300,
    "боль-в-бедре",
    "a/b",
    "..",
    "hip-pain",
    "feed",
)
KINDS = (
    "post",
    "post",
    "post",
    "page",
    "product",
    "nav_menu_item",
    "wp_block",
    "revision",
    "wp_global_styles",
    "топик",
)
STATUSES = (
    "publish",
    "publish",
    "draft",
    "pending",
    "future",
    "private",
    "trash",
    "auto-draft",
    "inherit",
    "acf-disabled",
)
TAXONOMIES = ("category", "post_tag", "post_format", "series", "nav_menu")


FIELDS = ("_thumbnail_id", "_edit_last", "_yoast_wpseo_metadesc", "", "x" * 500)


def menu_line(dice: random.Random, size: int) -> list[tuple[str, str]]:
    """What a menu's line leads to, or does not."""
    return [
        ("_menu_item_type", dice.choice(("post_type", "custom", "taxonomy", "post_type_archive", ""))),
        ("_menu_item_object", dice.choice(("page", "category", "post_tag", "post", ""))),
        ("_menu_item_object_id", str(dice.randint(0, size))),
        ("_menu_item_menu_item_parent", str(dice.randint(0, size))),
        (
            "_menu_item_url",
            dice.choice(("", "#", "/hip-pain/", "javascript:x", "https://a.example/", "tel:+1")),
        ),
    ]


def export(seed: int, size: int) -> Export:
    """An export of everything odd at once; the same one for each seed."""
    dice = random.Random(seed)
    items: list[Item] = []
    number = 0
    for n in range(1, size + 1):
        if dice.random() < 0.2:
            items.append(
                picture(n, dice.choice((f"2019/05/{n}.jpg", f"2019/05/{n - 1}.jpg", "сад/hüfte.png")))
            )
            continue
        said = []
        for _n in range(dice.choice((0, 0, 1, 4))):
            number += 1
            said.append(
                Said(
                    dice.choice((number, number, max(1, number - 1))),
                    dice.choice(("Thanks ]]> a lot", "", "[gallery] here", "<b>x")),
                    parent=dice.choice((0, number - 1, number, number + 1, 10**9, -5)),
                    name=dice.choice(("Ann", "", "x" * 300, "Зоя")),
                    email=dice.choice(("ann@example.com", "", "no address", "a@b\x0b.example")),
                    approved=dice.choice(("1", "0", "spam", "trash", "post-trashed", "odd")),
                    kind=dice.choice(
                        ("comment", "comment", "", "pingback", "trackback", "review", "order_note")
                    ),
                    at=dice.choice(("2019-05-04 10:20:30", "0000-00-00 00:00:00", "soon")),
                )
            )
        kind = dice.choice(KINDS)
        body = dice.choice(BODIES).format(p=dice.randint(1, size), q=dice.randint(1, size))
        items.append(
            Item(
                # Some share their number, and so their GUID, with the one before.
                n - (dice.random() < 0.1), f"Title {n} <b>&", body=body, kind=kind,
                status=dice.choice(STATUSES), slug=dice.choice(SLUGS), parent=dice.choice((0, 1, n, 10**9)),
                creator=dice.choice(("eva", "nobody", "")), password=dice.choice(("", "", "secret")),
                sticky=dice.choice((0, 1)), comments=said, meta_first=dice.random() < 0.5,
                terms=[(dice.choice(TAXONOMIES), dice.choice(("a", "б", "")), dice.choice(("A", "Б", "")))],
                meta=menu_line(dice, size) if kind == "nav_menu_item" else [(dice.choice(FIELDS), str(n))],
                gmt=dice.choice(("2019-05-04 10:20:30", "0000-00-00 00:00:00", "2999-01-01 00:00:00")),
                raw=dice.choice(("", "", "\n<wp:odd>1</wp:odd>", "\n<dc:language>en</dc:language>")),
            )
        )  # fmt: skip
    terms = [(kind, slug, slug.upper()) for kind in TAXONOMIES for slug in ("a", "б")]
    return Export(
        items=items, terms=[*terms, terms[0]], authors=[(1, "eva", "", "Eva"), (1, "eva", "", "Eva")]
    )


async def links() -> dict[str, Any] | None:
    async with db.transaction() as session:
        return await session.scalar(select(Practice.navigation))


def in_file(text: str, element: str) -> int:
    return len(re.findall(rf"<{element}>", text))


async def adds_up(seed: int, size: int, folder: Path) -> None:
    made = export(seed, size)
    path = made.write(folder)
    text = path.read_text(encoding="utf-8")
    dry = await run(path, is_dry=True)
    assert (await articles(), await responses(), await links()) == ({}, [], None)
    told = await run(path)
    assert (dry.differing, told.differing) == ([], []), told.text
    counted = dict(
        re.findall(
            r"^(Items|Comments|Authors|Fields of items \(postmeta\)): ([\d,]+)$", told.text, re.MULTILINE
        )
    )
    assert {name: int(n.replace(",", "")) for name, n in counted.items()} == {
        "Items": in_file(text, "item"),
        "Comments": in_file(text, "wp:comment"),
        "Authors": in_file(text, "wp:author"),
        "Fields of items (postmeta)": in_file(text, "wp:postmeta"),
    }
    terms = in_file(text, "wp:category") + in_file(text, "wp:tag") + in_file(text, "wp:term")
    assert re.search(rf"^Categories, tags and other terms: {terms}$", told.text, re.MULTILINE)
    here = await articles()
    # Of each kind that is taken over, every item is an article, or listed by its title.
    for item in made.items:
        if item.kind in ("post", "page"):
            title = wxr.plain(item.title)
            assert title in here or title in told.text, title
    assert all(name in told.text for name in {one.kind for one in made.items})
    chosen = await links()
    again = await run(path)
    assert (again.differing, again.changes, await links()) == ([], 0, chosen), again.text
    assert {name: one.body_md for name, one in (await articles()).items()} == {
        name: one.body_md for name, one in here.items()
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_of_an_odd_export_nothing_is_dropped_silently(seed: int, tmp_path: Path) -> None:
    await adds_up(seed, 40, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 125))
async def test_of_many_odd_exports_nothing_is_dropped_silently(seed: int, tmp_path: Path) -> None:
    await adds_up(seed, 120, tmp_path)
