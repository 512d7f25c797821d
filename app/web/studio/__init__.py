"""The studio: everything staff do in the browser. Every route below it needs the STAFF permission."""

from importlib import import_module

from fastapi import APIRouter

from app.accounts.permissions import Permission
from app.web.guard import needs

PAGES = (
    "today",
    "articles",
    "revisions",
    "series",
    "responses",
    "bans",
    "messages",
    "waiting",
    "terms",
    "courses",
    "videos",
    "plans",
    "price_moves",
    "money",
    "rehearsal",
    "leaving",
    "earning",
    # Before the members, whose addresses end in anything.
    "sharing",
    "members",
    "entitlements",
    "activity",
    "importing",
    "settings",
    "pages",
)

router = APIRouter(dependencies=[needs(Permission.STAFF)], tags=["studio"])
for _name in PAGES:
    router.include_router(import_module(f"app.web.studio.{_name}").router, prefix="/studio")
