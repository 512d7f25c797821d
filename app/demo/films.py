"""Draw the demo's films: real H.264 and AAC files of a moving figure, its count, and a tone at each hold."""

import asyncio
import math
import sys
import tempfile
import wave
from array import array
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from app.demo import stage
from app.demo.exercises import ROOMS
from app.i18n import N_
from app.video.ffmpeg import ffmpeg

FPS = 24
HOLD_S = 2.0
REST_S = 0.4
OPENING_S = 1.6
CLOSING_S = 1.6
SOUND_HZ = 48_000
TONE_S = 1.1


@dataclass(frozen=True)
class Film:
    """One demo film: repetitions of one stretch, each held for two seconds."""

    slug: str
    title: str
    repetitions: int
    move_s: float

    @property
    def repetition_s(self) -> float:
        return 2 * self.move_s + HOLD_S + REST_S

    @property
    def length_s(self) -> float:
        return self.frames / FPS

    @property
    def frames(self) -> int:
        return round((OPENING_S + CLOSING_S + self.repetitions * self.repetition_s) * FPS)

    def holds_s(self) -> list[float]:
        """When each hold begins, in seconds."""
        first = OPENING_S + self.move_s
        return [first + number * self.repetition_s for number in range(self.repetitions)]


FILMS: tuple[Film, ...] = (
    Film("hamstring-strap", N_("Hamstrings with a strap"), repetitions=4, move_s=1.25),
    Film("quadriceps-side", N_("Quadriceps, lying on the side"), repetitions=4, move_s=1.25),
    Film("hip-flexor", N_("Hip flexors, kneeling"), repetitions=4, move_s=1.5),
    Film("gluteals", N_("Gluteals, knee to shoulder"), repetitions=4, move_s=1.25),
    Film("deep-rotators", N_("The six deep rotators"), repetitions=4, move_s=1.5),
)


@dataclass(frozen=True)
class _Moment:
    """What one picture shows: how far the stretch is, which repetition, how much of the hold is over."""

    share: float
    number: int
    held: float


def draw(film: Film, path: Path) -> None:
    """Draw `film` into an MP4 file at `path` (1280 × 720, 24 pictures a second); takes some seconds of CPU.

    Not to be called where an event loop runs: give it a thread or, better, a process.
    """
    asyncio.run(_draw(film, path))


def draw_all(folder: Path) -> list[Path]:
    """Draw every film as `folder/SLUG.mp4`, two at a time; a finished file is left as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{film.slug}.mp4" for film in FILMS]
    missing = [(film, path) for film, path in zip(FILMS, paths, strict=True) if not path.exists()]
    with ProcessPoolExecutor(max_workers=2, mp_context=get_context("spawn")) as pool:
        for done in [pool.submit(draw, film, path) for film, path in missing]:
            done.result()
    return paths


async def _draw(film: Film, path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
        sound, picture = Path(folder, "sound.wav"), Path(folder, "film.mp4")
        _write_sound(film, sound)
        await ffmpeg(
            _arguments(sound, picture.name),
            film_s=film.length_s,
            feed=_pictures(film),
            cwd=picture.parent,
        )
        await asyncio.to_thread(picture.replace, path)


def _arguments(sound: Path, out: str) -> list[str]:
    size = f"{stage.WIDTH}x{stage.HEIGHT}"
    return [
        "-protocol_whitelist", "pipe",
        "-f", "rawvideo", "-pixel_format", "yuv420p", "-video_size", size, "-framerate", str(FPS), "-i", "pipe:0",
        "-protocol_whitelist", "file", "-f", "wav", "-i", f"file:{sound}",
        "-vf", "setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709",
        "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
        "-c:v", "libx264", "-preset", "ultrafast", "-crf", "16", "-g", str(2 * FPS),
        "-c:a", "aac", "-b:a", "96k", "-movflags", "+faststart", "-f", "mp4", out,
    ]  # fmt: skip


async def _pictures(film: Film) -> AsyncIterator[bytes]:
    """Every picture as raw 4:2:0. The same moment is drawn once: repetitions differ only in their count."""
    room, figure = ROOMS[film.slug]
    ground = stage.background(room)
    still = stage.planes(ground)
    scenes: dict[float, stage.Planes] = {}
    counts: dict[tuple[int, float, float], stage.Planes] = {}
    for moment in _moments(film):
        scene = scenes.get(moment.share)
        if scene is None:
            patch, at = stage.paint(ground, figure(moment.share))
            scene = scenes[moment.share] = stage.inset(still, stage.planes(patch), at)
        key = (moment.number, moment.held, round(moment.share, 1) if moment.number else 0.0)
        count = counts.get(key)
        if count is None:
            count = counts[key] = stage.planes(stage.count(ground, key[0], film.repetitions, key[1], key[2]))
        yield stage.raw(stage.inset(scene, count, stage.COUNT_AT))


def _moments(film: Film) -> Iterator[_Moment]:
    move = round(film.move_s * FPS)
    hold, rest = round(HOLD_S * FPS), round(REST_S * FPS)
    shares = [_ease(step / move) for step in range(1, move + 1)]
    shown = 0
    for _ in range(round(OPENING_S * FPS)):
        shown += 1
        yield _Moment(0.0, 0, 0.0)
    for number in range(1, film.repetitions + 1):
        repetition = [_Moment(share, number, 0.0) for share in shares]
        repetition += [_Moment(1.0, number, (step + 1) / hold) for step in range(hold)]
        repetition += [_Moment(share, number, 1.0) for share in (*reversed(shares[:-1]), 0.0)]
        repetition += [_Moment(0.0, number, 1.0)] * rest
        shown += len(repetition)
        yield from repetition
    for _ in range(film.frames - shown):
        yield _Moment(0.0, film.repetitions, 1.0)


def _ease(part: float) -> float:
    """Slow at both ends (smootherstep)."""
    return part**3 * (part * (6 * part - 15) + 10)


def _write_sound(film: Film, path: Path) -> None:
    """Silence with a soft bell as each hold begins and a fainter, higher one as it ends."""
    samples = array("h", bytes(2 * round(film.length_s * SOUND_HZ)))
    begin, end = _bell(392.0, 0.34), _bell(523.25, 0.15)
    for hold_s in film.holds_s():
        for bell, at_s in ((begin, hold_s), (end, hold_s + HOLD_S)):
            start = round(at_s * SOUND_HZ)
            for offset, value in enumerate(bell[: len(samples) - start]):
                samples[start + offset] += value
    if sys.byteorder == "big":
        samples.byteswap()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SOUND_HZ)
        file.writeframes(samples.tobytes())


def _bell(pitch_hz: float, loudness: float) -> "array[int]":
    """A sine with two overtones, a quick rise and a long fall."""
    samples = array("h")
    turn = 2 * math.pi * pitch_hz / SOUND_HZ
    for n in range(round(TONE_S * SOUND_HZ)):
        t = n / SOUND_HZ
        envelope = min(1.0, t / 0.012) * math.exp(-3.4 * t) * min(1.0, (TONE_S - t) / 0.1)
        tone = math.sin(turn * n) + 0.3 * math.sin(2 * turn * n) * math.exp(-3 * t)
        samples.append(round(32767 * loudness * envelope * tone / 1.3))
    return samples


if __name__ == "__main__":
    draw_all(Path(sys.argv[1]))
