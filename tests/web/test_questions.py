"""How often a page asks the database: the same for much and for little, and seldom."""

import httpx

from app import db
from app.accounts.models import User
from app.articles.models import ArticleTag, Comment, Tag
from app.catalog.models import Course, Section
from app.practice.models import Location, Practice
from tests import factories
from tests.statements import statements

# Page → how many statements an anonymous reader's page takes at most; of articles, courses and lessons one is for the
# mark of the kept page.
PAGES = {
    "/": 3,
    "/articles": 3,
    "/articles/a": 9,
    "/imprint": 6,
    "/courses": 3,
    "/courses/c": 2,
    "/courses/c/l": 3,
    "/courses/c/m": 2,
    "/contact": 1,
    "/plans": 3,
    "/nothing-here": 4,
}
MEMBER = {"/library": 7, "/courses/c": 2, "/courses/c/l": 3, "/account": 8}


async def begin() -> tuple[User, Course, Section]:
    """A site with one of everything."""
    async with db.transaction() as session:
        session.add(Practice(id=1))
        course = await factories.course(session, slug="c")
        section = await factories.section(session, course)
        free = await factories.lesson(session, section, slug="l", is_free=True)
        await factories.lesson(session, section, slug="m")
        article = await factories.article(session, slug="a", lesson_id=free.id)
        await factories.article(session, slug="imprint", is_listed=False)
        await _comment(article.id, session)
        member = await factories.user(session)
        await factories.entitlement(session, member)
    return member, course, section


async def _comment(article_id: object, session: object) -> None:
    row = Comment(
        article_id=article_id, name="N", email="", body_md="", body_html="<p>W</p>", state="approved"
    )
    await factories.save(session, row)  # type: ignore[arg-type]


async def add_much(course: Course, section: Section) -> None:
    """Ten of everything more."""
    async with db.transaction() as session:
        article = await factories.article(session)
        found = await session.execute(Comment.__table__.select().limit(1))
        article_id = found.one().article_id
        for number in range(10):
            session.add(Location(city=f"City {number}"))
            await _comment(article_id, session)
            tag = await factories.save(session, Tag(slug=f"t{number}", name=f"T{number}"))
            session.add(ArticleTag(article_id=article_id, tag_id=tag.id))
            await factories.article(session)
            await factories.article(session, is_listed=False)
            other = await factories.section(session, course)
            await factories.lesson(session, other)
            await factories.lesson(session, section)
            await factories.lesson(session, await factories.section(session, await factories.course(session)))
            await factories.entitlement(session, await factories.user(session))
        assert article.id


async def count(client: httpx.AsyncClient, database: db.Database, path: str) -> int:
    with statements(database) as asked:
        answer = await client.get(path)
    assert answer.status_code == (404 if path == "/nothing-here" else 200)
    return len(asked)


async def test_pages_ask_no_more_when_there_is_more(client: httpx.AsyncClient, database: db.Database) -> None:
    _member, course, section = await begin()
    # The first time in an hour articles also ask which others are alike.
    for path in PAGES:
        await client.get(f"{path}?n=1")
    few = {path: await count(client, database, path) for path in PAGES}
    await add_much(course, section)
    assert {path: await count(client, database, path) for path in PAGES} == few
    assert {path: (number, PAGES[path]) for path, number in few.items() if number > PAGES[path]} == {}


async def test_a_members_pages_ask_no_more_when_there_is_more(
    client: httpx.AsyncClient, database: db.Database
) -> None:
    member, course, section = await begin()
    await factories.sign_in(client, member)
    await client.get("/library")
    # The first time in an hour articles also ask which others are alike.
    for path in PAGES:
        await client.get(f"{path}?n=1")
    few = {path: await count(client, database, path) for path in MEMBER}
    await add_much(course, section)
    assert {path: await count(client, database, path) for path in MEMBER} == few
    assert {path: (number, MEMBER[path]) for path, number in few.items() if number > MEMBER[path]} == {}
