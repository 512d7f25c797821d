"""What this process knows by heart about viewings, kept fresh: the keys of tokens, and who stands where nginx is told.

Both at once: waking a process that has slept costs more than what it then asks (docs/adr/0028-told-beside.md).
"""

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError

from app.playback import keyring
from app.playback.standing import standing

EVERY_S = 5.0
log = logging.getLogger("limber.playback")


async def keep_fresh() -> None:
    """Read the rotations of keys, and look up who may be asked about, every few seconds until cancelled."""
    while True:
        try:
            await keyring.refresh()
            standing.look_ahead()
        except (SQLAlchemyError, OSError) as fault:
            log.warning("media keys were not read: %s", type(fault).__name__)
        await asyncio.sleep(EVERY_S)
