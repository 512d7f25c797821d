"""The studio's settings: the practice as visitors see it, and its addresses."""

from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form
from fastapi.responses import RedirectResponse, Response

from app.accounts.rules import tidy
from app.clock import zones
from app.db import Db
from app.errors import NotFound
from app.i18n import DEFAULT_LOCALE, available_locales, current_locale, locale_name
from app.practice import editing, hours, hours_told, queries
from app.practice.models import Location
from app.practice.queries import Place
from app.practice.rules import Errors, LocationDraft, PracticeDraft, check_location, check_practice
from app.web.guard import SignedIn
from app.web.pages import Page

router = APIRouter(prefix="/settings")


def _languages() -> tuple[tuple[str, str], ...]:
    return tuple((locale, locale_name(locale)) for locale in available_locales())


@dataclass(frozen=True)
class SettingsPage:
    draft: PracticeDraft
    locations: tuple[Place, ...]
    errors: Errors = field(default_factory=dict)
    said: str = ""
    zones: tuple[str, ...] = field(default_factory=zones)
    # (locale, what the language calls itself)
    languages: tuple[tuple[str, str], ...] = field(default_factory=_languages)


@dataclass(frozen=True)
class LocationPage:
    """`location` None: a new address. `said`: "save" once it is saved."""

    location: Location | None
    draft: LocationDraft
    errors: Errors = field(default_factory=dict)
    said: str = ""

    @property
    def read(self) -> hours.Reading:
        """What programs understand of the hours, and what only people do."""
        return hours.read(self.draft.hours, current_locale())

    @property
    def told(self) -> tuple[str, ...]:
        """What is understood, in words."""
        return hours_told.told(self.read, current_locale())


def _line(typed: str) -> str:
    return " ".join(tidy(typed).split())


def _lines(typed: str) -> str:
    lines = [_line(line) for line in typed.splitlines()]
    return "\n".join(line for line in lines if line)


async def practice_form(
    site_name: Annotated[str, Form()] = "",
    tagline: Annotated[str, Form()] = "",
    teacher_name: Annotated[str, Form()] = "",
    teacher_role: Annotated[str, Form()] = "",
    teacher_bio: Annotated[str, Form()] = "",
    contact_email: Annotated[str, Form()] = "",
    time_zone: Annotated[str, Form()] = "UTC",
    is_marking: Annotated[bool, Form()] = False,
    streams_at_once: Annotated[int, Form()] = 2,
    most_links: Annotated[int, Form()] = 2,
    held_words: Annotated[str, Form()] = "",
    language: Annotated[str, Form()] = DEFAULT_LOCALE,
) -> PracticeDraft:
    """The form as it was sent, without stray spaces."""
    return PracticeDraft(
        site_name=_line(site_name),
        tagline=_line(tagline),
        teacher_name=_line(teacher_name),
        teacher_role=_line(teacher_role),
        teacher_bio=_line(teacher_bio),
        contact_email=_line(contact_email),
        time_zone=_line(time_zone),
        is_marking=is_marking,
        streams_at_once=streams_at_once,
        most_links=most_links,
        held_words=_lines(held_words),
        language=_line(language),
    )


async def location_form(
    city: Annotated[str, Form()] = "",
    street: Annotated[str, Form()] = "",
    postal_code: Annotated[str, Form()] = "",
    region: Annotated[str, Form()] = "",
    phone: Annotated[str, Form()] = "",
    hours: Annotated[str, Form()] = "",
) -> LocationDraft:
    """The form as it was sent, without stray spaces; hours keep their lines."""
    return LocationDraft(
        city=_line(city),
        street=_line(street),
        postal_code=_line(postal_code),
        region=_line(region),
        phone=_line(phone),
        hours=_lines(hours),
    )


PracticeForm = Annotated[PracticeDraft, Depends(practice_form)]
LocationForm = Annotated[LocationDraft, Depends(location_form)]


def _back(did: str) -> Response:
    return RedirectResponse(f"/studio/settings?did={did}", status_code=303)


@router.get("")
async def settings(page: Page, db: Db, did: str = "") -> Response:
    """GET /studio/settings."""
    facts = await queries.practice(db)
    draft = PracticeDraft(
        site_name=facts.site_name,
        tagline=facts.tagline,
        teacher_name=facts.teacher_name,
        teacher_role=facts.teacher_role,
        teacher_bio=facts.teacher_bio,
        contact_email=facts.contact_email,
        time_zone=facts.time_zone,
        is_marking=facts.is_marking,
        streams_at_once=facts.streams_at_once,
        most_links=facts.most_links,
        held_words=facts.held_words,
        language=facts.language,
    )
    return await page.show("studio/settings/settings.html", SettingsPage(draft, facts.locations, said=did))


@router.post("")
async def save(page: Page, db: Db, viewer: SignedIn, draft: PracticeForm) -> Response:
    """POST /studio/settings."""
    errors = check_practice(draft)
    if errors:
        facts = await queries.practice(db)
        model = SettingsPage(draft, facts.locations, errors)
        return await page.show("studio/settings/settings.html", model, status=422)
    await editing.save_practice(db, viewer, draft)
    return _back("save")


@router.get("/locations/new")
async def new_location(page: Page) -> Response:
    """GET /studio/settings/locations/new."""
    return await page.show("studio/settings/location.html", LocationPage(None, LocationDraft()))


@router.post("/locations")
async def add_location(page: Page, db: Db, viewer: SignedIn, draft: LocationForm) -> Response:
    """POST /studio/settings/locations."""
    errors = check_location(draft)
    if errors:
        model = LocationPage(None, draft, errors)
        return await page.show("studio/settings/location.html", model, status=422)
    place = await editing.add_location(db, viewer, draft)
    return _saved(place.id, draft)


@router.get("/locations/{location_id}")
async def edit_location(location_id: UUID, page: Page, db: Db, did: str = "") -> Response:
    """GET /studio/settings/locations/{id}."""
    place = await _place(db, location_id)
    draft = LocationDraft(place.city, place.street, place.postal_code, place.region, place.phone, place.hours)
    return await page.show("studio/settings/location.html", LocationPage(place, draft, said=did))


@router.post("/locations/{location_id}")
async def save_location(
    location_id: UUID, page: Page, db: Db, viewer: SignedIn, draft: LocationForm
) -> Response:
    """POST /studio/settings/locations/{id}."""
    place = await _place(db, location_id)
    errors = check_location(draft)
    if errors:
        model = LocationPage(place, draft, errors)
        return await page.show("studio/settings/location.html", model, status=422)
    await editing.save_location(db, viewer, location_id, draft)
    return _saved(location_id, draft)


@router.post("/locations/{location_id}/up")
async def move_location_up(location_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/settings/locations/{id}/up."""
    await editing.move_location_up(db, viewer, location_id)
    return _back("location")


@router.post("/locations/{location_id}/delete")
async def remove_location(location_id: UUID, db: Db, viewer: SignedIn) -> Response:
    """POST /studio/settings/locations/{id}/delete."""
    await editing.remove_location(db, viewer, location_id)
    return _back("location-delete")


def _saved(location_id: UUID, draft: LocationDraft) -> Response:
    # Whoever typed hours reads what became of them.
    if draft.hours:
        return RedirectResponse(f"/studio/settings/locations/{location_id}?did=save", status_code=303)
    return _back("location")


async def _place(db: Db, location_id: UUID) -> Location:
    place = await queries.location(db, location_id)
    if place is None:
        raise NotFound
    return place
