"""The Jinja environment: autoescape, StrictUndefined, translation, and the few filters that pages share."""

import json
from collections.abc import MutableMapping
from datetime import date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency
from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    Template,
    pass_eval_context,
    select_autoescape,
)
from jinja2.nodes import EvalContext
from markupsafe import Markup

from app import i18n
from app.clock import current_zone
from app.template_code import Drawing, Writer

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = ROOT / "templates"
DIST = ROOT / "static" / "dist"


def day(value: datetime | date | str) -> str:
    """`25 November 2026`, as the site's language writes it; of an instant, the day that it is at the practice.

    Mails carry instants as ISO 8601.
    """
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        value = value.astimezone(current_zone()).date()
    return _day(value, i18n.current_locale())


# A page of responses has hundreds of days, and Babel takes 21 µs for each.
@lru_cache(maxsize=4096)
def _day(value: date, locale: str) -> str:
    # In English a day that readers on both sides of the Atlantic read the same.
    return format_date(value, "d MMMM yyyy" if locale == i18n.DEFAULT_LOCALE else "long", locale=locale)


def moment(value: datetime) -> str:
    """`25 Nov 2026, 09:00`, as the clock says it at the practice."""
    value = value.astimezone(current_zone()).replace(tzinfo=None)
    locale = i18n.current_locale()
    return format_datetime(
        value, "d MMM yyyy, HH:mm" if locale == i18n.DEFAULT_LOCALE else "medium", locale=locale
    )


def money(amount_cents: int, currency: str) -> str:
    """An amount in the currency's minor unit (Stripe's integer) as people write it.

    Source: https://docs.stripe.com/currencies#zero-decimal
    """
    return _money(amount_cents, currency, i18n.current_locale())


@lru_cache(maxsize=1024)
def _money(amount_cents: int, currency: str, locale: str) -> str:
    whole = amount_cents if currency in ZERO_DECIMAL else amount_cents / 100
    return format_currency(whole, currency.upper(), locale=locale).removesuffix(".00")


@lru_cache(maxsize=4096)
def clock(seconds: float | None) -> str:
    """`4:05` or `1:02:03`, whole seconds as a player counts them; a dash where nothing is known."""
    if seconds is None:
        return "–"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def tel(phone: str) -> str:
    """The number as a `tel:` link wants it: digits and a leading plus."""
    return ("+" if phone.strip().startswith("+") else "") + "".join(c for c in phone if c.isdigit())


ZERO_DECIMAL = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split()  # noqa: SIM905 (one line, not sixteen)
)


@lru_cache(maxsize=1)
def manifest() -> dict[str, Any]:
    """What the front-end build wrote: hashed file names and the hashes of injected style elements.

    Raises:
        FileNotFoundError: when static/dist was not built (`make build`).
    """
    data: dict[str, Any] = json.loads((DIST / "manifest.json").read_text("utf-8"))
    return data


def asset(name: str) -> str:
    """URL of a built file, by its source name."""
    return f"/static/{manifest()['entries'][name]['file']}"


class _Environment(Environment):
    code_generator_class = Writer
    context_class = Drawing

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._loaded: dict[str, Template] = {}

    def get_template(
        self,
        name: str | Template,
        parent: str | None = None,
        globals: MutableMapping[str, Any] | None = None,
    ) -> Template:
        """As Jinja's, whose own cache takes a lock and moves the template to the end of a queue: a page extends and
        imports fifteen. All of ours fit, and none changes while the process lives."""
        found = self._loaded.get(name) if isinstance(name, str) and globals is None else None
        if found is None:
            found = super().get_template(name, parent, globals)
            if isinstance(name, str) and globals is None:
                self._loaded[name] = found
        return found

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """One plain dict for all templates. With Jinja's own, a ChainMap for each, every import of a macro compares
        all names one by one, in Python."""
        return {**self.globals, **d} if d else self.globals


@pass_eval_context
def _said(context: EvalContext, message: str, /, **gaps: Any) -> str:
    """As Jinja's new-style gettext, which calls through three functions and formats also where there are no gaps."""
    if not gaps and context.autoescape:
        return i18n.marked(i18n.current_locale(), message)
    text = i18n.gettext(message)
    return (Markup(text) if context.autoescape else text) % gaps  # noqa: S704 (gaps are escaped)


@lru_cache(maxsize=1)
def environment() -> Environment:
    """The one environment; templates are compiled once per process."""
    env = _Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(["html"], default=False),
        undefined=StrictUndefined,
        # A new template comes with a new process: asking for each one's date was a twentieth of a page.
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    env.install_gettext_callables(i18n.gettext, i18n.ngettext, newstyle=True)  # type: ignore[attr-defined]
    env.globals.update({"_": _said, "gettext": _said})
    env.filters.update({"day": day, "moment": moment, "money": money, "clock": clock, "tel": tel})
    # Sorted by default, for which `json.dumps` makes an encoder each time.
    env.policies["json.dumps_kwargs"] = {}
    env.globals["asset"] = asset
    env.globals["language_tag"] = lambda: i18n.language_tag(i18n.current_locale())
    return env
