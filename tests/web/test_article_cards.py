"""Cards in an article: the wall and its price for visitors, the player's link for members, and forms."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest

from app import db
from app.articles.markdown import render_article
from app.billing.plan_models import Plan, PlanPrice
from app.catalog.models import Course, Lesson
from app.settings import get_settings
from app.waiting.models import Topic
from tests import factories
from tests.articles.forms import words_of
from tests.statements import statements

WALL = "Please log in to watch the paid videos."
TEXT = "Before.\n\n::lesson lower-body/{}\n\nAfter."


@dataclass
class Site:
    course: Course
    paid: Lesson


@pytest.fixture
async def site(client: httpx.AsyncClient) -> Site:
    async with db.transaction() as session:
        course = await factories.course(session, slug="lower-body", title="Lower body")
        section = await factories.section(session, course)
        await factories.lesson(session, section, slug="hello", title="Hello", is_free=True)
        paid = await factories.lesson(session, section, slug="rotators", title="Deep rotators")
        await factories.lesson(session, section, slug="soon", title="Neck", state="announced")
        await factories.lesson(session, section, slug="hidden", title="Hidden", state="draft")
        return Site(course, paid)


@pytest.fixture
def selling(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_test_limber")
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_test")
    monkeypatch.setenv("STRIPE_API_BASE", "http://127.0.0.1:1")
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


async def article(text: str, slug: str = "hips", lesson_id: UUID | None = None) -> None:
    async with db.transaction() as session:
        html = render_article(text).html
        await factories.article(session, slug=slug, body_md=text, body_html=html, lesson_id=lesson_id)


async def plan() -> None:
    async with db.transaction() as session:
        row = await factories.save(
            session, Plan(slug="monthly", name="Monthly", interval="month", amount_cents=1900)
        )
        session.add(PlanPrice(stripe_price_id="price_1", plan_id=row.id, amount_cents=1900, currency="usd"))


async def test_a_visitor_meets_the_wall_in_its_place_with_price_and_free_lesson(
    client: httpx.AsyncClient, site: Site, selling: None
) -> None:
    await plan()
    await article(TEXT.format("rotators"))
    page = (await client.get("/articles/hips")).text
    assert page.index("Before.") < page.index(WALL) < page.index("After.")
    assert "Join for $19 a month" in words_of(page)
    assert 'href="/login?next=%2Fcourses%2Flower-body%2Frotators%3Ffrom%3Dhips&amp;from=hips"' in page
    assert 'href="/plans?next=%2Fcourses%2Flower-body%2Frotators&amp;from=hips"' in page
    assert 'href="/courses/lower-body/rotators?from=hips"' in page
    assert "Or watch a free lesson:" in page
    assert f"/posters/{site.paid.id}-small.jpg" in page
    assert str(site.paid.video_id) not in page


async def test_a_member_finds_the_way_to_the_player_instead(client: httpx.AsyncClient, site: Site) -> None:
    await article(TEXT.format("rotators"))
    async with db.transaction() as session:
        member = await factories.user(session)
        await factories.entitlement(session, member, course_id=site.course.id)
        stranger = await factories.user(session)
    await factories.sign_in(client, member)
    page = (await client.get("/articles/hips")).text
    assert WALL not in page
    assert 'href="/courses/lower-body/rotators?from=hips">Deep rotators</a>' in page
    assert "Watch</span>" in page
    await factories.sign_in(client, stranger)
    assert "This lesson is part of the membership." in (await client.get("/articles/hips")).text


async def test_a_free_lesson_has_no_wall_and_one_to_come_has_the_form(
    client: httpx.AsyncClient, site: Site
) -> None:
    await article(TEXT.format("hello"), "free")
    await article(TEXT.format("soon"), "soon")
    free = (await client.get("/articles/free")).text
    assert WALL not in free
    assert "Free lesson" in free
    soon = (await client.get("/articles/soon")).text
    assert 'action="/courses/lower-body/soon/reminder"' in soon
    assert '<input type="hidden" name="from" value="soon">' in soon


async def test_drafts_and_lessons_that_are_gone_leave_no_trace(client: httpx.AsyncClient, site: Site) -> None:
    await article(TEXT.format("hidden") + "\n\n::lesson no/such\n\n::topic none\n")
    page = (await client.get("/articles/hips")).text
    assert "Hidden" not in page
    assert "lesson-here" not in page
    assert page.index("Before.") < page.index("After.")


async def test_the_articles_own_lesson_stands_once_at_its_place_or_at_the_end(
    client: httpx.AsyncClient, site: Site
) -> None:
    for slug, text in (
        ("end", "Words."),
        ("place", "One.\n\n::: lesson\n:::\n\nTwo."),
        ("named", TEXT.format("rotators")),
    ):
        await article(text, slug, site.paid.id)
        page = (await client.get(f"/articles/{slug}")).text
        assert page.count(WALL) == 1, slug
    assert 'property="og:image" content="https://limber.test/posters/' in page


async def test_a_topic_is_a_form_until_it_is_out_and_then_the_way_to_it(
    client: httpx.AsyncClient, site: Site
) -> None:
    async with db.transaction() as session:
        topic = await factories.save(
            session, Topic(slug="neck", title="Stretches for the neck", summary="For desks.")
        )
    await article("Words.\n\n::topic neck\n")
    page = (await client.get("/articles/hips")).text
    assert 'action="/coming/neck"' in page
    assert 'id="wait-neck"' in page
    assert "Please look into your mail" in (await client.get("/articles/hips?told=neck:1")).text
    assert "Please look into your mail" not in (await client.get("/articles/hips?told=other:1")).text
    async with db.transaction() as session:
        row = await session.get_one(Topic, topic.id)
        row.lesson_id = site.paid.id
    page = (await client.get("/articles/hips")).text
    assert 'action="/coming/neck"' not in page
    assert 'href="/courses/lower-body/rotators?from=hips">Deep rotators</a>' in page


async def test_cards_cost_the_same_number_of_queries_however_many_they_are(
    client: httpx.AsyncClient, database: db.Database, site: Site, selling: None
) -> None:
    await plan()
    async with db.transaction() as session:
        await factories.save(session, Topic(slug="neck", title="Neck"))
        await factories.save(session, Topic(slug="arms", title="Arms"))
    await article("::lesson lower-body/rotators\n\n::topic neck\n", "few")
    many = ["rotators", "hello", "soon", "rotators", "soon", "hello"]
    lines = [*(f"::lesson lower-body/{one}" for one in many), "::topic neck", "::topic arms"]
    await article("\n\n".join(lines), "many")
    counts = []
    for slug in ("few", "many"):
        with statements(database) as asked:
            assert (await client.get(f"/articles/{slug}")).status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


async def test_the_studios_preview_shows_the_cards(client: httpx.AsyncClient, site: Site) -> None:
    async with db.transaction() as session:
        teacher = await factories.staff(session)
        await factories.save(session, Topic(slug="neck", title="Stretches for the neck"))
    await factories.sign_in(client, teacher)
    form = {"title": "Hips", "body_md": TEXT.format("rotators") + "\n\n::topic neck\n"}
    shown = (await client.post("/studio/articles/preview", data=form)).text
    assert "Deep rotators" in shown
    assert "Stretches for the neck" in shown
    editor = (await client.get("/studio/articles/new")).text
    for line in ("::lesson lower-body/rotators", "::lesson lower-body/soon", "::topic neck"):
        assert f"<code>{line}</code>" in editor
    assert "::lesson lower-body/hidden" not in editor
