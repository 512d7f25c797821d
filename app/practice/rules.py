"""What the practice's settings may hold."""

from dataclasses import dataclass

from app.accounts.rules import clean_email
from app.clock import zones
from app.errors import BadInput
from app.i18n import DEFAULT_LOCALE, _, available_locales

BIO_CHARS = 1_200
MOST_STREAMS = 9
MOST_LINKS = 99
HELD_WORDS_CHARS = 4_000
LONGEST = {"site_name": 120, "tagline": 200, "teacher_name": 120, "teacher_role": 200, "contact_email": 254}
LONGEST_PLACE = {"city": 80, "street": 160, "postal_code": 20, "region": 80, "phone": 40, "hours": 400}

Errors = dict[str, str]


@dataclass(frozen=True)
class PracticeWords:
    """What a practice says of itself and chooses for its site."""

    site_name: str = ""
    tagline: str = ""
    teacher_name: str = ""
    teacher_role: str = ""
    teacher_bio: str = ""
    contact_email: str = ""
    time_zone: str = "UTC"
    is_marking: bool = False
    streams_at_once: int = 2
    most_links: int = 2
    held_words: str = ""
    language: str = DEFAULT_LOCALE


class PracticeDraft(PracticeWords):
    """The same, as the settings form holds it."""


@dataclass(frozen=True)
class LocationDraft:
    """One address. `hours` may have several lines."""

    city: str = ""
    street: str = ""
    postal_code: str = ""
    region: str = ""
    phone: str = ""
    hours: str = ""


def _too_long(draft: object, longest: dict[str, int]) -> Errors:
    sentence = _("This is longer than %(most)s characters. Please shorten it.")
    return {
        name: sentence % {"most": most} for name, most in longest.items() if len(getattr(draft, name)) > most
    }


def check_practice(draft: PracticeDraft) -> Errors:
    """A sentence for each field that cannot be saved."""
    errors = _too_long(draft, {**LONGEST, "teacher_bio": BIO_CHARS})
    if not draft.site_name:
        errors["site_name"] = _("Please enter the name of the site: it stands at the top of every page.")
    if not draft.contact_email:
        errors["contact_email"] = _("Please enter the address that messages and new responses go to.")
    else:
        try:
            clean_email(draft.contact_email)
        except BadInput as refused:
            errors["contact_email"] = refused.sentence
    if not 1 <= draft.streams_at_once <= MOST_STREAMS:
        errors["streams_at_once"] = _("Please choose one of the numbers.")
    if not 0 <= draft.most_links <= MOST_LINKS:
        errors["most_links"] = _("Please choose one of the numbers.")
    if len(draft.held_words) > HELD_WORDS_CHARS:
        errors["held_words"] = _("These are too many words. Please keep them below 4,000 characters.")
    if draft.language not in available_locales():
        errors["language"] = _("Please choose one of the languages.")
    if draft.time_zone not in zones():
        errors["time_zone"] = _("Please choose one of the time zones.")
    return errors


def check_location(draft: LocationDraft) -> Errors:
    """A sentence for each field that cannot be saved."""
    errors = _too_long(draft, LONGEST_PLACE)
    if not draft.city:
        errors["city"] = _("Please enter the city.")
    if draft.phone and sum(character.isdigit() for character in draft.phone) < 5:
        errors["phone"] = _("This does not look like a telephone number.")
    return errors
