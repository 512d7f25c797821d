"""Items and comments that share a number, or have none: each is taken over once, under a number of its own."""

from pathlib import Path

import pytest

from tests.moving.wordpress.exports import Comment, Export, Item
from tests.moving.wordpress.running import articles, old_paths, responses, run

pytestmark = pytest.mark.usefixtures("database")


def _numbered(body: str, number: str, **more: str) -> str:
    """An item as XML, with any number or none."""
    return Item(4711, title=body, body=body, slug=body.lower(), **more).xml().replace("4711", number)  # type: ignore[arg-type]


async def test_posts_with_one_number_or_none_are_all_here(tmp_path: Path) -> None:
    items = [
        _numbered(name, number) for name, number in (("One", "7"), ("Two", "7"), ("Three", ""), ("Four", ""))
    ]
    export = Export(extra="".join(items)).write(tmp_path)

    told = await run(export)

    assert set(await articles()) == {"One", "Two", "Three", "Four"}
    assert "post: 4 published" in told.text
    assert not told.differing
    assert {"/2019/05/one", "/2019/05/two", "/2019/05/three"} <= await old_paths()
    assert (await run(export)).changes == 0


async def test_the_same_post_twice_is_one(tmp_path: Path) -> None:
    """Parts of a split export overlap; its title was changed in between."""
    first = Item(7, title="Hip", slug="hip")
    again = Item(7, title="Hip pain", slug="hip")
    parts = [Export([one]).write(tmp_path, f"{n}.xml") for n, one in enumerate((first, again))]

    told = await run(*parts)

    assert set(await articles()) == {"Hip"}
    assert "1 with the number of another item: not taken over" in told.text
    assert not told.differing


async def test_comments_with_one_number_or_none_are_all_here(tmp_path: Path) -> None:
    one = Item(1, "One", comments=[Comment(5, "First"), Comment(6, "Second", parent=5)])
    two = Item(2, "Two", comments=[Comment(5, "Third"), Comment(6, "Fourth", parent=5)])
    three = Item(3, "Three", comments=[Comment(9, "Fifth"), Comment(9, "Sixth"), Comment(9, "Sixth")])
    nameless = Item(4, "Four", comments=[Comment(4711, "Seventh"), Comment(4711, "Eighth")])
    text = Export([one, two, three, nameless]).text().replace("4711", "")
    export = tmp_path / "export.xml"
    export.write_text(text)

    told = await run(export)

    said = {one.body_md: one for one in await responses()}
    assert set(said) == {"First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth"}
    assert said["Fourth"].parent_id == said["Third"].id
    assert said["Fourth"].article_id == said["Third"].article_id != said["First"].article_id
    assert "8 approved, 1 with the number of another one" in told.text
    assert not told.differing
    assert (await run(export)).changes == 0
