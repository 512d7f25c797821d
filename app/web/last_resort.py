"""The page for when even drawing a page fails: it needs no database, no template, no translation and no build."""

import html
from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from app.i18n import _
from app.settings import get_settings
from app.templating import asset

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>{sentence}</title>
{style}
</head>
<body>
<header class="site-header"><div class="page"><a class="site-name" href="/">{name}</a></div></header>
<main><div class="page-narrow stack">
<h1>{sentence}</h1>
<p class="cluster"><a class="btn btn-primary" href="{again}">{try_again}</a> <a href="/">{home}</a></p>
</div></main>
</body>
</html>
"""


def last_resort(status: int, again: str) -> HTMLResponse:
    """A plain page that says that something is wrong; `again` is the address that was asked for, on this site."""
    words = {
        "sentence": "Something went wrong on our side. Please try again in a minute.",
        "try_again": "Try again",
        "home": "To the first page",
    }
    style = ""
    try:
        words = {
            "sentence": _("Something went wrong on our side. Please try again in a minute."),
            "try_again": _("Try again"),
            "home": _("To the first page"),
        }
        style = f'<link rel="stylesheet" href="{asset("site.css")}">'
    except Exception:  # noqa: S110 (whatever is broken here was logged as the reason for this page)
        pass
    name = urlsplit(get_settings().base_url).hostname or ""
    filled = {**words, "name": name, "again": again}
    text = PAGE.format(style=style, **{key: html.escape(value) for key, value in filled.items()})
    return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})
