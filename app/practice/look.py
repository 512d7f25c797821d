"""How the site looks: its colour, its logo and its links, checked, then written with an audit entry."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts import audit
from app.accounts.permissions import Viewer
from app.articles.models import Article
from app.articles.paths import size_of
from app.articles.shown import shown
from app.clock import utcnow
from app.i18n import _
from app.practice import navigation
from app.practice.colours import CLAY, is_colour
from app.practice.models import Practice
from app.practice.navigation import Navigation, PageLink


@dataclass(frozen=True)
class LookDraft:
    """What the form holds. `accent` as `#rrggbb`; `logo` is the address of a picture of ours, or empty."""

    accent: str = CLAY
    logo: str = ""
    is_name_shown: bool = True
    navigation: Navigation = field(default_factory=Navigation)


def check_look(draft: LookDraft, pages: Sequence[PageLink]) -> dict[str, str]:
    """A sentence for each part that cannot be saved."""
    errors = navigation.check(draft.navigation, pages)
    if not is_colour(draft.accent):
        errors["own_colour"] = _("Please choose a colour, or type one like #1f6470.")
    if draft.logo and size_of(draft.logo) is None:
        errors["logo"] = _("Please choose the picture again.")
    return errors


async def all_pages(db: AsyncSession, *, with_drafts: bool = False) -> list[PageLink]:
    """Every page that the teacher wrote, by title; published ones only, unless drafts are asked for."""
    wanted = select(Article.id, Article.slug, Article.title).where(~Article.is_listed).order_by(Article.title)
    if not with_drafts:
        wanted = wanted.where(shown(utcnow()))
    return [PageLink(str(row.id), row.slug, row.title) for row in await db.execute(wanted)]


async def set_navigation(db: AsyncSession, navigation: dict[str, Any]) -> None:
    """Write links that came from elsewhere, as `Navigation.as_json` gives them, making the one row where there is
    none."""
    row = await db.get(Practice, 1)
    if row is None:
        row = Practice(id=1)
        db.add(row)
    row.navigation = navigation
    audit.record(db, None, "practice.look", "look", 1, changed=["navigation"])
    await db.flush()


async def save_look(db: AsyncSession, viewer: Viewer, draft: LookDraft) -> None:
    """Write a checked look, making the one row where there is none."""
    row = await db.get(Practice, 1)
    if row is None:
        row = Practice(id=1)
        db.add(row)
        await db.flush()
    values = {
        "accent": draft.accent,
        "logo": draft.logo,
        "is_name_shown": draft.is_name_shown,
        "navigation": draft.navigation.as_json() if draft.navigation.is_own else row.navigation,
    }
    changed = [name for name, value in values.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, values[name])
    if changed:
        audit.record(db, viewer.user_id, "practice.look", "look", 1, changed=changed)
