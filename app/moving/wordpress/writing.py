"""One article with its responses, its old addresses and the memory of all that, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.articles import arriving, old_addresses
from app.articles.arriving import ArrivingComment
from app.articles.models import Article
from app.i18n import N_
from app.moving.models import Arrival
from app.moving.wordpress.translating import Translated

ARTICLE, COMMENT = "article", "comment"
NEW = N_("imported")
SAME = N_("here already, unchanged")
CHANGED = N_("changed there since: brought up to date")
EDITED = N_("changed there since, but edited here too: left as they are here")
DELETED = N_("deleted here since: not brought back")


@dataclass(frozen=True)
class Before:
    """What an earlier run left of one article: None where it is new. `is_edited`: somebody changed it here since."""

    arrival: Arrival | None
    article: Article | None
    is_edited: bool

    def outcome(self, digest: str) -> str:
        """What becomes of it now, in the report's words."""
        if self.arrival is None:
            return NEW
        if self.article is None:
            return DELETED
        if self.arrival.digest == digest:
            return SAME
        return EDITED if self.is_edited else CHANGED


async def before(db: AsyncSession, source: str, item_id: str, *, held: bool = False) -> Before:
    """The article as an earlier run and everybody since has left it; `held`: nobody changes it until the commit."""
    arrival = await db.get(Arrival, (source, ARTICLE, item_id))
    if arrival is None:
        return Before(None, None, False)
    article = await db.get(Article, UUID(arrival.target), with_for_update=held or None)
    if article is None:
        return Before(arrival, None, False)
    return Before(arrival, article, await arriving.digest_of(db, article) != arrival.digest)


async def known_comments(db: AsyncSession, source: str, numbers: Sequence[str]) -> dict[str, UUID]:
    """Number there → id here of the responses that are here."""
    found: dict[str, UUID] = {}
    for start in range(0, len(numbers), 5000):
        rows = await db.execute(
            select(Arrival.foreign_id, Arrival.target).where(
                Arrival.source == source,
                Arrival.kind == COMMENT,
                Arrival.foreign_id.in_(numbers[start : start + 5000]),
            )
        )
        found.update({number: UUID(target) for number, target in rows})
    return found


async def write(
    db: AsyncSession,
    source: str,
    item_id: str,
    was: Before,
    new: Translated,
    comments: Mapping[str, ArrivingComment],
    addresses: Iterable[str],
    now: datetime,
) -> int:
    """Write what is new or changed; answers how many things that were."""
    outcome = was.outcome(new.arriving.digest)
    article = was.article
    if outcome == NEW:
        article = await arriving.add(db, new.arriving, new.rendered)
    elif outcome == CHANGED and article is not None:
        await arriving.replace(db, article, new.arriving, new.rendered)
    if article is None:
        return 0
    changes = len(comments) + (outcome in (NEW, CHANGED))
    if outcome in (NEW, CHANGED):
        await _remember(db, source, ARTICLE, [(item_id, str(article.id), new.arriving.digest)], now)
    await arriving.add_comments(db, article.id, list(comments.values()))
    await _remember(db, source, COMMENT, [(n, str(one.id), "") for n, one in comments.items()], now)
    return changes + await old_addresses.remember(db, addresses, article_id=article.id)


async def _remember(
    db: AsyncSession, source: str, kind: str, rows: Sequence[tuple[str, str, str]], now: datetime
) -> None:
    if not rows:
        return
    made = insert(Arrival)
    made = made.on_conflict_do_update(
        index_elements=[Arrival.source, Arrival.kind, Arrival.foreign_id],
        set_={"target": made.excluded.target, "digest": made.excluded.digest},
    )
    values = [
        {
            "source": source,
            "kind": kind,
            "foreign_id": number,
            "target": target,
            "digest": digest,
            "arrived_at": now,
        }
        for number, target, digest in rows
    ]
    await db.execute(made, values)
