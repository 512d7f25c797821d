"""The teacher's practice as visitors see it: its name, the author box and the addresses."""

from typing import Any

from sqlalchemy import CheckConstraint, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Base, HasId


class Practice(Base):
    """The one row of facts about the site."""

    __tablename__ = "practice"
    __table_args__ = (
        CheckConstraint("id = 1", name="single"),
        CheckConstraint("streams_at_once BETWEEN 1 AND 9", name="streams_at_once"),
        CheckConstraint("most_links BETWEEN 0 AND 99", name="most_links"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    site_name: Mapped[str] = mapped_column(String(120), default="Limber")
    tagline: Mapped[str] = mapped_column(String(200), default="")
    teacher_name: Mapped[str] = mapped_column(String(120), default="")
    teacher_role: Mapped[str] = mapped_column(String(200), default="")
    teacher_bio: Mapped[str] = mapped_column(Text, default="")
    contact_email: Mapped[str] = mapped_column(String(254), default="")
    time_zone: Mapped[str] = mapped_column(String(64), default="UTC")
    # The member's name over the film.
    is_marking: Mapped[bool] = mapped_column(default=False)
    # For each member.
    streams_at_once: Mapped[int] = mapped_column(default=2)
    # Responses with more links, or with one of these words (one on each line), wait for the teacher.
    most_links: Mapped[int] = mapped_column(default=2)
    held_words: Mapped[str] = mapped_column(Text, default="")
    # Of the interface, as its catalogue in locale/ is named.
    language: Mapped[str] = mapped_column(String(16), default="en")
    # `#rrggbb`; what both themes make of it: colours.palette.
    accent: Mapped[str] = mapped_column(String(7), default="#9a4424")
    # The address of a picture of ours (`/pictures/…`), which tells its size.
    logo: Mapped[str] = mapped_column(String(120), default="")
    is_name_shown: Mapped[bool] = mapped_column(default=True)
    # {"header": [{"to", "label", "items"}, …], "footer": […]}, as navigation.py says; None: what all begin with.
    navigation: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), default=None)


class Location(HasId, Base):
    __tablename__ = "location"

    city: Mapped[str] = mapped_column(String(80))
    street: Mapped[str] = mapped_column(String(160), default="")
    postal_code: Mapped[str] = mapped_column(String(20), default="")
    region: Mapped[str] = mapped_column(String(80), default="")
    phone: Mapped[str] = mapped_column(String(40), default="")
    hours: Mapped[str] = mapped_column(Text, default="")
    position: Mapped[int] = mapped_column(default=0)
