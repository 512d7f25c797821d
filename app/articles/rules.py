"""Decisions about articles, responses and messages: what may be saved, who is trusted, how long a text takes."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from app.accounts.rules import clean_email
from app.accounts.rules import tidy as printable
from app.articles.markdown import undescribed
from app.catalog.rules import SLUG_MAX, is_slug, slugify
from app.clock import OtherCentury, typed_moment
from app.errors import BadInput
from app.i18n import _

WORDS_PER_MINUTE = 220
RESPONSE_CHARS = 8_000
MESSAGE_CHARS = 10_000
MOST_TAGS = 20
TAG_CHARS = 80
ALT_CHARS = 300
CAPTION_CHARS = 500
# People read before they write: a form that comes back sooner was filled in by a program.
SHORTEST_WRITING = timedelta(seconds=2)
LONGEST_WRITING = timedelta(days=2)
# Responses (or messages) that one address may send in `THROTTLE_WINDOW`.
THROTTLE_LIMIT = 6
THROTTLE_WINDOW = timedelta(minutes=15)

Errors = dict[str, str]

_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)


def _text(typed: str) -> str:
    """Lines as they are kept: no control characters, one kind of line end."""
    return printable(typed.replace("\r\n", "\n"))


def _line(typed: str) -> str:
    """One line with single spaces."""
    return " ".join(printable(typed).split())


@dataclass(frozen=True)
class ArticleDraft:
    """What the editor's form holds."""

    title: str = ""
    slug: str = ""
    summary: str = ""
    body_md: str = ""
    related: tuple[str, ...] = ()
    lesson: str = ""
    # As typed, with commas between them.
    tags: str = ""
    # As a `datetime-local` field holds it, on the practice's clock; empty: when it is published.
    day: str = ""
    is_page: bool = False

    def tidy(self) -> "ArticleDraft":
        return replace(
            self,
            title=_line(self.title),
            slug=_line(self.slug).lower(),
            summary=_line(self.summary),
            body_md=_text(self.body_md),
            tags=_line(self.tags),
            day=self.day.strip()[:40],
        )

    @property
    def tag_names(self) -> dict[str, str]:
        """Slug → name of each tag, once; what has no letter or digit is none."""
        names = [" ".join(name.split()) for name in self.tags.split(",")]
        return {slug: name for name in reversed(names) if (slug := slugify(name))}


@dataclass(frozen=True)
class SeriesDraft:
    """What the studio's form about a series holds."""

    title: str = ""
    slug: str = ""
    summary: str = ""

    def tidy(self) -> "SeriesDraft":
        return SeriesDraft(_line(self.title), _line(self.slug).lower(), _line(self.summary))


@dataclass(frozen=True)
class PictureDraft:
    """What stands beside a chosen picture in the editor's form."""

    alt: str = ""
    is_decorative: bool = False
    caption: str = ""

    def tidy(self) -> "PictureDraft":
        return PictureDraft(_line(self.alt), self.is_decorative, _line(self.caption))

    @property
    def description(self) -> str:
        return "" if self.is_decorative else self.alt


@dataclass(frozen=True)
class ResponseDraft:
    """What a reader typed under "Leave a Reply"."""

    name: str = ""
    email: str = ""
    body: str = ""
    wants_replies: bool = False

    def tidy(self) -> "ResponseDraft":
        return ResponseDraft(
            _line(self.name), _line(self.email), _text(self.body).strip(), self.wants_replies
        )


@dataclass(frozen=True)
class MessageDraft:
    """What a visitor typed on the contact page."""

    name: str = ""
    email: str = ""
    phone: str = ""
    body: str = ""

    def tidy(self) -> "MessageDraft":
        return MessageDraft(_line(self.name), _line(self.email), _line(self.phone), _text(self.body).strip())


def is_shown(state: str, published_at: datetime | None, now: datetime) -> bool:
    """Whether everybody may read it: published, and its day has come."""
    return state == "published" and (published_at is None or published_at <= now)


def is_scheduled(state: str, published_at: datetime | None, now: datetime) -> bool:
    """Whether it comes out by itself on a later day."""
    return state == "published" and not is_shown(state, published_at, now)


def publication_day(
    state: str, kept: datetime | None, typed: datetime | None, now: datetime
) -> datetime | None:
    """The day that an article has once it is saved: the typed one, else that of its first publication.

    A day to come that was emptied is none: what waited for it is out at once, and a draft has no plan any more.
    """
    if typed is not None:
        return typed
    if kept is not None and kept <= now:
        return kept
    return now if state == "published" else None


def reading_minutes(word_count: int) -> int:
    """Whole minutes, at least one."""
    return max(1, round(word_count / WORDS_PER_MINUTE))


def check_article(draft: ArticleDraft, *, publishing: bool, zone: tzinfo = UTC) -> Errors:
    """A sentence for each field that cannot be saved; a draft needs only a title."""
    errors: Errors = {}
    if not draft.title:
        errors["title"] = _("Please give the article a title.")
    elif len(draft.title) > 200:
        errors["title"] = _("The title is longer than 200 characters. Please shorten it.")
    if len(draft.slug) > SLUG_MAX:
        errors["slug"] = _("The address is longer than 80 characters. Please shorten it.")
    elif draft.slug and not is_slug(draft.slug):
        errors["slug"] = _("Use small letters, digits and hyphens only, for example hip-pain-from-running.")
    if len(draft.summary) > 320:
        errors["summary"] = _("The summary is longer than 320 characters. Two sentences are enough.")
    if len(draft.tag_names) > MOST_TAGS or any(len(name) > TAG_CHARS for name in draft.tag_names.values()):
        errors["tags"] = _(
            "Please give at most 20 tags of at most 80 characters each, with commas between them."
        )
    try:
        typed_moment(draft.day, zone)
    except OtherCentury:
        errors["day"] = _("Choose a day between 2000 and 2099.")
    except ValueError:
        errors["day"] = _("Write the day and time like 2027-01-31 09:00.")
    if lines := undescribed(draft.body_md):
        errors["body_md"] = _(
            "Please say what the picture in line %(lines)s shows, for those who cannot see it: ![what it shows](…), "
            "or ![decorative](…) where it only decorates."
        ) % {"lines": ", ".join(str(line) for line in lines[:10])}
    if publishing and not draft.summary and not draft.is_page:
        errors["summary"] = _("Please write one or two sentences: they stand in lists and in search results.")
    if publishing and not draft.body_md.strip():
        errors["body_md"] = _("The article has no text yet.")
    return errors


def check_series(draft: SeriesDraft) -> Errors:
    """A sentence for each field that cannot be saved."""
    errors: Errors = {}
    if not draft.title:
        errors["title"] = _("Please give the series a title.")
    elif len(draft.title) > 200:
        errors["title"] = _("The title is longer than 200 characters. Please shorten it.")
    if len(draft.slug) > SLUG_MAX or (draft.slug and not is_slug(draft.slug)):
        errors["slug"] = _("Use small letters, digits and hyphens only, for example running-again.")
    if len(draft.summary) > 320:
        errors["summary"] = _("The summary is longer than 320 characters. Two sentences are enough.")
    return errors


def check_picture(draft: PictureDraft) -> Errors:
    """A sentence for each field beside a picture that keeps it from being used."""
    errors: Errors = {}
    if not draft.alt and not draft.is_decorative:
        errors["picture_alt"] = _(
            "Please say what the picture shows, for those who cannot see it, or mark it as decorative."
        )
    elif len(draft.alt) > ALT_CHARS:
        errors["picture_alt"] = _("This is longer than 300 characters. Please say it shorter.")
    if len(draft.caption) > CAPTION_CHARS:
        errors["picture_caption"] = _("The caption is longer than 500 characters. Please shorten it.")
    return errors


def with_line(text: str, line: str) -> str:
    """The text with `line` as a paragraph of its own at its end."""
    return f"{text.rstrip()}\n\n{line}\n" if text.strip() else f"{line}\n"


def _check_person(name: str, email: str) -> Errors:
    errors: Errors = {}
    if not name:
        errors["name"] = _("Please enter your name.")
    elif len(name) > 120:
        errors["name"] = _("The name is longer than 120 characters. Please shorten it.")
    if not email:
        errors["email"] = _("Please enter your email address.")
    else:
        try:
            clean_email(email)
        except BadInput as refused:
            errors["email"] = refused.sentence
    return errors


def check_response(draft: ResponseDraft) -> Errors:
    """A sentence for each field of a response that cannot be taken."""
    errors = _check_person(draft.name, draft.email)
    if not draft.body:
        errors["body"] = _("Please write your response.")
    elif len(draft.body) > RESPONSE_CHARS:
        errors["body"] = _("The response is longer than 8,000 characters. Please shorten it.")
    return errors


def check_message(draft: MessageDraft) -> Errors:
    """A sentence for each field of a message that cannot be sent."""
    errors = _check_person(draft.name, draft.email)
    if len(draft.phone) > 40:
        errors["phone"] = _("This telephone number is longer than 40 characters.")
    if not draft.body:
        errors["body"] = _("Please write your message.")
    elif len(draft.body) > MESSAGE_CHARS:
        errors["body"] = _("The message is longer than 10,000 characters. Please shorten it.")
    return errors


def check_pace(opened_at: datetime | None, now: datetime) -> str | None:
    """Why a form that was opened at `opened_at` is not believed, or None. An unknown stamp counts as too old."""
    if opened_at is None or now - opened_at > LONGEST_WRITING:
        return _("This page was open for a long time. Your words are still here: please send them again.")
    if now - opened_at < SHORTEST_WRITING:
        return _("That was very quick. Your words are still here: please send them once more.")
    return None


@dataclass(frozen=True)
class Suspicion:
    """What makes a response wait, whoever wrote it: more links than `most_links`, or one of `words`."""

    most_links: int = 2
    words: tuple[str, ...] = ()

    def falls_on(self, text: str) -> bool:
        """Whether a text is of that kind; words count in any case, and inside others ("casino" in "casinos")."""
        if len(_LINK.findall(text)) > self.most_links:
            return True
        plain = text.casefold()
        return any(word.strip() and word.strip().casefold() in plain for word in self.words)
