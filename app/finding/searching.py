"""One search over articles, courses, lessons, what is said in them, muscles and conditions."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.access.rules import Allowed, EntitlementFacts, LessonFacts, ViewerFacts, decide, is_active
from app.accounts.permissions import Viewer
from app.articles.paths import address
from app.catalog.rules import Scheduled, is_out
from app.finding import asking, excerpts, rules, statements
from app.finding.asking import Reader, Word
from app.finding.rules import Part

KINDS = ("article", "lesson", "course", "spoken", "term")
PAGE = 10
# Of each kind so many by name and so many by text are ranked: more than anybody leafs through.
MOST = 200
PAGES = 20
# The rank from which on the name itself has the words; `statements.SEARCH` gives so much for it.
NAMED = 0.5


@dataclass(frozen=True)
class Hit:
    """One thing that was found. `at_s`: the second of the film at which it is said, or at which the chapter begins that
    is called so (`is_chapter`).

    `note`: what of the lesson's state tells: "free", "members", "soon", or "" for what is no lesson.
    """

    kind: str
    title: str
    url: str
    excerpt: tuple[Part, ...]
    course: str = ""
    at_s: int | None = None
    is_chapter: bool = False
    note: str = ""
    published_at: datetime | None = None
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Results:
    """`counts`: by kind, up to `MOST` twice; `spelling`: what was looked for instead; `is_partial`: not every word is
    in each of them."""

    hits: tuple[Hit, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    spelling: str = ""
    is_partial: bool = False

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class Asking:
    """Who asks, and when."""

    viewer: Viewer | None
    entitlements: tuple[EntitlementFacts, ...]
    now: datetime

    @property
    def reader(self) -> Reader:
        """What they may watch beside what is free; `decide` has the last word on each hit."""
        if self.viewer is None:
            return Reader()
        active = [one for one in self.entitlements if is_active(one, self.now)]
        everything = self.viewer.is_staff or any(one.course_id is None for one in active)
        return Reader(everything, tuple(one.course_id for one in active if one.course_id))


async def search(db: AsyncSession, asked: str, who: Asking, *, kind: str = "", page: int = 1) -> Results:
    """What this reader finds by the question, the best first: a page of it, of one kind or of all.

    Where nothing has all the words: as they were probably meant; then what has some of them.
    """
    words = await asking.as_asked(db, rules.asked_words(asked))
    if not words:
        return Results()
    await db.execute(statements.PLAN_ONCE)
    found = await _ranked(db, words, who, kind, page)
    if found.total:
        return found
    meant = await asking.respelled(db, words, who.reader, who.now)
    if meant is not None and meant != words:
        found = await _ranked(db, meant, who, kind, page)
        if found.total:
            spelling = " ".join(word.spellings[0] for word in meant)
            return Results(found.hits, found.counts, spelling)
    if len(words) < 2:
        return Results()
    some = await _some(db, words, who)
    found = await _ranked(db, some, who, kind, page, any_word=True) if some else Results()
    return Results(found.hits, found.counts, is_partial=bool(found.total))


async def _some(db: AsyncSession, words: list[Word], who: Asking) -> list[Word]:
    """Each word that finds something, in its spelling or another."""
    found = []
    for word in words:
        found += await asking.respelled(db, [word], who.reader, who.now) or []
    return found


async def _ranked(
    db: AsyncSession, words: list[Word], who: Asking, kind: str, page: int, *, any_word: bool = False
) -> Results:
    wanted = [word.lexemes for word in words]
    page = min(max(page, 1), PAGES)
    values = {
        "named": rules.tsquery(wanted, mark="^", any_word=any_word),
        "whole": rules.tsquery(wanted, any_word=any_word),
        "asked": " ".join(word.spellings[0] for word in words),
        "kind": kind,
        "most": MOST,
        "page": PAGE,
        "after": (page - 1) * PAGE,
        **who.reader.values(who.now),
    }
    counts, top = (await db.execute(statements.SEARCH, values)).one()
    if not top:
        return Results(counts=counts or {})
    ids = [row["id"] for row in top]
    details = await db.execute(statements.DETAILS, {"ids": ids, "lessons": [row["lesson_id"] for row in top]})
    ranks = {row["id"]: row["rank"] for row in top}
    rows = [dict(row) for row in details.mappings() if _may_find(row, who)]
    shown = await excerpts.excerpts(db, [(row["document_id"], row["lead"]) for row in rows], wanted)
    hits = tuple(
        _hit(row, shown[row["document_id"]], who.now, is_named=ranks[row["document_id"]] >= NAMED)
        for row in rows
    )
    return Results(hits, counts)


@dataclass(frozen=True)
class _Lesson:
    state: str
    available_at: datetime | None


def _lesson(row: Any) -> Scheduled:
    return _Lesson(row["lesson_state"], row["available_at"])


def _may_find(row: Any, who: Asking) -> bool:
    """What is said in a lesson is for those who may watch it: the one decision about that is asked again here."""
    if row["kind"] != "spoken":
        return True
    facts = LessonFacts(
        lesson_id=row["lesson_id"],
        course_id=UUID(str(row["course_id"])),
        is_free=row["is_free"],
        is_out=is_out(_lesson(row), who.now),
        has_video=row["has_video"],
    )
    viewer = ViewerFacts(who.viewer.is_staff) if who.viewer else None
    return isinstance(decide(viewer, facts, who.entitlements, who.now), Allowed)


def _hit(row: dict[str, Any], excerpt: excerpts.Excerpt, now: datetime, *, is_named: bool) -> Hit:
    """`is_named`: the title says it all, and one wants to read from the top."""
    kind, title, note = row["kind"], row["title"], ""
    if kind == "article":
        url = address(row["article"], row["is_listed"])
    elif kind == "term":
        url = f"/{row['term_kind']}s/{row['term']}"
    elif kind == "course":
        url = f"/courses/{row['course']}"
    else:
        url = f"/courses/{row['course']}/{row['lesson']}"
        note = "soon" if not is_out(_lesson(row), now) else "free" if row["is_free"] else "members"
    if kind == "spoken" and excerpt.at_s is not None:
        url = f"{url}#t={excerpt.at_s}"
    elif excerpt.anchor and not is_named:
        url = f"{url}#{excerpt.anchor}"
    return Hit(
        kind=kind,
        title=title,
        url=url,
        excerpt=excerpt.parts,
        course=row["course_title"] or "" if kind in ("lesson", "spoken") else "",
        at_s=excerpt.at_s if kind == "spoken" else None,
        is_chapter=row["is_chapter"],
        note=note,
        published_at=row["published_at"],
        synonyms=tuple(row["about"].splitlines()) if kind == "term" else (),
    )
