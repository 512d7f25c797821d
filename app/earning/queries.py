"""Reads of which article earned what, for the studio."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import User
from app.articles.models import Article, OldAddress
from app.articles.paths import kept
from app.billing.mirror import instant
from app.billing.models import CheckoutAttempt, StripeCharge, StripeCustomer, StripeSubscription
from app.earning.models import OfferVisit
from app.earning.rules import Earned, Paid, Person, earned


@dataclass(frozen=True)
class ArticleLine:
    """An article with what it earned. `id` None: the article is gone, or never was; `title` is then what was said.
    `visits`: how often a browser went from it to an offer."""

    id: UUID | None
    title: str
    earned: Earned
    visits: int = 0


async def by_article(db: AsyncSession, begin: datetime, end: datetime) -> list[ArticleLine]:
    """What each article earned from `begin` and before `end`: most first payments first, then most sign-ups. Visits are
    of whole days."""
    found = earned(await _people(db), begin, end)
    articles = await _articles(db, list(found))
    lines: dict[UUID | str, ArticleLine] = {}
    for slug, one in found.items():
        article_id, title = articles.get(slug, (None, slug))
        key = article_id or slug
        # An article that moved is one, whichever of its addresses people came from.
        before = lines[key].earned if key in lines else Earned()
        lines[key] = ArticleLine(article_id, title, _sum(before, one))
    for article_id, title, visits in await _visits(db, begin, end):
        line = lines.get(article_id, ArticleLine(article_id, title, Earned()))
        lines[article_id] = replace(line, visits=visits)
    return sorted(
        lines.values(),
        key=lambda line: (
            line.id is None, -line.earned.first_payments, -line.earned.sign_ups, -line.earned.trials, -line.visits,
            line.title
        ),
    )  # fmt: skip


async def _visits(db: AsyncSession, begin: datetime, end: datetime) -> list[tuple[UUID, str, int]]:
    rows = await db.execute(
        select(Article.id, Article.title, func.sum(OfferVisit.visits))
        .join(OfferVisit, OfferVisit.article_id == Article.id)
        .where(OfferVisit.day >= begin.date(), OfferVisit.day <= end.date())
        .group_by(Article.id, Article.title)
    )
    return [(article_id, title, visits) for article_id, title, visits in rows]


def _sum(one: Earned, other: Earned) -> Earned:
    currencies = sorted({*one.money, *other.money})
    return Earned(
        one.sign_ups + other.sign_ups,
        one.trials + other.trials,
        one.first_payments + other.first_payments,
        {code: one.money.get(code, 0) + other.money.get(code, 0) for code in currencies},
    )


async def _people(db: AsyncSession) -> list[Person]:
    """Every member whom an article brought, to the account or to the till."""
    # Who pays and closes the tab leaves an open attempt behind; one that was given up is expired.
    bought = (CheckoutAttempt.came_from != "") & (CheckoutAttempt.state != "expired")
    buyers = select(CheckoutAttempt.user_id).where(bought)
    users = (
        await db.execute(
            select(User.id, User.created_at, User.came_from).where(
                or_(User.came_from != "", User.id.in_(buyers))
            )
        )
    ).all()
    ids = [row[0] for row in users]
    attempts: defaultdict[UUID, list[str]] = defaultdict(list)
    wanted = select(CheckoutAttempt.user_id, CheckoutAttempt.came_from).where(bought)
    for user_id, came_from in await db.execute(wanted.order_by(CheckoutAttempt.created_at)):
        attempts[user_id].append(came_from)
    trials = await _trials(db, ids)
    payments = await _payments(db, ids)
    return [
        Person(joined_at, came_from, tuple(attempts[user_id]), trials.get(user_id), tuple(payments[user_id]))
        for user_id, joined_at, came_from in users
    ]


async def _trials(db: AsyncSession, ids: Collection[UUID]) -> dict[UUID, datetime]:
    """When the first trial of each began. Source: https://docs.stripe.com/api/subscriptions/object (trial_start)"""
    begun = StripeSubscription.raw["trial_start"]
    rows = await db.execute(
        select(StripeCustomer.user_id, begun)
        .join(StripeSubscription, StripeSubscription.customer_id == StripeCustomer.id)
        .where(StripeCustomer.user_id.in_(ids), begun.astext.is_not(None))
    )
    found: dict[UUID, datetime] = {}
    for user_id, seconds in rows:
        at = instant(seconds)
        assert at is not None
        found[user_id] = min(at, found.get(user_id, at))
    return found


async def _payments(db: AsyncSession, ids: Collection[UUID]) -> defaultdict[UUID, list[Paid]]:
    rows = await db.execute(
        select(
            StripeCustomer.user_id,
            StripeCharge.paid_at,
            StripeCharge.amount_cents - StripeCharge.refunded_cents,
            StripeCharge.currency,
        )
        .join(StripeCharge, StripeCharge.customer_id == StripeCustomer.id)
        .where(StripeCustomer.user_id.in_(ids))
    )
    found: defaultdict[UUID, list[Paid]] = defaultdict(list)
    for user_id, at, cents, currency in rows:
        if user_id is not None:
            found[user_id].append(Paid(at, cents, currency))
    return found


async def _articles(db: AsyncSession, slugs: Collection[str]) -> dict[str, tuple[UUID, str]]:
    """The articles at these addresses now, or at which they were before."""
    paths = {kept(f"/articles/{slug}"): slug for slug in slugs}
    moved = await db.execute(
        select(OldAddress.path, Article.id, Article.title)
        .join(Article, Article.id == OldAddress.article_id)
        .where(OldAddress.path.in_(list(paths)))
    )
    found = {paths[path]: (article_id, title) for path, article_id, title in moved}
    here = await db.execute(select(Article.slug, Article.id, Article.title).where(Article.slug.in_(slugs)))
    return found | {slug: (article_id, title) for slug, article_id, title in here}
