"""Translation of every string that people see: one gettext file for each language, chosen by the site's teacher.

A translation is a file, `locale/<language>.po` (`de.po`, `pt_BR.po`), or one of that name in a folder given to
`look_in`. It is read as it is: nothing has to be compiled. English is in the code itself.
"""

from contextvars import ContextVar
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from markupsafe import Markup

LOCALE_DIR = Path(__file__).resolve().parent.parent / "locale"
DEFAULT_LOCALE = "en"

_folders = [LOCALE_DIR]
# What this process speaks where nothing has been chosen for the request: what the last page spoke.
_site_locale = DEFAULT_LOCALE
_locale: ContextVar[str | None] = ContextVar("limber_locale", default=None)


def look_in(folder: Path) -> None:
    """Also read translations from here; one of ours of the same name gives way to it."""
    if folder not in _folders:
        _folders.append(folder)
    _files.cache_clear()
    _catalogue.cache_clear()
    _told.cache_clear()
    marked.cache_clear()


@lru_cache(maxsize=1)
def _files() -> dict[str, Path]:
    """Locale → its file. What Babel does not know how to write dates in is no language here."""
    found = {}
    for folder in _folders:
        for path in sorted(folder.glob("*.po")):
            if is_locale(path.stem):
                found[path.stem] = path
    return found


@lru_cache(maxsize=16)
def _catalogue(locale: str) -> NullTranslations:
    path = _files().get(locale)
    if path is None:
        return NullTranslations()
    with path.open("rb") as file:
        read = read_po(file, locale=locale)
    packed = BytesIO()
    write_mo(packed, read)
    packed.seek(0)
    return Translations(fp=packed)


def is_locale(name: str) -> bool:
    """Whether dates and amounts can be written in it: `de`, `pt_BR`."""
    try:
        Locale.parse(name)
    except (ValueError, UnknownLocaleError):
        return False
    return True


def available_locales() -> tuple[str, ...]:
    """English, and each language that has a file. A new file is seen when the process starts."""
    return (DEFAULT_LOCALE, *sorted(set(_files()) - {DEFAULT_LOCALE}))


def locale_name(locale: str) -> str:
    """What the language calls itself: `Deutsch`."""
    name = Locale.parse(locale).display_name or locale
    return name[:1].upper() + name[1:]


def use_locale(locale: str) -> None:
    """Make `locale` the language of this request (or work step), and of what this process says outside of any."""
    global _site_locale
    _site_locale = locale if locale == DEFAULT_LOCALE or locale in _files() else DEFAULT_LOCALE
    _locale.set(_site_locale)


def current_locale() -> str:
    return _locale.get() or _site_locale


@lru_cache(maxsize=16)
def language_tag(locale: str) -> str:
    """As `<html lang>` wants it: `pt-BR`."""
    return locale.replace("_", "-")


@lru_cache(maxsize=16)
def direction(locale: str) -> str:
    """`ltr` or `rtl`."""
    return str(Locale.parse(locale).text_direction)


@lru_cache(maxsize=4096)
def _told(locale: str, message: str) -> str:
    return str(_catalogue(locale).ugettext(message))


@lru_cache(maxsize=4096)
def marked(locale: str, message: str) -> Markup:
    """A sentence of ours without gaps, as it stands in a page: most of what a template says."""
    return Markup(_told(locale, message) % {})  # noqa: S704 (a translation is part of the program)


def gettext(message: str) -> str:
    return _told(current_locale(), message)


def ngettext(singular: str, plural: str, n: int) -> str:
    return str(_catalogue(current_locale()).ungettext(singular, plural, n))


def _(message: str) -> str:
    return gettext(message)


def N_(message: str) -> str:  # noqa: N802 (gettext's own name: marks a string that is translated later)
    return message
