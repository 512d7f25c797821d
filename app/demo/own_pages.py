"""Puts the demo's pages in place as the teacher would: about, privacy and imprint, linked at the foot."""

from sqlalchemy import select

from app import db
from app.accounts.permissions import Viewer
from app.articles import writing
from app.articles.models import Article
from app.articles.rules import ArticleDraft
from app.clock import utcnow
from app.demo import texts


async def add_pages(teacher: Viewer) -> None:
    """The pages, published."""
    now = utcnow()
    async with db.transaction() as session:
        if await session.scalar(select(Article.id).where(~Article.is_listed).limit(1)):
            return
        for words in texts.pages():
            draft = ArticleDraft(words.title, words.slug, words.summary, words.body_md, is_page=True)
            writing.publish(session, teacher, await writing.create(session, teacher, draft, now), now)
