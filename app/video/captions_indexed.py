"""What is said in a film and what its parts are called can be found, each with its second; who may find it is asked
when it is read."""

import asyncio
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.indexing import writing
from app.indexing.rules import Line, Piece, cut_lines
from app.indexing.writing import Found, Subject
from app.video import captions, queries
from app.video.captions_models import CaptionTrack


async def index(db: AsyncSession, track: CaptionTrack) -> None:
    """Write the captions of one language into the index; they must have been flushed."""
    # An hour of captions takes a tenth of a second.
    cues = await asyncio.to_thread(captions.read, track.vtt, None)
    lines = [Line(cue.start_ms // 1000, captions.words(cue.text)) for cue in cues]
    await writing.put(db, Subject.of("spoken", track.id), Found("", pieces=tuple(cut_lines(lines))))


async def index_chapters(db: AsyncSession, video_id: UUID) -> None:
    """Write the film's chapters into the index, one passage each; they must have been flushed."""
    chapters = await queries.chapters(db, video_id)
    subject = Subject.chapters_of(video_id)
    if not chapters:
        await writing.remove(db, subject)
        return
    titles = tuple(chapter.title for chapter in chapters)
    pieces = tuple(Piece(chapter.title, at_s=chapter.at_s) for chapter in chapters)
    await writing.put(db, subject, Found("", headings=titles, pieces=pieces))
