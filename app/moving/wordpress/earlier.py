"""What earlier runs of the same site said and brought: an export may come in parts, one run after the other."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, fields, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Text, cast, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.articles.models import Article, ArticleTag, OldAddress, Tag
from app.moving.models import Arrival, FormerItem
from app.moving.wordpress import memberpress, rules, wxr
from app.moving.wordpress.index import Index
from app.moving.wordpress.menu_rules import Line
from app.moving.wordpress.writing import ARTICLE

ITEM, LINE, TERM, WAITING = "item", "line", "term", "waiting"
# What other parts refer to, besides articles.
THINGS = frozenset({"attachment", "wp_block", memberpress.KIND})
# Longer ones no WordPress writes, and no index holds.
_LONGEST_ID = 500
_AT_ONCE = 500


async def recall(db: AsyncSession, source: str, index: Index) -> None:
    """Let the index know what other parts said, and give articles of earlier runs the address that they have."""
    async for row in _rows(db, source, ITEM):
        index.add_earlier({**row.said, "id": row.foreign_id})
    async for row in _rows(db, source, TERM):
        said = dict(row.said)
        # A rule or a menu may name it by its number, and this part may not describe it.
        keep = index.terms.use if said.pop("is_used") else index.terms.add
        keep(wxr.Term(**said))
    rows = await db.execute(
        select(Arrival.foreign_id, Article.id, Article.slug, Article.is_listed, Article.created_at)
        .join(Article, cast(Article.id, Text) == Arrival.target)
        .where(Arrival.source == source, Arrival.kind == ARTICLE)
    )
    apart = {}
    for number, article_id, slug, is_listed, created_at in rows:
        if not index.kind(number):
            kind = "post" if is_listed else "page"
            index.add_earlier({"id": number, "kind": kind, "status": "publish", "slug": slug})
        index.set_slug(number, slug)
        index.set_came(number, created_at)
        if index.is_earlier(number):
            apart[article_id] = number
    known = list(apart)
    for start in range(0, len(known), 5000):
        paths = await db.execute(
            select(OldAddress.path, OldAddress.article_id).where(
                OldAddress.article_id.in_(known[start : start + 5000])
            )
        )
        for path, owner in paths:
            if owner is not None:
                index.add_address(path, apart[owner])


async def remember(db: AsyncSession, source: str, index: Index, kinds: Iterable[str]) -> None:
    """Keep what these files say for parts that come later."""
    rows: list[tuple[str, dict[str, Any]]] = []
    for said in index.said({*kinds, *THINGS}):
        rows.append((said.pop("id"), said))
        if len(rows) >= _AT_ONCE:
            await _keep(db, source, ITEM, rows)
            rows = []
    await _keep(db, source, ITEM, rows)
    terms = [
        (f"{one.taxonomy}:{one.slug}", {**asdict(one), "is_used": is_used})
        for one, is_used in index.terms.all()
    ]
    for start in range(0, len(terms), _AT_ONCE):
        await _keep(db, source, TERM, terms[start : start + _AT_ONCE])


async def lines(db: AsyncSession, source: str, own: Sequence[Line]) -> list[Line]:
    """The menus' lines of other parts. Those that came together with one that is in these files are what it was."""
    batches: dict[str, list[Line]] = {}
    async for row in _rows(db, source, LINE):
        said = dict(row.said)
        batches.setdefault(said.pop("batch"), []).append(Line(**said))
    ours = {line.id for line in own}
    return [line for batch in batches.values() if ours.isdisjoint(one.id for one in batch) for line in batch]


async def remember_lines(db: AsyncSession, source: str, own: Sequence[Line], others: Sequence[Line]) -> None:
    """Keep the lines of these files, and of all those before only `others`."""
    kept = {line.id for line in others}
    gone = delete(FormerItem).where(FormerItem.source == source, FormerItem.kind == LINE)
    await db.execute(gone.where(FormerItem.foreign_id.not_in(kept)))
    batch = sha256("\0".join(sorted(line.id for line in own)).encode()).hexdigest()[:16]
    said = [(line.id, {**asdict(line), "batch": batch}) for line in own]
    for start in range(0, len(said), _AT_ONCE):
        await _keep(db, source, LINE, said[start : start + _AT_ONCE])


async def wait(db: AsyncSession, source: str, item: wxr.Item, wants: Sequence[str]) -> None:
    """Keep an article's words while something that it leads to has not come; forget them once all of it has."""
    if wants:
        await _keep(db, source, WAITING, [(item.id, {"wants": sorted(wants), "item": _as_json(item)})])
    else:
        await db.execute(
            delete(FormerItem).where(
                FormerItem.source == source, FormerItem.kind == WAITING, FormerItem.foreign_id == item.id
            )
        )


async def waiting(db: AsyncSession, source: str) -> list[tuple[str, list[str]]]:
    """(number, what it waits for) of every article that waits."""
    rows = await db.execute(
        select(FormerItem.foreign_id, FormerItem.said["wants"])
        .where(FormerItem.source == source, FormerItem.kind == WAITING)
        .order_by(FormerItem.foreign_id)
    )
    return [(number, wants) for number, wants in rows]


async def item(db: AsyncSession, source: str, number: str) -> wxr.Item:
    """One that waits."""
    row = await db.get(FormerItem, (source, WAITING, number))
    assert row is not None, number
    return _from_json(row.said["item"])


async def brought(db: AsyncSession, source: str) -> list[tuple[str, list[str]]]:
    """(number, tags) of every article of this site that is here."""
    rows = await db.execute(
        select(Arrival.foreign_id, func.array_remove(func.array_agg(Tag.slug), None))
        .join(Article, cast(Article.id, Text) == Arrival.target)
        .outerjoin(ArticleTag, ArticleTag.article_id == Article.id)
        .outerjoin(Tag, Tag.id == ArticleTag.tag_id)
        .where(Arrival.source == source, Arrival.kind == ARTICLE)
        .group_by(Arrival.foreign_id)
        .order_by(Arrival.foreign_id)
    )
    return [(number, list(tags)) for number, tags in rows]


async def _rows(db: AsyncSession, source: str, kind: str) -> AsyncIterator[FormerItem]:
    wanted = select(FormerItem).where(FormerItem.source == source, FormerItem.kind == kind)
    found = await db.stream_scalars(
        wanted.order_by(FormerItem.foreign_id), execution_options={"yield_per": _AT_ONCE}
    )
    async for row in found:
        yield row
        db.expunge(row)


async def _keep(db: AsyncSession, source: str, kind: str, rows: Sequence[tuple[str, dict[str, Any]]]) -> None:
    values = [
        {"source": source, "kind": kind, "foreign_id": number, "said": said}
        for number, said in rows
        if len(number) <= _LONGEST_ID
    ]
    if not values:
        return
    made = insert(FormerItem).values(values)
    await db.execute(
        made.on_conflict_do_update(
            index_elements=[FormerItem.source, FormerItem.kind, FormerItem.foreign_id],
            set_={"said": made.excluded.said},
            where=FormerItem.said.is_distinct_from(made.excluded.said),
        )
    )


def _as_json(item: wxr.Item) -> dict[str, Any]:
    """Without what nobody here needs again: responses hold the addresses of people who wrote them."""
    bare = replace(
        item,
        comments=(),
        # Whether there is one says enough.
        password="x" if item.password else "",
        meta={name: value for name, value in item.meta.items() if name in rules.META_KEPT},
        meta_keys=(),
        unread=(),
    )
    found = asdict(bare)
    for name in ("at", "changed_at"):
        found[name] = found[name].isoformat() if found[name] else None
    return found


def _from_json(said: dict[str, Any]) -> wxr.Item:
    known = {field.name: said[field.name] for field in fields(wxr.Item) if field.name in said}
    for name in ("at", "changed_at"):
        known[name] = datetime.fromisoformat(known[name]) if known[name] else None
    known["terms"] = tuple(wxr.Term(**term) for term in known["terms"])
    for name in ("comments", "old_slugs", "meta_keys", "unread"):
        known[name] = tuple(known[name])
    return wxr.Item(**known)
