"""Render the hosted pages: plain HTML, no script, a style sheet of their own."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

FOLDER = Path(__file__).parent
SELF = "'self'"
_ZERO_DECIMAL = frozenset(
    [
        "bif",
        "clp",
        "djf",
        "gnf",
        "jpy",
        "kmf",
        "krw",
        "mga",
        "pyg",
        "rwf",
        "ugx",
        "vnd",
        "vuv",
        "xaf",
        "xof",
        "xpf",
    ]
)
_SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}

_environment = Environment(
    loader=FileSystemLoader(FOLDER),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def money(amount: int, currency: str) -> str:
    """An amount in minor units as people read it: `$19.00`, `¥500`."""
    sign = _SIGNS.get(currency, f"{currency.upper()} ")
    minus = "-" if amount < 0 else ""
    if currency in _ZERO_DECIMAL:
        return f"{minus}{sign}{abs(amount):,}"
    return f"{minus}{sign}{abs(amount) / 100:,.2f}"


def day(moment: int) -> str:
    """A Unix time as a date."""
    return f"{datetime.fromtimestamp(moment, UTC):%-d %B %Y}"


def minute(moment: int) -> str:
    """A Unix time as a date and time."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d %H:%M:%S} UTC"


_environment.filters.update(money=money, day=day, minute=minute)


def page(
    template: str, status: int = 200, leads_to: Iterable[str | None] = (), **context: Any
) -> HTMLResponse:
    """A page. `leads_to` are addresses that its forms may redirect to: Chromium holds `form-action` against
    redirects too."""
    html = _environment.get_template(template).render(**context)
    origins = sorted(
        {f"{one.scheme}://{one.netloc}" for one in map(urlsplit, filter(None, leads_to)) if one.netloc}
    )
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {' '.join([SELF, *origins])}"
    )
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return HTMLResponse(html, status, headers)
