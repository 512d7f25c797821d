"""What came here from another site: which thing there became which one here."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utcnow
from app.db import Base


class Arrival(Base):
    """One thing of a former site. `target`: its id or address here, `digest`: of what was written then.

    While a row is here, its thing is never brought in a second time, also when somebody has deleted it since.
    """

    __tablename__ = "arrival"

    source: Mapped[str] = mapped_column(String(220), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    foreign_id: Mapped[str] = mapped_column(Text, primary_key=True)
    target: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64), default="")
    arrived_at: Mapped[datetime] = mapped_column(default=utcnow)
