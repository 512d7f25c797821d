"""The demo site's words: Markdown files in `copy/`, each with a TOML head between `+++` lines."""

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

COPY = Path(__file__).resolve().parent / "copy"
_FENCE = re.compile(r"^\+\+\+\n(.*?)^\+\+\+\n", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class LocationText:
    """One address; the fields are those of `Location`."""

    city: str
    street: str
    region: str
    postal_code: str
    phone: str
    hours: str


@dataclass(frozen=True)
class PracticeText:
    """The fields are those of `Practice`, and its addresses in order."""

    site_name: str
    tagline: str
    teacher_name: str
    teacher_role: str
    teacher_bio: str
    contact_email: str
    time_zone: str
    locations: tuple[LocationText, ...]


@dataclass(frozen=True)
class ArticleText:
    """`related` are slugs in order, `lesson` a lesson's slug, `days_ago` when it was published (below 0: will be)."""

    slug: str
    title: str
    summary: str
    body_md: str
    related: tuple[str, ...]
    lesson: str | None
    days_ago: float
    tags: str = ""


@dataclass(frozen=True)
class ResponseText:
    """`parent` is another response's `key`, which comes earlier. `is_author`: written by the teacher's account."""

    key: str
    parent: str | None
    name: str
    email: str
    is_author: bool
    state: str
    days_ago: float
    body_md: str
    # Why it is not shown: a key of letting_in.CAUSES.
    cause: str = ""


@dataclass(frozen=True)
class TopicText:
    """Something announced. `asked`, `unanswered`: how many days ago each person asked who confirmed, or did not;
    `article`: whose readers they are."""

    slug: str
    title: str
    summary: str
    asked: tuple[float, ...]
    unanswered: tuple[float, ...]
    article: str


@dataclass(frozen=True)
class SeriesText:
    """`parts` are articles' slugs, in order."""

    slug: str
    title: str
    summary: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class PageText:
    slug: str
    title: str
    summary: str
    body_md: str


@dataclass(frozen=True)
class LessonText:
    """`state` is "published" or "announced". The film of a published one has the same slug."""

    slug: str
    title: str
    summary: str
    body_md: str
    needs: str
    is_free: bool
    state: str


@dataclass(frozen=True)
class SectionText:
    title: str
    lessons: tuple[LessonText, ...]


@dataclass(frozen=True)
class CourseText:
    slug: str
    title: str
    summary: str
    body_md: str
    sections: tuple[SectionText, ...]


@dataclass(frozen=True)
class TermText:
    """A muscle or condition; `lessons` and `articles` are slugs."""

    slug: str
    kind: str
    name: str
    synonyms: tuple[str, ...]
    summary: str
    body_md: str
    regions: tuple[str, ...]
    lessons: tuple[str, ...]
    articles: tuple[str, ...]


def documents(text: str) -> list[tuple[dict[str, Any], str]]:
    """Every (head, body) of a file; a file may hold several, one after the other.

    Raises:
        tomllib.TOMLDecodeError: when a head is not TOML.
        ValueError: when the file does not begin with a head.
    """
    parts = _FENCE.split(text)
    if parts[0].strip() or len(parts) == 1:
        raise ValueError("a text begins with a head between two lines of +++")
    return [(tomllib.loads(head), body.strip()) for head, body in zip(parts[1::2], parts[2::2], strict=True)]


@lru_cache(maxsize=64)
def _read(name: str) -> tuple[tuple[dict[str, Any], str], ...]:
    return tuple(documents((COPY / f"{name}.md").read_text("utf-8")))


def practice() -> PracticeText:
    """The invented practice and its two addresses."""
    head, body = _read("practice")[0]
    places = tuple(LocationText(**place) for place in head["locations"])
    return PracticeText(**{**head, "teacher_bio": body, "locations": places})


def articles() -> tuple[ArticleText, ...]:
    """Every article, the oldest first."""
    found = []
    for path in (COPY / "articles").glob("*.md"):
        head, body = _read(f"articles/{path.stem}")[0]
        found.append(
            ArticleText(
                slug=path.stem,
                title=head["title"],
                summary=head["summary"],
                body_md=body,
                related=tuple(head.get("related", ())),
                lesson=head.get("lesson"),
                days_ago=float(head["days_ago"]),
                tags=", ".join(head.get("tags", ())),
            )
        )
    return tuple(sorted(found, key=lambda article: -article.days_ago))


def pages() -> tuple[PageText, ...]:
    """The pages beside the articles, by their slugs."""
    found = []
    for path in sorted((COPY / "pages").glob("*.md")):
        head, body = _read(f"pages/{path.stem}")[0]
        found.append(PageText(path.stem, head["title"], head.get("summary", ""), body))
    return tuple(found)


def responses(article_slug: str) -> tuple[ResponseText, ...]:
    """The responses under an article, parents before their answers; none for an article without a file."""
    if not (COPY / "responses" / f"{article_slug}.md").exists():
        return ()
    teacher = practice()
    found = []
    for head, body in _read(f"responses/{article_slug}"):
        is_author = bool(head.get("author", False))
        found.append(
            ResponseText(
                key=head["key"],
                parent=head.get("parent"),
                name=teacher.teacher_name if is_author else head["name"],
                email=teacher.contact_email if is_author else head["email"],
                is_author=is_author,
                state=head.get("state", "approved"),
                days_ago=float(head["days_ago"]),
                body_md=body,
                cause=head.get("cause", "first" if head.get("state") == "pending" else ""),
            )
        )
    return tuple(found)


def topics() -> tuple[TopicText, ...]:
    """What is announced."""
    return tuple(
        TopicText(**{**head, "asked": tuple(head["asked"]), "unanswered": tuple(head["unanswered"])})
        for head, _body in _read("topics")
    )


def series() -> tuple[SeriesText, ...]:
    return tuple(SeriesText(**{**head, "parts": tuple(head["parts"])}) for head, _body in _read("series"))


def _lesson(slug: str) -> LessonText:
    head, body = _read(f"lessons/{slug}")[0]
    return LessonText(
        slug=slug,
        title=head["title"],
        summary=head["summary"],
        body_md=body,
        needs=head.get("needs", ""),
        is_free=bool(head.get("is_free", False)),
        state=head.get("state", "published"),
    )


def course(slug: str = "lower-body") -> CourseText:
    """A course with its sections and lessons, in order."""
    head, body = _read(f"courses/{slug}")[0]
    sections = tuple(
        SectionText(section["title"], tuple(_lesson(name) for name in section["lessons"]))
        for section in head["sections"]
    )
    return CourseText(slug, head["title"], head["summary"], body, sections)


def captions() -> dict[str, str]:
    """What stands below the films, as WebVTT, by the film's slug."""
    return {path.stem: path.read_text("utf-8") for path in sorted((COPY / "captions").glob("*.vtt"))}


def chapters() -> dict[str, str]:
    """The parts of films as a teacher types them, by the film's slug."""
    return {path.stem: path.read_text("utf-8") for path in sorted((COPY / "chapters").glob("*.txt"))}


def terms() -> tuple[TermText, ...]:
    """Every muscle and condition, by its address."""
    found = []
    for path in sorted((COPY / "terms").glob("*.md")):
        head, body = _read(f"terms/{path.stem}")[0]
        found.append(
            TermText(
                slug=path.stem,
                kind=head["kind"],
                name=head["name"],
                synonyms=tuple(head.get("synonyms", ())),
                summary=head["summary"],
                body_md=body,
                regions=tuple(head["regions"]),
                lessons=tuple(head.get("lessons", ())),
                articles=tuple(head.get("articles", ())),
            )
        )
    return tuple(found)
