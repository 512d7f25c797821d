"""What commands begin with: settings or a plain list of what is wrong, and a database for as long as it is needed."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from pydantic import ValidationError

from app.settings import Settings, get_settings

T = TypeVar("T")


def settings_or_exit() -> Settings:
    """The settings, or a plain list of what is wrong with them and exit code 2."""
    try:
        return get_settings()
    except ValidationError as refused:
        for error in refused.errors():
            print(f"Settings: {error['msg'].removeprefix('Value error, ')}", file=sys.stderr)
        print("`limber doctor` says what each setting wants.", file=sys.stderr)
        raise SystemExit(2) from None


@contextmanager
def with_database() -> Iterator[str]:
    """The address of the database; without DATABASE_URL a private server runs for as long as the block does."""
    settings = settings_or_exit()
    if settings.database_url:
        yield settings.database_url
        return
    from app import postgres

    with postgres.server(settings.data_dir.resolve()) as url:
        os.environ["DATABASE_URL"] = url
        get_settings.cache_clear()
        yield url


def run_with_database(act: Callable[[], Awaitable[T]], *, busy_code: int = 1) -> T:
    """Run `act` on an open database; a refusal is printed as its sentence. Exit code 1, or `busy_code` (a conflict)."""
    from app import db
    from app.errors import Conflict, LimberError

    async def opened(url: str) -> T:
        db.open_database(url)
        try:
            return await act()
        finally:
            await db.close_database()

    with with_database() as url:
        try:
            return asyncio.run(opened(url))
        except LimberError as refused:
            print(refused.sentence, file=sys.stderr)
            raise SystemExit(busy_code if isinstance(refused, Conflict) else 1) from None
