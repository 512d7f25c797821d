"""Which workers live: each tells so every few seconds."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.clock import utcnow
from app.db import Base


class WorkerHeartbeat(Base):
    """A worker process. `taken_over_at` is set by whoever declares it dead; the worker, should it wake, then ends."""

    __tablename__ = "worker_heartbeat"

    executor_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    host: Mapped[str] = mapped_column(String(255))
    pid: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(default=utcnow)
    seen_at: Mapped[datetime] = mapped_column(default=utcnow)
    taken_over_at: Mapped[datetime | None]
