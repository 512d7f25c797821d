"""The feeds of responses: what is shown, who answers whom, and nothing that is not public."""

from datetime import timedelta
from xml.etree import ElementTree

import httpx
import pytest

from app import db
from app.articles.models import Comment
from app.clock import utcnow
from tests import factories

ATOM = "{http://www.w3.org/2005/Atom}"
THREAD = "{http://purl.org/syndication/thread/1.0}"


async def fill() -> list[Comment]:
    now = utcnow()
    async with db.transaction() as session:
        hips = await factories.article(session, slug="hips", title="Hips & <knees>")
        other = await factories.article(session, slug="other", title="Other")
        draft = await factories.article(session, slug="draft", title="Secret", state="draft")
        made: list[Comment] = []
        for minutes, article, state, parent in (
            (50, hips, "approved", None),
            (40, hips, "approved", 0),
            (30, hips, "pending", None),
            (25, hips, "approved", 2),
            (20, hips, "spam", None),
            (15, hips, "withdrawn", None),
            (10, other, "approved", None),
            (5, draft, "approved", None),
        ):
            n = len(made)
            row = Comment(
                article_id=article.id,
                parent_id=None if parent is None else made[parent].id,
                name=f"P{n}",
                email=f"p{n}@secret.example",
                body_md="x",
                body_html=f"<p>Words &amp; {n}</p>",
                state=state,
                ip="203.0.113.9",
                created_at=now - timedelta(minutes=minutes),
            )
            made.append(await factories.save(session, row))
        return made


async def entries(client: httpx.AsyncClient, path: str) -> dict[str, ElementTree.Element]:
    answer = await client.get(path)
    assert answer.headers["content-type"].startswith("application/atom+xml")
    assert "secret.example" not in answer.text
    assert "203.0.113.9" not in answer.text
    feed = ElementTree.fromstring(answer.content)
    for name in ("id", "title", "updated"):
        assert feed.findtext(f"{ATOM}{name}"), name
    return {entry.findtext(f"{ATOM}author/{ATOM}name") or "": entry for entry in feed.iter(f"{ATOM}entry")}


async def test_the_sites_feed_has_what_is_shown_the_newest_first(client: httpx.AsyncClient) -> None:
    made = await fill()
    found = await entries(client, "/responses.xml")
    assert list(found) == ["P6", "P3", "P1", "P0"]
    first = found["P0"]
    assert first.findtext(f"{ATOM}title") == "P0 on “Hips & <knees>”"
    assert first.findtext(f"{ATOM}content") == "<p>Words &amp; 0</p>"
    link = first.find(f"{ATOM}link")
    assert link is not None
    assert link.get("href") == f"https://limber.test/articles/hips#response-{made[0].id}"
    assert first.findtext(f"{ATOM}id") == made[0].id.urn


async def test_an_articles_feed_is_its_own_and_tells_who_answers_whom(client: httpx.AsyncClient) -> None:
    made = await fill()
    found = await entries(client, "/articles/hips/responses.xml")
    assert list(found) == ["P3", "P1", "P0"]
    refs = {name: entry.find(f"{THREAD}in-reply-to") for name, entry in found.items()}
    told = {name: ref.get("ref") for name, ref in refs.items() if ref is not None}
    article = "https://limber.test/articles/hips"
    assert told == {"P0": article, "P1": made[0].id.urn, "P3": article}, "a held parent is not told"
    assert 'href="/articles/hips/responses.xml"' in (await client.get("/articles/hips")).text


@pytest.mark.parametrize("path", ["/articles/draft/responses.xml", "/articles/nowhere/responses.xml"])
async def test_there_is_no_feed_of_what_is_not_public(client: httpx.AsyncClient, path: str) -> None:
    await fill()
    assert (await client.get(path)).status_code == 404


async def test_an_empty_feed_is_still_a_feed(client: httpx.AsyncClient) -> None:
    assert await entries(client, "/responses.xml") == {}
