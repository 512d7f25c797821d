"""What is said in a film can be found, each line with its second; who may find it is asked when it is read."""

import asyncio

from sqlalchemy.ext.asyncio import AsyncSession

from app.indexing import writing
from app.indexing.rules import Line, cut_lines
from app.indexing.writing import Found, Subject
from app.video import captions
from app.video.captions_models import CaptionTrack


async def index(db: AsyncSession, track: CaptionTrack) -> None:
    """Write the captions of one language into the index; they must have been flushed."""
    # An hour of captions takes a tenth of a second.
    cues = await asyncio.to_thread(captions.read, track.vtt, None)
    lines = [Line(cue.start_ms // 1000, captions.words(cue.text)) for cue in cues]
    await writing.put(db, Subject.of("spoken", track.id), Found("", pieces=tuple(cut_lines(lines))))
