"""Which articles everybody may read now: said here once, for every query that shows articles to the public."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_

from app.articles.models import Article


def shown(now: datetime | ColumnElement[datetime], of: type[Article] = Article) -> ColumnElement[bool]:
    """Published, and its day has come. No worker has to do anything at that moment. `of`: an alias of articles."""
    return and_(of.state == "published", or_(of.published_at.is_(None), of.published_at <= now))


def scheduled(now: datetime) -> ColumnElement[bool]:
    """Published for a day that is still to come."""
    return and_(Article.state == "published", Article.published_at > now)
