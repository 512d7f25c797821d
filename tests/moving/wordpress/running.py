"""Runs imports for the tests, and reads what came of them."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from app import db
from app.articles.models import Article, Comment, OldAddress
from app.moving.wordpress import importing
from app.moving.wordpress.report import Report


@dataclass
class Told:
    """A report, read while its lists were at hand."""

    text: str
    differing: list[str]
    changes: int


async def run(
    *files: Path, media: str | None = None, is_dry: bool = False, also: frozenset[str] = frozenset()
) -> Told:
    told: list[Told] = []

    def finish(report: Report) -> None:
        told.append(Told("\n".join(report.lines(shown=None)), report.differing, report.changes))

    await importing.run(importing.Wanted(files, media, also, is_dry), finish=finish)
    return told[0]


async def articles() -> dict[str, Article]:
    """Every article by its title."""
    async with db.transaction() as session:
        return {one.title: one for one in await session.scalars(select(Article))}


async def responses() -> list[Comment]:
    async with db.transaction() as session:
        return list(await session.scalars(select(Comment).order_by(Comment.created_at, Comment.name)))


async def old_paths() -> set[str]:
    async with db.transaction() as session:
        return set(await session.scalars(select(OldAddress.path)))
