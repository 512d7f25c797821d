"""What came here from another site: which thing there became which one here, and imports that staff asked for."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utcnow
from app.db import Base, HasId


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


class FormerItem(Base):
    """What the export of a former site said of one thing, for its other parts, which may come later.

    `kind`: item (what links and pictures need to know of it), line (of a menu), term, or waiting:
    a whole article, without its responses, while something that it leads to has not come (`said["wants"]`).
    """

    __tablename__ = "former_item"

    source: Mapped[str] = mapped_column(String(220), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    foreign_id: Mapped[str] = mapped_column(Text, primary_key=True)
    said: Mapped[dict[str, Any]]


class ImportRun(HasId, Base):
    """A WordPress export that staff sent in the studio: looked at first, imported once they say so.

    `state`: looking, looked, importing, done or failed (`problem` says why, in a sentence). `turn` counts how often
    work was begun; whoever works for an older one may not write. `files`: their names, stored as
    `imports/{id}/{n}.xml`. `lines`: the report in short, `adds_up`: whether its numbers are the file's. `phase` is read
    or write while it runs.
    """

    __tablename__ = "import_run"
    __table_args__ = (
        CheckConstraint("state IN ('looking', 'looked', 'importing', 'done', 'failed')", name="state"),
    )

    asked_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    files: Mapped[list[Any]]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    fetches_pictures: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(String(16), default="looking")
    turn: Mapped[int] = mapped_column(default=1)
    phase: Mapped[str] = mapped_column(String(8), default="read")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    problem: Mapped[str] = mapped_column(Text, default="")
    lines: Mapped[list[Any]] = mapped_column(default=list)
    adds_up: Mapped[bool] = mapped_column(default=True)
    asked_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    ended_at: Mapped[datetime | None]
