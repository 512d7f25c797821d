"""The studio's waiting lists: announcing, demand by topic, tying to what it became, and who may not."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.accounts.models import AuditEntry, User
from app.articles.studio_queries import CHOICES
from app.clock import utcnow
from app.waiting import queries, telling
from app.waiting.models import Topic, Waiting
from tests import factories
from tests.articles.forms import words_of
from tests.letters import letters
from tests.statements import statements

ID = UUID(int=7)
PAGES = ["/studio/waiting", "/studio/waiting/new", f"/studio/waiting/{ID}"]
POSTS = [
    "/studio/waiting",
    f"/studio/waiting/{ID}",
    f"/studio/waiting/{ID}/suspects",
    f"/studio/waiting/{ID}/delete",
]
FORM = {"title": "Stretches for the neck", "summary": "For desks."}


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session)
    await factories.sign_in(client, user)
    return user


async def topics() -> list[Topic]:
    async with db.transaction() as session:
        return list(await session.scalars(select(Topic).order_by(Topic.title)))


@pytest.mark.parametrize(
    ("method", "path"), [*(("GET", path) for path in PAGES), *(("POST", path) for path in POSTS)]
)
async def test_visitors_are_asked_to_sign_in_and_members_refused(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    assert (await client.request(method, path)).status_code == 401
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert (await client.request(method, path, data=FORM if method == "POST" else None)).status_code == 403
    assert await topics() == []


async def test_a_topic_is_announced_changed_and_taken_away(client: httpx.AsyncClient, teacher: User) -> None:
    assert "Nothing is announced yet" in (await client.get("/studio/waiting")).text
    answer = await client.post("/studio/waiting", data=FORM)
    (row,) = await topics()
    assert answer.headers["location"] == f"/studio/waiting/{row.id}?did=create"
    page = (await client.get(answer.headers["location"])).text
    assert "::topic stretches-for-the-neck" in page
    assert "Show it where readers are" in words_of(page)
    await client.post(f"/studio/waiting/{row.id}", data={**FORM, "title": "Neck", "slug": "neck"})
    (row,) = await topics()
    assert (row.title, row.slug) == ("Neck", "neck")
    refused = await client.post("/studio/waiting", data={**FORM, "slug": "neck"})
    assert refused.status_code == 422
    assert "“Neck” has this address already." in words_of(refused.text)
    assert (await client.post("/studio/waiting", data={"title": " "})).status_code == 422
    await client.post(f"/studio/waiting/{row.id}/delete")
    assert await topics() == []
    async with db.transaction() as session:
        deeds = list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    assert deeds == ["topic.create", "topic.save", "topic.delete"]
    assert (await client.get(f"/studio/waiting/{row.id}")).status_code == 404


async def test_what_most_confirmed_addresses_wait_for_stands_first_with_its_numbers(
    client: httpx.AsyncClient, teacher: User
) -> None:
    now = utcnow()
    async with db.transaction() as session:
        article = await factories.article(session, title="At your desk", slug="desk")
        much = await factories.save(session, Topic(slug="neck", title="Neck"))
        little = await factories.save(session, Topic(slug="arms", title="Arms"))
        await factories.save(session, Topic(slug="done", title="Done", article_id=article.id))
        for n in range(3):
            session.add(
                Waiting(
                    topic_id=much.id,
                    email=f"a{n}@example.com",
                    confirmed_at=now,
                    asked_at=now - timedelta(days=20 * n),
                    article_id=article.id if n else None,
                )
            )
        for n in range(9):
            session.add(Waiting(topic_id=little.id, email=f"b{n}@example.com"))
        session.add(Waiting(topic_id=little.id, email="c@example.com", ended_at=now, confirmed_at=now))
    page = words_of((await client.get("/studio/waiting")).text)
    assert page.index("Neck Nothing yet 3 0 2 0") < page.index("Arms Nothing yet 0 9 9 0")
    assert page.index("Arms") < page.index("Done Out")
    one = words_of((await client.get(f"/studio/waiting/{much.id}")).text)
    assert "At your desk 2 asked, 2 confirmed" in one
    assert "Make it, and say here what it has become." in one


async def test_who_waits_on_a_lessons_own_page_waits_for_the_topic_that_becomes_it(
    client: httpx.AsyncClient, teacher: User
) -> None:
    async with db.transaction() as session:
        section = await factories.section(session, await factories.course(session))
        lesson = await factories.lesson(session, section, title="Neck, part one", state="announced")
        bare = await factories.save(session, Topic(title="Neck, part one", lesson_id=lesson.id))
        neck = await factories.save(session, Topic(slug="neck", title="Neck"))
        other = await factories.save(session, Topic(slug="other", title="Other"))
        for topic_id, email in ((bare.id, "a@x.org"), (bare.id, "b@x.org"), (neck.id, "b@x.org")):
            session.add(Waiting(topic_id=topic_id, email=email, confirmed_at=utcnow()))
    assert "2 people wait" in (await client.get(f"/studio/courses/{lesson.course_id}")).text
    form = {"title": "Neck", "slug": "neck", "becomes": f"lesson:{lesson.id}"}
    page = await client.post(f"/studio/waiting/{neck.id}", data=form)
    assert page.status_code == 303
    assert [(row.title, row.lesson_id) for row in await topics()] == [("Neck", lesson.id), ("Other", None)]
    async with db.transaction() as session:
        emails = list(await session.scalars(select(Waiting.email).where(Waiting.topic_id == neck.id)))
    assert sorted(emails) == ["a@x.org", "b@x.org"]
    refused = await client.post(
        f"/studio/waiting/{other.id}", data={"title": "Other", "becomes": f"lesson:{lesson.id}"}
    )
    assert refused.status_code == 422
    assert "This is what “Neck” has become already." in words_of(refused.text)
    shown = words_of((await client.get("/studio/waiting")).text)
    assert "A lesson in the making" in shown
    assert "Finish it and publish it" in shown


@pytest.mark.parametrize("becomes", ["lesson:x", f"course:{ID}", "video:1", "::", "article:"])
async def test_what_is_gone_or_no_thing_at_all_is_nothing(
    client: httpx.AsyncClient, teacher: User, becomes: str
) -> None:
    await client.post("/studio/waiting", data={**FORM, "becomes": becomes})
    (row,) = await topics()
    assert (row.lesson_id, row.course_id, row.article_id) == (None, None, None)


async def test_of_many_articles_a_few_are_offered_and_any_other_is_found_by_its_title(
    client: httpx.AsyncClient, teacher: User, database: db.Database
) -> None:
    async def written(count: int) -> None:
        async with db.transaction() as session:
            for n in range(count):
                await factories.article(session, title=f"Article {n}", changed_at=utcnow())

    async with db.transaction() as session:
        old = await factories.article(session, title="Necks", changed_at=utcnow() - timedelta(days=900))
        topic = await factories.save(session, Topic(slug="neck", title="Neck"))
    url, form = f"/studio/waiting/{topic.id}", {"title": "Neck", "slug": "neck"}
    asked = []
    for count in (12, 30):
        await written(count)
        with statements(database) as seen:
            page = (await client.get(url)).text
        asked.append(len(seen))
        assert page.count('<option value="article:') == CHOICES
        assert str(old.id) not in page
    assert asked[0] == asked[1]
    for do in ("find", "enter"):
        found = await client.post(url, data={**form, "title": "Necks too", "do": do, "find": " neck "})
        assert found.status_code == 200
        assert f'<option value="article:{old.id}"' in found.text
        assert 'value="Necks too"' in found.text, "nothing typed is lost"
        assert found.text.count('<option value="article:') == CHOICES + 1
    none = await client.post(url, data={**form, "do": "find", "find": "zebra"})
    assert "No article has these words in its title." in words_of(none.text)
    assert (await topics())[0].title == "Neck", "and nothing is saved"
    done = await client.post(url, data={**form, "becomes": f"article:{old.id}", "do": "enter"})
    assert done.status_code == 303
    assert f'<option value="article:{old.id}" selected' in (await client.get(url)).text
    sought = await client.post("/studio/waiting", data={**FORM, "do": "find", "find": "neck"})
    assert f'<option value="article:{old.id}"' in sought.text
    assert len(await topics()) == 1


async def test_requests_that_may_be_programs_are_shown_and_asked_or_forgotten(
    client: httpx.AsyncClient, teacher: User
) -> None:
    async with db.transaction() as session:
        topic = await factories.save(session, Topic(slug="neck", title="Neck", summary=""))
        rows = [Waiting(topic_id=topic.id, email=f"{name}@example.com", is_trapped=True) for name in "abcd"]
        person = Waiting(topic_id=topic.id, email="person@example.com")
        session.add_all([*rows, person])
        await session.flush()
        ids = {row.email[0]: str(row.id) for row in [*rows, person]}
    address = f"/studio/waiting/{topic.id}"
    assert "4 requests for waiting lists may be programs’" in (await client.get("/studio")).text
    assert "4 perhaps programs’" in (await client.get("/studio/waiting")).text
    page = (await client.get(address)).text
    assert all(f"{name}@example.com" in page for name in "abcd")
    assert "person@example.com" not in page
    # In no number.
    async with db.transaction() as session:
        (one,) = await queries.demand(session, utcnow(), topic.id)
        assert (one.asked, one.lately, one.trapped) == (1, 1, 4)
        assert sum(week.asked for week in await queries.weeks(session, topic.id, utcnow())) == 1

    asked = await client.post(f"{address}/suspects", data={"do": "ask", "id": [ids["a"], ids["p"]]})
    assert "1 address is asked by mail" in (await client.get(asked.headers["location"])).text
    async with db.transaction() as session:
        assert await telling.ask_held(session, utcnow()) == 1
    assert [letter["to"] for letter in await letters()] == ["a@example.com"]

    gone = await client.post(f"{address}/suspects", data={"do": "drop", "id": [ids["b"], ids["c"], ids["p"]]})
    page = (await client.get(gone.headers["location"])).text
    assert "2 addresses are forgotten." in page
    assert [f"{name}@example.com" in page for name in "abcd"] == [False, False, False, True]
    async with db.transaction() as session:
        left = set(await session.scalars(select(Waiting.email)))
    assert left == {"a@example.com", "d@example.com", "person@example.com"}
    assert (await client.post(f"{address}/suspects", data={"do": "else"})).status_code == 422
    activity = words_of((await client.get("/studio/activity")).text)
    assert "had 1 addresses asked that may be programs’, about “Neck”" in activity
