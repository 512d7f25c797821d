"""The same export, or a newer one, comes in again."""

from pathlib import Path

import pytest
from sqlalchemy import delete, update

from app import db
from app.articles.models import Article, Comment
from tests.moving.wordpress.exports import Comment as Said
from tests.moving.wordpress.exports import Export, Item
from tests.moving.wordpress.running import articles, responses, run
from tests.moving.wordpress.test_importing import uploads, whole_site

pytestmark = pytest.mark.usefixtures("database")


def export(body: str, *comments: Said) -> Export:
    return Export(items=[Item(1, "Hip", body=body, comments=comments)])


async def test_a_second_run_changes_nothing_and_says_so(tmp_path: Path) -> None:
    file = whole_site().write(tmp_path)
    media = str(uploads(tmp_path / "copy", "2019/05/hip.jpg"))
    assert (await run(file, media=media)).changes > 0
    before = {one.id: (one.body_html, one.changed_at) for one in (await articles()).values()}
    said = {one.id for one in await responses()}
    second = await run(file, media=media)
    assert second.changes == 0
    assert "Nothing changed: all of it was here already." in second.text
    assert second.differing == []
    assert {one.id: (one.body_html, one.changed_at) for one in (await articles()).values()} == before
    assert {one.id for one in await responses()} == said


async def test_what_changed_there_is_brought_up_to_date(tmp_path: Path) -> None:
    await run(export("Old", Said(1)).write(tmp_path))
    told = await run(export("New", Said(1), Said(2, "More", parent=1)).write(tmp_path))
    assert (await articles())["Hip"].body_md == "New"
    assert [one.body_md for one in await responses()] == ["Thank you.", "More"]
    assert "1 changed there since: brought up to date" in told.text
    assert told.changes == 2


async def test_what_was_edited_here_is_never_overwritten(tmp_path: Path) -> None:
    await run(export("Old").write(tmp_path))
    async with db.transaction() as session:
        await session.execute(update(Article).values(body_md="Mine"))
    told = await run(export("New", Said(1)).write(tmp_path))
    assert (await articles())["Hip"].body_md == "Mine"
    assert len(await responses()) == 1
    assert "edited here too: left as they are here" in told.text


async def test_a_draft_that_was_published_here_stays_so(tmp_path: Path) -> None:
    site = Export(items=[Item(1, "Hip", status="draft")])
    await run(site.write(tmp_path))
    async with db.transaction() as session:
        await session.execute(update(Article).values(state="published"))
    assert (await run(site.write(tmp_path))).changes == 0
    assert (await articles())["Hip"].state == "published"


async def test_what_was_deleted_here_does_not_come_back(tmp_path: Path) -> None:
    await run(export("Old", Said(1)).write(tmp_path))
    async with db.transaction() as session:
        await session.execute(delete(Article))
    told = await run(export("Old", Said(1)).write(tmp_path))
    assert await articles() == {}
    assert "deleted here since: not brought back" in told.text
    assert told.differing == []


async def test_a_decision_of_the_moderator_stays(tmp_path: Path) -> None:
    await run(export("Old", Said(1)).write(tmp_path))
    async with db.transaction() as session:
        await session.execute(update(Comment).values(state="spam"))
    assert (await run(export("Old", Said(1)).write(tmp_path))).changes == 0
    assert [one.state for one in await responses()] == ["spam"]


async def test_pictures_that_come_later_are_put_in(tmp_path: Path) -> None:
    file = whole_site().write(tmp_path)
    await run(file)
    assert "/pictures/" not in (await articles())["Hip & knee"].body_md
    told = await run(file, media=str(uploads(tmp_path / "copy", "2019/05/hip.jpg", "2019/05/front.jpg")))
    assert (await articles())["Hip & knee"].body_md.count("/pictures/") == 2
    assert told.differing == []


async def test_a_text_without_a_day_keeps_that_of_its_import(tmp_path: Path) -> None:
    bare = Item(1, "One", gmt="", local="").xml().replace("Sat, 04 May 2019 10:20:30 +0000", "")
    export = Export(extra=bare).write(tmp_path)
    told = await run(export)
    assert "Published texts without a day in the file" in told.text
    first = (await articles())["One"].published_at
    assert first is not None
    assert (await run(export)).changes == 0
    assert (await articles())["One"].published_at == first
