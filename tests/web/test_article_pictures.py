"""A picture on its way into an article: with a script and without, refused and taken, and handed out in its sizes."""

import io
import re

import httpx
import pytest
from sqlalchemy import text

from app import db
from app.accounts.models import User
from app.articles import figures, picture_sizes, pictures
from tests import factories
from tests.articles.test_pictures import drawn, saved, with_gps
from tests.web.test_studio_articles import FORM, ID, put, stored

JSON = {"Accept": "application/json"}


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session, name="Leilani")
    await factories.sign_in(client, user)
    return user


def chosen(data: bytes) -> dict[str, tuple[str, io.BytesIO, str]]:
    return {"picture": ("knee.jpg", io.BytesIO(data), "image/jpeg")}


async def queued() -> list[str]:
    async with db.transaction() as session:
        rows = await session.execute(
            text("SELECT workflow_uuid FROM dbos.workflow_status WHERE name = 'picture_sizes'")
        )
    return [row[0] for row in rows]


@pytest.mark.parametrize("path", ["/studio/articles/picture", f"/studio/articles/{ID}/picture"])
async def test_visitors_are_asked_to_sign_in_and_members_refused(
    client: httpx.AsyncClient, path: str
) -> None:
    assert (await client.post(path, files=chosen(b"x"))).status_code == 401
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert (await client.post(path, files=chosen(b"x"))).status_code == 403
    assert await queued() == []


async def test_the_picture_of_an_article_that_is_gone_is_not_taken(
    client: httpx.AsyncClient, teacher: User
) -> None:
    answer = await client.post(f"/studio/articles/{ID}/picture", files=chosen(saved(drawn())))
    assert answer.status_code == 404
    assert await queued() == []


async def test_without_a_script_it_stands_in_the_text_and_nothing_typed_is_lost(
    client: httpx.AsyncClient, teacher: User
) -> None:
    row = await put()
    words = {**FORM, "slug": "my-own", "picture_alt": "A knee, bent", "picture_caption": "Slowly."}
    data = with_gps()
    for address in ("/studio/articles", f"/studio/articles/{row.id}"):
        answer = await client.post(f"{address}/picture", data=words, files=chosen(data))
        assert answer.status_code == 200
        assert re.search(
            r"## Why\n\nWords\.\n\n!\[A knee, bent\]\(/pictures/[0-9a-f]{32}-500x1000-\S+\.jpg"
            r" &#34;Slowly\.&#34;\)\n</textarea>",
            answer.text,
        )
        assert 'value="my-own"' in answer.text
        assert f'action="{address}"' in answer.text
        assert '<picture><source type="image/avif"' in answer.text
    assert len(await queued()) == 1
    assert [kept.body_md for kept in await stored()] == ["Words."]


async def test_a_script_gets_the_line_alone(client: httpx.AsyncClient, teacher: User) -> None:
    answer = await client.post(
        "/studio/articles/picture",
        data={"picture_decorative": "1"},
        files=chosen(saved(drawn())),
        headers=JSON,
    )
    assert re.fullmatch(r"!\[decorative\]\(/pictures/\S+\.jpg\)", answer.json()["line"])


async def test_a_picture_without_words_is_refused_and_nothing_typed_is_lost(
    client: httpx.AsyncClient, teacher: User
) -> None:
    sent = {**FORM, "picture_caption": "Slowly."}
    answer = await client.post("/studio/articles/picture", data=sent, files=chosen(saved(drawn())))
    assert answer.status_code == 422
    assert 'id="picture_alt-error"' in answer.text
    assert 'value="Slowly."' in answer.text
    assert "## Why\n\nWords.</textarea>" in answer.text
    assert await queued() == []
    told = await client.post("/studio/articles/picture", data=sent, files=chosen(b"no"), headers=JSON)
    assert told.status_code == 422
    assert sorted(told.json()["errors"]) == ["picture", "picture_alt"]


async def test_an_article_with_a_silent_figure_is_not_saved_and_keeps_what_was_typed(
    client: httpx.AsyncClient, teacher: User
) -> None:
    row = await put()
    words = {**FORM, "slug": row.slug, "body_md": "Words.\n\n![](/pictures/x.jpg)"}
    answer = await client.post(f"/studio/articles/{row.id}", data=words)
    assert answer.status_code == 422
    assert 'id="body_md-error">Please say what the picture in line 3 shows' in answer.text
    assert "![](/pictures/x.jpg)</textarea>" in answer.text
    assert [kept.body_md for kept in await stored()] == ["Words."]
    words["body_md"] = words["body_md"].replace("![]", "![decorative]")
    assert (await client.post(f"/studio/articles/{row.id}", data=words)).status_code == 303


async def test_everybody_gets_the_whole_picture_until_its_sizes_are_made(
    client: httpx.AsyncClient, teacher: User
) -> None:
    answer = await client.post(
        "/studio/articles/picture", data={"picture_alt": "A knee"}, files=chosen(saved(drawn())), headers=JSON
    )
    client.cookies.clear()
    path = answer.json()["line"].partition("(")[2].rstrip(")")
    name = path.rpartition("/")[2]
    whole = await client.get(path)
    assert (whole.headers["content-type"], whole.headers["cache-control"]) == (
        "image/jpeg",
        "public, max-age=31536000, immutable",
    )
    early = await client.get(f"{path}/400.avif")
    assert (early.content, early.headers["content-type"]) == (whole.content, "image/jpeg")
    assert early.headers["cache-control"] == "public, max-age=30"
    await picture_sizes.make(name)
    for size in figures.sizes_of(name):
        made = await client.get(f"{path}/{size}")
        assert made.headers["content-type"] == pictures.KINDS[size.partition(".")[2]]
        assert "immutable" in made.headers["cache-control"]
        assert len(made.content) < len(whole.content)
    for unknown in (f"{path}/401.avif", f"{path}/400.gif", f"{path}/../400.avif", "/pictures/x.jpg/400.avif"):
        assert (await client.get(unknown)).status_code == 404
