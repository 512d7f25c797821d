"""The sitemap: an index and its parts, with the pictures and free clips of what anyone may open, and nothing else."""

from datetime import timedelta
from uuid import uuid4
from xml.etree import ElementTree

import httpx
import pytest

from app import db
from app.articles.markdown import render_article
from app.clock import utcnow
from app.practice import sitemaps
from app.video.clip_models import Clip
from tests import factories
from tests.web.test_feeds import fill

BASE = "https://limber.test"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
IMAGE = "{http://www.google.com/schemas/sitemap-image/1.1}"
VIDEO = "{http://www.google.com/schemas/sitemap-video/1.1}"
# In the order in which sitemap-video.xsd wants them. Source: http://www.google.com/schemas/sitemap-video/1.1/
VIDEO_ORDER = [
    "thumbnail_loc", "title", "description", "content_loc", "player_loc", "duration", "expiration_date", "rating",
    "content_segment_loc", "view_count", "publication_date", "tag", "category", "family_friendly", "restriction",
    "gallery_loc", "price", "requires_subscription", "uploader",
]  # fmt: skip
PICTURE = f"{'ab' * 16}-2048x1024-{'wRgR' * 6}.jpg"


async def read(client: httpx.AsyncClient, path: str) -> ElementTree.Element:
    answer = await client.get(path)
    assert answer.status_code == 200, path
    assert answer.headers["content-type"].startswith("application/xml")
    return ElementTree.fromstring(answer.content)


async def parts(client: httpx.AsyncClient) -> list[str]:
    root = await read(client, "/sitemap.xml")
    assert root.tag == f"{SITEMAP}sitemapindex"
    return [(found.text or "").removeprefix(BASE) for found in root.iter(f"{SITEMAP}loc")]


async def paths(client: httpx.AsyncClient) -> list[str]:
    """Every address in every part."""
    found = []
    for part in await parts(client):
        root = await read(client, part)
        assert root.tag == f"{SITEMAP}urlset"
        found += [(place.text or "").removeprefix(BASE) for place in root.iter(f"{SITEMAP}loc")]
    return found


async def test_it_names_what_anyone_may_open_and_nothing_else(client: httpx.AsyncClient) -> None:
    await fill()
    assert await parts(client) == [
        "/sitemaps/pages.xml",
        "/sitemaps/articles-1.xml",
        "/sitemaps/lessons-1.xml",
    ]
    found = await paths(client)
    assert found == [
        "/",
        "/articles",
        "/courses",
        "/contact",
        "/articles/hips",
        "/articles/newer",
        "/courses/lower-body",
        "/courses/lower-body/strap",
    ]
    for path in found:
        assert (await client.get(path)).status_code == 200


async def test_an_empty_site_has_an_index_of_its_pages(client: httpx.AsyncClient) -> None:
    assert await parts(client) == ["/sitemaps/pages.xml"]


@pytest.mark.parametrize(
    "path",
    ["articles-1", "articles-0", "articles-x", "articles-²", "lessons-1", "others-1", "articles-12345678"],
)
async def test_a_part_that_is_not_there_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(f"/sitemaps/{path}.xml")).status_code == 404


async def test_a_new_article_changes_the_last_part_alone(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemaps, "PART", 2)
    now = utcnow()
    async with db.transaction() as session:
        for n in range(5):
            await factories.article(session, slug=f"a-{n}", published_at=now - timedelta(days=9 - n))
    names = [f"/sitemaps/articles-{n}.xml" for n in (1, 2, 3)]
    assert (await parts(client))[1:] == names
    before = [(await client.get(name)).text for name in names]
    async with db.transaction() as session:
        await factories.article(session, slug="a-5", published_at=now)
    after = [(await client.get(name)).text for name in names]
    assert after[:2] == before[:2]
    assert [path for path in await paths(client) if path.startswith("/articles/")] == [
        f"/articles/a-{n}" for n in range(6)
    ]


async def test_pictures_and_free_clips_stand_with_their_article(client: httpx.AsyncClient) -> None:
    text = f"![A knee](/pictures/{PICTURE})\n\n::clip two-seconds\n\n::clip not-ready\n\n![x](https://other.example/x.jpg)"
    async with db.transaction() as session:
        await factories.article(session, slug="knee", body_html=render_article(text).html)
        video = await factories.video(session)
        facts = {"video_id": video.id, "title": "Hold & go", "start_ms": 0, "end_ms": 4600}
        clip = Clip(id=uuid4(), name="two-seconds", state="ready", ready_at=utcnow(), **facts)
        session.add_all([clip, Clip(name="not-ready", **facts)])
    root = await read(client, "/sitemaps/articles-1.xml")
    images = [found.text for found in root.iter(f"{IMAGE}loc")]
    assert images == [f"{BASE}/pictures/{PICTURE}/1200.jpg"]
    (entry,) = root.iter(f"{VIDEO}video")
    names = [child.tag.removeprefix(VIDEO) for child in entry]
    assert names == sorted(names, key=VIDEO_ORDER.index)
    assert entry.findtext(f"{VIDEO}title") == "Hold & go"
    assert entry.findtext(f"{VIDEO}content_loc") == f"{BASE}/clips/{clip.id}/1/clip.mp4"
    assert entry.findtext(f"{VIDEO}duration") == "5"
    assert str(video.id) not in ElementTree.tostring(root, "unicode")
