"""What a fault of our own means for a film: a sentence for the teacher, and whether waiting can help."""

import errno

from obstore.exceptions import BaseError
from sqlalchemy.exc import DBAPIError

from app.i18n import N_
from app.video.source import DISK_FULL, VideoError
from app.video.words import NO_ROOM as WAITS_FOR_ROOM
from app.video.words import NO_STORAGE as WAITS_FOR_STORAGE

OURS = N_("Something went wrong on our side while converting this film. Please press “Try again”.")
NO_ROOM = N_("There is no space left to store this film. Make room, then press “Try again”.")
NO_STORAGE = N_("The storage did not answer for a day. When it is back, press “Try again”.")
GONE = N_("The uploaded file is not there any more. Please upload the film again.")


def _last(fault: BaseException) -> BaseException:
    """The engine lists what went wrong in each try of a step."""
    tried = getattr(fault, "errors", [fault])
    return tried[-1] if tried else fault


def sentence(fault: BaseException) -> str:
    """What a teacher is told when the tries are used up."""
    return {WAITS_FOR_ROOM: NO_ROOM, WAITS_FOR_STORAGE: NO_STORAGE}.get(waits_for(fault) or "", OURS)


def waits_for(fault: BaseException) -> str | None:
    """What has to come back before another try can help; None when nothing is missing."""
    last = _last(fault)
    if isinstance(last, VideoError):
        return WAITS_FOR_ROOM if last.message == DISK_FULL else None
    if isinstance(last, OSError) and last.errno in (errno.ENOSPC, errno.EDQUOT):
        return WAITS_FOR_ROOM
    return WAITS_FOR_STORAGE if isinstance(last, OSError | BaseError | DBAPIError) else None
