"""From an article to the till without a cookie: the address carries the article on, and the studio counts it."""

import re
from datetime import timedelta
from html import unescape

import httpx
import pytest
from sqlalchemy import select, update

from app import db
from app.accounts.models import User
from app.billing.models import CheckoutAttempt
from app.clock import utcnow
from app.earning import queries, visits
from app.earning.rules import Earned
from tests import factories
from tests.articles.forms import words_of
from tests.billing.till import Till
from tests.letters import letters, token_of


async def follow(client: httpx.AsyncClient, page: str, start: str) -> str:
    """The address of the page's first link or form that begins so; nothing else but that is known of the reader."""
    assert not client.cookies
    found = re.search(rf'(?:href|action)="({re.escape(start)}[^"]*)"', page)
    assert found, page
    return unescape(found[1])


async def set_up(till: Till, **plan: int) -> str:
    """A paid lesson shown in the article "hips", and a plan; answers the plan's slug."""
    async with db.transaction() as session:
        course = await factories.course(session, slug="lower-body")
        section = await factories.section(session, course)
        lesson = await factories.lesson(session, section, slug="rotators")
        await factories.article(session, slug="hips", title="Hip pain", lesson_id=lesson.id)
        await factories.article(session, slug="other", title="Other")
    return await till.plan(**plan)


async def join(till: Till, page_path: str, email: str) -> str:
    """From a page by its offer to an account; answers where the browser is then."""
    client = till.client
    plans = await follow(client, (await client.get(page_path)).text, "/plans")
    page = (await client.get(plans)).text
    checkout = await follow(client, page, "/checkout")
    slug = re.findall(r'name="plan" value="([^"]+)"', page)[0]
    wanted = unescape(re.findall(r'name="next" value="([^"]+)"', page)[0])
    to_join = (await client.post(checkout, data={"plan": slug, "next": wanted})).headers["location"]
    form = (await client.get(to_join)).text
    action = await follow(client, form, "/join")
    hidden = unescape(re.findall(r'name="next" value="([^"]+)"', form)[0])
    # Something is mistyped first: the way is not lost by it.
    again = (await client.post(action, data={"name": "", "email": email, "next": hidden})).text
    action = await follow(client, again, "/join")
    sent = await client.post(action, data={"name": "Ana", "email": email, "next": hidden})
    assert sent.status_code == 303
    letter = [one for one in await letters() if one["to"] == email][-1]
    password = {"token": token_of(letter), "password": "a long enough one"}
    done = await client.post("/confirm", data=password)
    assert done.status_code == 303
    return done.headers["location"]


async def buy(till: Till, plans: str, slug: str) -> None:
    """On the plans' page, signed in now: press the button and pay."""
    page = (await till.client.get(plans)).text
    action = unescape(re.findall(r'action="(/checkout[^"]*)"', page)[0])
    pressed = await till.client.post(action, data={"plan": slug, "next": "/library"})
    await till.come_back(await till.pay(pressed.headers["location"]))
    await till.settle()


async def told() -> dict[str, Earned]:
    now = utcnow()
    async with db.transaction() as session:
        # The stand-in's clock runs ahead of ours.
        lines = await queries.by_article(session, now - timedelta(days=1), now + timedelta(days=99))
    return {line.title: line.earned for line in lines}


async def test_an_article_gets_the_sign_up_the_trial_and_the_payments_that_it_brought(till: Till) -> None:
    slug = await set_up(till, trial_days=7)
    plans = await join(till, "/articles/hips", "ana@example.com")
    assert plans.endswith("from=hips")
    assert await told() == {"Hip pain": Earned(sign_ups=1)}
    await buy(till, plans, slug)
    assert await told() == {"Hip pain": Earned(sign_ups=1, trials=1)}
    await till.pass_days(8)
    await till.settle()
    assert await told() == {"Hip pain": Earned(1, 1, 1, {"usd": 1900})}
    async with db.transaction() as session:
        assert list(await session.scalars(select(User.came_from).where(User.email == "ana@example.com"))) == [
            "hips"
        ]
        assert list(await session.scalars(select(CheckoutAttempt.came_from))) == ["hips"]


async def test_a_member_who_joined_from_one_article_and_buys_from_another(till: Till) -> None:
    slug = await set_up(till)
    await join(till, "/courses/lower-body/rotators?from=hips", "ana@example.com")
    await buy(till, "/plans?from=other", slug)
    assert await told() == {
        "Hip pain": Earned(sign_ups=1),
        "Other": Earned(first_payments=1, money={"usd": 1900}),
    }
    # The article moves; what it earned stays its own.
    async with db.transaction() as session:
        teacher = await factories.staff(session)
    await factories.sign_in(till.client, teacher)
    page = words_of((await till.client.get("/studio/money/articles?days=90")).text)
    assert "Other 0 0 0 1 $19" in page
    assert "Hip pain 0 1 0 0 –" in page


async def test_what_no_article_brought_is_counted_for_none_and_invented_ones_are_told_apart(
    till: Till,
) -> None:
    slug = await set_up(till)
    await till.member()
    await buy(till, "/plans", slug)
    assert await told() == {}
    async with db.transaction() as session:
        await session.execute(update(User).values(came_from="no-such-article"))
        lines = await queries.by_article(session, utcnow() - timedelta(days=1), utcnow() + timedelta(days=1))
    assert [(line.id, line.title) for line in lines] == [(None, "no-such-article")]


async def test_an_article_that_moved_is_one_under_both_addresses(till: Till) -> None:
    from app.articles import old_addresses
    from app.articles.models import Article

    async with db.transaction() as session:
        article = await factories.article(session, slug="hips", title="Hip pain")
        await factories.user(session, came_from="hips")
        row = await session.get_one(Article, article.id)
        row.slug = "hip-pain"
        await old_addresses.remember(session, ["/articles/hips"], article_id=article.id)
        await factories.user(session, came_from="hip-pain")
    assert await told() == {"Hip pain": Earned(sign_ups=2)}


async def test_only_staff_see_what_articles_earn(client: httpx.AsyncClient) -> None:
    assert (await client.get("/studio/money/articles")).status_code == 401
    async with db.transaction() as session:
        member = await factories.user(session)
        teacher = await factories.staff(session)
    await factories.sign_in(client, member)
    assert (await client.get("/studio/money/articles")).status_code == 403
    await factories.sign_in(client, teacher)
    assert "Nothing in this time" in (await client.get("/studio/money/articles?days=x")).text


async def test_an_address_that_names_no_slug_is_carried_nowhere(client: httpx.AsyncClient) -> None:
    for said in ("//evil.example", "a b", "<script>", "x" * 200, "UPPER"):
        page = (await client.get("/join", params={"from": said})).text
        assert 'action="/join" novalidate' in page


def stepping(article: str = "hips", **said: str) -> dict[str, str]:
    """What a browser says of a link that somebody followed on an article's page."""
    told = {"sec-fetch-mode": "navigate", "sec-fetch-site": "same-origin"}
    return {**told, "referer": f"https://limber.test/articles/{article}", **said}


async def opened() -> dict[str, int]:
    now = utcnow()
    async with db.transaction() as session:
        lines = await queries.by_article(session, now - timedelta(days=1), now + timedelta(days=1))
    return {line.title: line.visits for line in lines if line.visits}


async def test_a_step_from_an_article_to_an_offer_is_counted_and_nobody_is_known_by_it(till: Till) -> None:
    await set_up(till)
    client, wall = till.client, "/courses/lower-body/rotators?from=hips"
    for path in (wall, "/plans?next=%2Flibrary&from=hips"):
        answer = await client.get(path, headers=stepping())
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
    assert await opened() == {"Hip pain": 2}
    await client.get(wall, headers=stepping())
    await client.get("/plans?from=other", headers=stepping("other"))
    assert await opened() == {"Hip pain": 3, "Other": 1}


@pytest.mark.parametrize(
    "said",
    [
        {"sec-fetch-mode": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "none"},
        {"sec-purpose": "prefetch;prerender"},
        {"purpose": "prefetch"},
        {"referer": ""},
        {"referer": "https://limber.test/courses/lower-body/rotators"},
        {"referer": "https://limber.test/articles/other"},
        {"referer": "http://[broken"},
    ],
    ids=str,
)
async def test_what_no_reader_stepped_to_is_not_counted(till: Till, said: dict[str, str]) -> None:
    await set_up(till)
    for path in ("/courses/lower-body/rotators?from=hips", "/plans?from=hips"):
        assert (await till.client.get(path, headers=stepping(**said))).status_code == 200
    await till.client.get("/plans?from=no-such", headers=stepping("no-such"))
    await till.client.get("/plans", headers=stepping())
    assert await opened() == {}


async def test_who_is_offered_nothing_is_not_counted(till: Till) -> None:
    await set_up(till)
    async with db.transaction() as session:
        member = await factories.user(session)
        await factories.entitlement(session, member)
        teacher = await factories.staff(session)
    for user in (member, teacher):
        await factories.sign_in(till.client, user)
        for path in ("/courses/lower-body/rotators?from=hips", "/plans?from=hips"):
            await till.client.get(path, headers=stepping())
    assert await opened() == {}


async def test_counts_are_forgotten_once_no_time_shows_them(database: db.Database) -> None:
    now = utcnow()
    async with db.transaction() as session:
        await factories.article(session, slug="hips", title="Hip pain")
        for days in (500, 300, 0, 0):
            await visits.count(session, "hips", now - timedelta(days=days))
        await visits.forget_old(session, now)
        lines = await queries.by_article(session, now - timedelta(days=900), now)
    assert [line.visits for line in lines] == [3]
