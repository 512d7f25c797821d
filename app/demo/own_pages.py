"""Puts the demo's pages in place as the teacher would, linked at the foot, and a menu below one link at the head."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select

from app import db
from app.accounts.permissions import Viewer
from app.articles import writing
from app.articles.models import Article
from app.articles.rules import ArticleDraft
from app.clock import utcnow
from app.demo import texts
from app.i18n import _
from app.practice import look
from app.practice.navigation import Kept, Navigation, PageLink, from_json


async def add_pages(teacher: Viewer) -> None:
    """The pages, published."""
    now = utcnow()
    async with db.transaction() as session:
        if await session.scalar(select(Article.id).where(~Article.is_listed).limit(1)):
            return
        for words in texts.pages():
            draft = ArticleDraft(words.title, words.slug, words.summary, words.body_md, is_page=True)
            writing.publish(session, teacher, await writing.create(session, teacher, draft, now), now)
        await session.flush()
        await look.set_navigation(session, _menu(await look.all_pages(session)).as_json())


def _menu(pages: Sequence[PageLink]) -> Navigation:
    """What every site begins with, and what there is to choose of the body below its link."""
    first = from_json(None, pages)
    below = (Kept("/muscles", _("Muscles")), Kept("/conditions", _("Conditions")))
    header = (replace(link, items=below) if link.to == "/body" else link for link in first.header)
    return replace(first, header=tuple(header))
