"""Which articles everybody may read now: said here once, for every query that shows articles to the public."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_

from app.articles.models import Article


def shown(now: datetime) -> ColumnElement[bool]:
    """Published, and its day has come. No worker has to do anything at that moment."""
    return and_(
        Article.state == "published", or_(Article.published_at.is_(None), Article.published_at <= now)
    )


def scheduled(now: datetime) -> ColumnElement[bool]:
    """Published for a day that is still to come."""
    return and_(Article.state == "published", Article.published_at > now)
