"""Translation of every string that people see: gettext catalogues read by Babel, chosen per request."""

from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from babel.support import NullTranslations, Translations

LOCALE_DIR = Path(__file__).resolve().parent.parent / "locale"
DEFAULT_LOCALE = "en"

_locale: ContextVar[str] = ContextVar("limber_locale", default=DEFAULT_LOCALE)


@lru_cache(maxsize=16)
def _catalogue(locale: str) -> NullTranslations:
    return Translations.load(str(LOCALE_DIR), [locale])


def available_locales() -> tuple[str, ...]:
    """English, and each folder of `locale/` that has a compiled catalogue."""
    found = {path.parent.parent.name for path in LOCALE_DIR.glob("*/LC_MESSAGES/messages.mo")}
    return (DEFAULT_LOCALE, *sorted(found - {DEFAULT_LOCALE}))


def use_locale(locale: str) -> None:
    """Make `locale` the language of this request (or work step)."""
    _locale.set(locale if locale in available_locales() else DEFAULT_LOCALE)


def current_locale() -> str:
    return _locale.get()


def gettext(message: str) -> str:
    return str(_catalogue(_locale.get()).ugettext(message))


def ngettext(singular: str, plural: str, n: int) -> str:
    return str(_catalogue(_locale.get()).ungettext(singular, plural, n))


def _(message: str) -> str:
    return gettext(message)


def N_(message: str) -> str:  # noqa: N802 (gettext's own name: marks a string that is translated later)
    return message
