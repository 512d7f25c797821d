"""Facts about what articles lead to, without anybody being known by them."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base


class OfferVisit(Base):
    """How often, on one day (UTC), a browser went from one article to an offer: a lesson's wall, or the plans."""

    __tablename__ = "offer_visit"

    article_id: Mapped[UUID] = mapped_column(ForeignKey("article.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True, index=True)
    visits: Mapped[int]
