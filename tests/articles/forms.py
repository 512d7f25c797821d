"""What tests of the public forms share: a stamp as old as they like, and reading pages as people and machines do."""

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

from app.articles import stamps
from app.clock import utcnow
from app.settings import get_settings

_JSON_LD = re.compile(r'<script type="application/ld\+json" nonce="[^"]+">(.*?)</script>', re.DOTALL)
_TAG = re.compile(r"<[^>]+>")


def stamp(purpose: str, seconds: float = 30) -> str:
    """The hidden field of a form that was opened so many seconds ago."""
    return stamps.sign(get_settings().link_ring, purpose, utcnow() - timedelta(seconds=seconds))


def words_of(page: str) -> str:
    """The page as it is read, with single spaces."""
    return " ".join(unescape(_TAG.sub(" ", page)).split())


def json_ld(page: str) -> list[dict[str, Any]]:
    """Every JSON-LD block of the page.

    Raises:
        json.JSONDecodeError: when one is not JSON.
    """
    return [json.loads(block) for block in _JSON_LD.findall(page)]
