"""What a lesson's film says, as its page shows it: lines that lead to their moment, and chapters."""

from dataclasses import dataclass
from functools import lru_cache

from app.catalog.queries import Spoken, Track
from app.i18n import current_locale
from app.video import captions


@dataclass(frozen=True)
class Moment:
    """Words, and the second of the film to which they lead; `href` jumps there, on the page itself."""

    at_s: int
    words: str

    @property
    def href(self) -> str:
        return f"#t={self.at_s}"


@dataclass(frozen=True)
class SpokenTrack:
    language: str
    label: str
    lines: tuple[Moment, ...]


def spoken(found: Spoken) -> tuple[tuple[SpokenTrack, ...], tuple[Moment, ...]]:
    """Transcripts, the one in the reader's language first, and chapters."""
    reads = current_locale().split("_")[0]
    tracks = sorted(found.tracks, key=lambda row: row.language.split("-")[0] != reads)
    return (
        tuple(_track(row) for row in tracks),
        tuple(Moment(chapter.at_s, chapter.title) for chapter in found.chapters),
    )


def _track(row: Track) -> SpokenTrack:
    return SpokenTrack(row.language, row.label, _lines(row.vtt))


# Reading an hour of captions takes a tenth of a second, and the same ones are read for each visitor.
@lru_cache(maxsize=64)
def _lines(vtt: str) -> tuple[Moment, ...]:
    return tuple(Moment(cue.start_ms // 1000, captions.words(cue.text)) for cue in captions.read(vtt, None))
