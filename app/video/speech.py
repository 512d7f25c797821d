"""Speech to text, an optional extra: there when LIMBER_SPEECH_PYTHON names a Python that has `faster-whisper`."""

import asyncio
import json
import math
from collections.abc import Callable
from pathlib import Path

from app.i18n import N_
from app.settings import get_settings
from app.video import speech_child
from app.video.bounded import Bounds, run
from app.video.captions import clean
from app.video.source import EncodingFailed, Unusable
from app.video.subtitles import Cue

MODELS = "models"
NO_MODEL = N_("The model that reads speech could not be fetched. Does the worker reach the internet?")
NO_SOUND = N_("There is no speech in this film that could be read.")
NOT_HERE = N_("The worker that took this has no program for speech. Ask whoever runs the server.")
STOPPED = N_("Reading the speech took too long or was interrupted. Please try again.")
# On two old cores a minute of film takes about two of work; the model comes first, once.
FETCH_S, PER_FILM_S = 1800, 8


def is_available() -> bool:
    """Whether captions can be written by themselves here."""
    return bool(get_settings().speech_python)


async def transcribe(
    path: Path, language: str, film_s: float, on_percent: Callable[[int], None] | None = None
) -> tuple[Cue, ...]:
    """What is said in the film or sound file, to be read over by a person. `language`: a BCP 47 tag.

    Takes minutes, in a process of its own that ends with the caller. The first call fetches the model.

    Raises:
        Unusable: nothing is said in it.
        EncodingFailed: the program or its model is not there, or it took too long.
    """
    python = get_settings().speech_python
    models = await asyncio.to_thread(_models)
    if not python or not await asyncio.to_thread(Path(python).is_file):
        raise EncodingFailed(NOT_HERE)
    told = _Told(film_s, on_percent)
    limit_s = FETCH_S + PER_FILM_S * math.ceil(film_s)
    ended = await run(
        [python, speech_child.__file__, str(path), language.split("-")[0], str(models)],
        Bounds(cpu_s=limit_s * 4, wall_s=limit_s, stall_s=FETCH_S),
        on_line=told.take,
    )
    if ended.why == "exit" and ended.code == speech_child.NO_MODEL:
        raise EncodingFailed(NO_MODEL, detail=ended.last_words)
    if ended.why == "exit" and ended.code == speech_child.NO_SOUND:
        raise Unusable(NO_SOUND, detail=ended.last_words)
    if not ended.ok:
        raise EncodingFailed(STOPPED, detail=f"{ended.why}, exit {ended.code}: {ended.last_words}")
    cues = cues_from(told.segments)
    if not cues:
        raise Unusable(NO_SOUND)
    return cues


def _models() -> Path:
    """Where models are kept, once fetched."""
    folder = get_settings().data_dir.resolve() / MODELS
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class _Told:
    """Reads the child's lines."""

    def __init__(self, film_s: float, on_percent: Callable[[int], None] | None) -> None:
        self.film_s = max(film_s, 0.001)
        self.on_percent = on_percent
        self.segments: list[tuple[float, float, str]] = []

    def take(self, line: str) -> bool:
        """Whether the line is one of its own: libraries print too."""
        try:
            one = json.loads(line)
            self.segments.append((float(one["start"]), float(one["end"]), str(one["text"])))
        except (ValueError, KeyError, TypeError):
            return False
        if self.on_percent is not None:
            self.on_percent(min(99, int(100 * self.segments[-1][1] / self.film_s)))
        return True


def cues_from(segments: list[tuple[float, float, str]]) -> tuple[Cue, ...]:
    """Cues of segments (start and end in seconds, words); those without length or words are left out."""
    found = [Cue(round(start * 1000), round(end * 1000), clean(words)) for start, end, words in segments]
    return tuple(cue for cue in found if cue.text and cue.start_ms < cue.end_ms)
