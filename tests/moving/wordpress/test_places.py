"""Links and pictures of a site that moved, or whose export came in parts: all lead to where things are here."""

from pathlib import Path

import pytest

from tests.moving.wordpress.exports import SITE, Comment, Export, Item, picture
from tests.moving.wordpress.running import articles, old_paths, responses, run

pytestmark = pytest.mark.usefixtures("database")


def _link(address: str) -> str:
    return f'<a href="{address}">there</a>'


async def test_a_later_part_finds_what_an_earlier_one_brought(tmp_path: Path) -> None:
    about = Item(2, "About", kind="page", slug="about", link=f"{SITE}/about/")
    first = Export([Item(1, "One", slug="one"), about]).write(tmp_path, "1.xml")
    body = _link(f"{SITE}/2019/05/one/") + _link(f"{SITE}/?p=1") + _link("/about/")
    second = Export([Item(3, "Three", body=body)]).write(tmp_path, "2.xml")

    await run(first)
    told = await run(second)

    assert (await articles())[
        "Three"
    ].body_md == "[there](/articles/one)[there](/articles/one)[there](/about)"
    assert "3 to their place here" in told.text
    assert not told.differing
    assert (await run(second)).changes == 0
    assert (await run(first)).changes == 0


async def test_names_that_the_site_had_once_lead_here(tmp_path: Path) -> None:
    """What WordPress calls an item for good (its GUID) keeps the name of the host on which it was written."""
    former = "http://eva.wordpress.com"
    moved = Item(8, "Moved", slug="moved").xml().replace(f"{SITE}/?p=8", f"{former}/?p=861")
    body = (
        _link(f"{former}/?p=861")
        + _link(f"{former}/2019/05/moved/")
        + _link(f"{former}/?p=8")
        + f'<img src="{former}/wp-content/uploads/2019/05/a.jpg" alt="A">'
    )
    export = Export([Item(1, "One", body=body), picture(5, "2019/05/a.jpg")], extra=moved).write(tmp_path)

    told = await run(export)

    here, elsewhere = "[there](/articles/moved)", f"[there]({former}/?p=8)"
    assert (await articles())["One"].body_md.startswith(here * 2 + elsewhere)
    assert "pictures: 1 not to be had" in told.text
    assert (await run(export)).changes == 0


async def test_authors_are_known_by_address_where_the_file_has_no_numbers(tmp_path: Path) -> None:
    said = [Comment(1, "Mine", email="Eva@example.com"), Comment(2, "Not", email="ann@example.com")]
    text = Export([Item(1, comments=said)]).text()
    bare = tmp_path / "bare.xml"
    bare.write_text(text.replace("<wp:author_id>1</wp:author_id>", ""))

    await run(bare)

    assert {one.body_md: one.is_author for one in await responses()} == {"Mine": True, "Not": False}


async def test_an_address_alone_makes_nobody_an_author(tmp_path: Path) -> None:
    await run(Export([Item(1, comments=[Comment(1, email="eva@example.com")])]).write(tmp_path))
    assert [one.is_author for one in await responses()] == [False]


async def test_what_has_no_place_here_is_listed(tmp_path: Path) -> None:
    category = (
        "<wp:category><wp:term_id>3</wp:term_id><wp:category_nicename>hips</wp:category_nicename>"
        "<wp:cat_name>Hips</wp:cat_name><wp:category_description>All of hips</wp:category_description></wp:category>"
    )
    file = picture(5, "2019/05/a.jpg")
    file.body = "Taken at dawn"
    said = [Comment(1, "Reword this", kind="note"), Comment(2, "Five stars", kind="review")]
    told = await run(Export([file, Item(1, creator="ghost", comments=said)], extra=category).write(tmp_path))
    for line in ("“Hips”: All of hips", "“a.jpg”: Taken at dawn", "Five stars", "  ghost"):
        assert line in told.text
    assert "note: 1 between editors, not for readers" in told.text
    assert not told.differing


async def test_an_export_that_squarespace_wrote_is_read(tmp_path: Path) -> None:
    """No GUIDs, relative links, bare ampersands, addresses with their endings."""
    text = Export(
        [Item(4, "Hip", slug="hip-pain.html", link="/blog/hip-pain.html", body=_link("/blog/knee.html"))]
    ).text()
    knee = (
        Item(5, "Knee & foot", slug="blog/knee", link="/blog/knee.html")
        .xml()
        .replace("<![CDATA[Knee & foot]]>", "Knee & foot&mdash;x")
    )
    path = tmp_path / "export.xml"
    path.write_text(text.replace("</channel>", f"{knee}</channel>"))

    await run(path)

    found = await articles()
    assert {title: one.slug for title, one in found.items()} == {"Hip": "hip-pain", "Knee & foot—x": "knee"}
    assert found["Hip"].body_md == "[there](/articles/knee)"
    assert {"/blog/hip-pain.html", "/blog/knee.html"} <= await old_paths()


async def test_authors_and_languages_that_plugins_keep_as_terms_are_no_tags(tmp_path: Path) -> None:
    terms = [
        ("author", "cap-eva", "Eva"),
        ("author", "cap-ann", "Ann"),
        ("language", "en", "English"),
        ("category", "hip", "Hip"),
    ]
    told = await run(Export([Item(1, "One", terms=terms)], terms=terms).write(tmp_path))
    assert "Articles of several authors: here they have one (1):" in told.text
    assert "): Ann, Eva" in told.text
    assert "  category: 1 now tags" in told.text
    assert "  author: 2 of menus, themes and plugins: not taken over" in told.text
    assert not told.differing
