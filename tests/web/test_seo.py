"""What heads of pages tell search engines and those who share them."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx

from app import db
from app.articles.markdown import render_article
from app.articles.models import ArticleTag, Tag
from app.clock import utcnow
from app.practice.models import Location, Practice
from app.video.clip_models import Clip
from tests import factories
from tests.articles.forms import json_ld

BASE = "https://limber.test"
PICTURE = f"{'ab' * 16}-2048x1024-{'wRgR' * 6}.jpg"
# What Google asks of each kind before it shows more than a link.
REQUIRED = {
    "Article": {"headline", "author", "datePublished", "dateModified", "image"},
    "VideoObject": {"name", "thumbnailUrl", "uploadDate"},
    "Course": {"name", "description", "provider"},
    "BreadcrumbList": {"itemListElement"},
    "LocalBusiness": {"name", "address"},
}


def kinds(page: str) -> dict[str, dict[str, Any]]:
    """By kind; those of a graph, too. Every address in them is whole, and nothing in them is empty."""
    found = {}
    for block in json_ld(page):
        assert block["@context"] == "https://schema.org"
        for one in block.get("@graph", [block]):
            found[one["@type"]] = one
            assert REQUIRED.get(one["@type"], set()) <= set(one), one["@type"]
            check(one)
    return found


def check(value: Any, key: str = "") -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            check(inner, name)
    elif isinstance(value, list):
        assert value, key
        for inner in value:
            check(inner, key)
    else:
        assert value != "", key
        if key in ("url", "item", "thumbnailUrl", "contentUrl", "mainEntityOfPage", "@id"):
            assert str(value).startswith(f"{BASE}/"), (key, value)


def told(page: str, name: str) -> list[str]:
    """The contents of every `<meta property=name>`."""
    return re.findall(rf'<meta (?:property|name)="{name}" content="([^"]*)">', page)


async def test_an_article_tells_its_picture_its_tags_and_its_days(client: httpx.AsyncClient) -> None:
    text = f"![A knee](/pictures/{PICTURE})\n\n::clip hold"
    async with db.transaction() as session:
        session.add(Practice(id=1, site_name="Kapahulu", teacher_name="Leilani"))
        row = await factories.article(
            session, slug="knee", summary="About.", body_html=render_article(text).html
        )
        tag = await factories.save(session, Tag(slug="knees", name="Knees"))
        session.add(ArticleTag(article_id=row.id, tag_id=tag.id))
        video = await factories.video(session)
        facts = {"name": "hold", "title": "Hold", "start_ms": 0, "end_ms": 4600, "ready_at": utcnow()}
        clip = Clip(id=uuid4(), video_id=video.id, state="ready", **facts)
        session.add(clip)
    page = (await client.get("/articles/knee")).text
    assert f'<link rel="canonical" href="{BASE}/articles/knee">' in page
    assert told(page, "og:image") == [f"{BASE}/pictures/{PICTURE}/1200.jpg"]
    assert (told(page, "og:image:width"), told(page, "og:image:height")) == (["1200"], ["600"])
    assert told(page, "twitter:card") == ["summary_large_image"]
    assert told(page, "article:tag") == ["Knees"]
    assert told(page, "article:published_time")
    found = kinds(page)
    assert found["Article"]["image"]["width"] == 1200
    assert found["Article"]["author"] == {"@type": "Person", "name": "Leilani", "url": f"{BASE}/"}
    assert found["Article"]["isAccessibleForFree"] is True
    assert found["VideoObject"]["contentUrl"] == f"{BASE}/clips/{clip.id}/1/clip.mp4"
    assert found["VideoObject"]["isAccessibleForFree"] is True
    assert found["VideoObject"]["duration"] == "PT5S"
    assert [crumb["position"] for crumb in found["BreadcrumbList"]["itemListElement"]] == [1, 2, 3]
    assert str(video.id) not in page


async def test_a_paid_lesson_says_what_the_wall_takes_and_a_free_one_does_not(
    client: httpx.AsyncClient,
) -> None:
    async with db.transaction() as session:
        course = await factories.course(session, slug="hips", summary="Hips.")
        section = await factories.section(session, course)
        paid = await factories.lesson(session, section, slug="paid")
        await factories.lesson(session, section, slug="free", is_free=True)
    page = (await client.get("/courses/hips/paid")).text
    found = kinds(page)
    for kind in ("VideoObject", "WebPage"):
        assert found[kind]["isAccessibleForFree"] is False
        part = found[kind]["hasPart"]
        assert part["isAccessibleForFree"] is False
        # Google reads class selectors alone, and the class has to be there.
        assert re.fullmatch(r"\.[a-z-]+", part["cssSelector"])
        assert f'class="{part["cssSelector"][1:]}"' in page
    assert "contentUrl" not in found["VideoObject"]
    assert "embedUrl" not in found["VideoObject"]
    assert found["VideoObject"]["thumbnailUrl"].startswith(f"{BASE}/posters/{paid.id}.jpg")
    free = kinds((await client.get("/courses/hips/free")).text)
    assert free["VideoObject"]["isAccessibleForFree"] is True
    assert "WebPage" not in free
    assert kinds((await client.get("/courses/hips")).text)["Course"]["provider"]["url"] == f"{BASE}/"


async def test_the_practice_and_its_addresses_are_told_on_the_first_and_the_contact_page(
    client: httpx.AsyncClient,
) -> None:
    async with db.transaction() as session:
        session.add(
            Practice(id=1, site_name="Kapahulu", tagline="Slowly.", teacher_name="Leilani", teacher_role="PT")
        )
        session.add(
            Location(city="Honolulu", phone="(808) 555-0100", hours="Mon, Tue 8:00–18:00\nFri by appointment")
        )
    for path in ("/", "/contact"):
        page = (await client.get(path)).text
        found = kinds(page)
        assert found["Organization"]["founder"] == {"@type": "Person", "name": "Leilani", "jobTitle": "PT"}
        assert found["LocalBusiness"]["telephone"] == "(808) 555-0100"
        assert found["LocalBusiness"]["address"] == {"@type": "PostalAddress", "addressLocality": "Honolulu"}
        assert found["LocalBusiness"]["parentOrganization"]["@id"] == found["Organization"]["@id"]
        assert 'href="tel:8085550100"' in page or 'href="tel:+18085550100"' in page
        assert "Fri by appointment" in page
        assert found["LocalBusiness"]["openingHoursSpecification"] == [
            {
                "@type": "OpeningHoursSpecification",
                "dayOfWeek": ["Monday", "Tuesday"],
                "opens": "08:00",
                "closes": "18:00",
            }
        ]


async def test_drafts_are_kept_out_and_feeds_are_offered(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        teacher = await factories.staff(session)
        await factories.article(
            session, slug="draft", state="draft", published_at=utcnow() - timedelta(days=1)
        )
    await factories.sign_in(client, teacher)
    assert '<meta name="robots" content="noindex">' in (await client.get("/articles/draft")).text
    for path, stem in (("/", "/feed"), ("/articles", "/feed"), ("/courses", "/courses/feed")):
        page = (await client.get(path)).text
        for form in ("xml", "rss", "json"):
            assert f'href="{stem}.{form}"' in page, path
            assert (await client.get(f"{stem}.{form}")).status_code == 200
