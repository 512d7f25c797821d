"""Speech to text, an optional extra: there when `faster-whisper` is installed, and absent by default."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from app.video.captions import clean
from app.video.subtitles import Cue

# Good enough to correct by hand, and small enough for a machine without a graphics card.
MODEL = "small"


def is_available() -> bool:
    """Whether this machine can write captions by itself."""
    return find_spec("faster_whisper") is not None


def transcribe(path: Path, language: str) -> tuple[Cue, ...]:
    """What is said in the film or sound file, to be read over by a person. `language`: a BCP 47 tag.

    Blocks for minutes: call it in a process of its own. The first call fetches the model.

    Raises:
        ModuleNotFoundError: `faster-whisper` is not installed.
    """
    whisper = import_module("faster_whisper")
    model = whisper.WhisperModel(MODEL, device="auto", compute_type="int8")
    segments, _facts = model.transcribe(str(path), language=language.split("-")[0], vad_filter=True)
    return cues_from([(segment.start, segment.end, segment.text) for segment in segments])


def cues_from(segments: list[tuple[float, float, str]]) -> tuple[Cue, ...]:
    """Cues of segments (start and end in seconds, words); those without length or words are left out."""
    found = [Cue(round(start * 1000), round(end * 1000), clean(words)) for start, end, words in segments]
    return tuple(cue for cue in found if cue.text and cue.start_ms < cue.end_ms)
