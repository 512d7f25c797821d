"""What a viewer sees while looking for a moment: a film's key frames as small tiles on sheets, and where each is."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from app.video.ffmpeg import ffmpeg, reading_feed
from app.video.ladder import GOP_S, Ladder, Rung
from app.video.renditions import Rendition
from app.video.source import faulty, writing
from app.video.subtitles import timestamp

FOLDER = "storyboard"
INDEX = "storyboard.vtt"
LONG_SIDE_PX = 256
COLUMNS = 6
# A chunk of up to 72 s is one sheet; a film that is one chunk has a sheet for each 72 s of it.
SHEET_TILES = 36
_QUALITY = "6"


@dataclass(frozen=True)
class Board:
    """The sheets of one chunk. `starts_ms`: when, in the whole film, each tile's picture is shown."""

    number: int
    tile_width_px: int
    tile_height_px: int
    starts_ms: tuple[int, ...]

    @property
    def sheets(self) -> tuple[str, ...]:
        """Names of its files, in order."""
        count = -(-len(self.starts_ms) // SHEET_TILES)
        return tuple(f"{self.number}-{n}.jpg" for n in range(1, count + 1))

    @property
    def rows(self) -> int:
        """Of each sheet, also of the last, which may be partly empty."""
        return -(-min(len(self.starts_ms), SHEET_TILES) // COLUMNS)

    def tiles(self) -> Iterator[tuple[int, str]]:
        """Each tile's start, and its address relative to the index.

        Source: https://www.w3.org/TR/media-frags/#naming-space
        """
        width, height, sheets = self.tile_width_px, self.tile_height_px, self.sheets
        for n, start_ms in enumerate(self.starts_ms):
            row, column = divmod(n % SHEET_TILES, COLUMNS)
            yield (
                start_ms,
                f"{sheets[n // SHEET_TILES]}#xywh={column * width},{row * height},{width},{height}",
            )

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        return cls(**{**facts, "starts_ms": tuple(facts["starts_ms"])})


async def make_storyboard(place: Path, ladder: Ladder, number: int, out: Path) -> Board:
    """Write the sheets of chunk `number`, whose renditions are in `place`, into `out`.

    Only key frames of the lowest rung are decoded. Doing it again replaces them.

    Raises:
        Unusable, EncodingFailed: see `ffmpeg`.
    """
    lowest = await asyncio.to_thread(Rendition.load, place / ladder.lowest.folder)
    keys_ms = [frame.at_ms for frame in await asyncio.to_thread(lowest.key_frames)]
    step = step_of(keys_ms)
    board = Board(number, *tile_size(ladder.lowest), tuple(keys_ms[::step]))
    with writing():
        await asyncio.to_thread(out.mkdir, parents=True, exist_ok=True)
        # Not in `out`: what a killed worker leaves there would be delivered.
        attempt = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=".storyboard-", dir=place.parent))
    try:
        await _draw(lowest, board, step, attempt)
        with writing():
            await asyncio.to_thread(_put, board, attempt, out)
    finally:
        await asyncio.to_thread(shutil.rmtree, attempt, ignore_errors=True)
    return board


def step_of(keys_ms: Sequence[int]) -> int:
    """Every how many key frames there is a tile: ours are a group apart, a copied rung's may be closer."""
    if len(keys_ms) < 2:
        return 1
    apart_ms = (keys_ms[-1] - keys_ms[0]) / (len(keys_ms) - 1)
    return max(1, round(1000 * GOP_S / apart_ms)) if apart_ms > 0 else len(keys_ms)


def tile_size(rung: Rung) -> tuple[int, int]:
    """Width and height in pixels, even, the longer one LONG_SIDE_PX; never larger than the rung."""
    scale = min(1.0, LONG_SIDE_PX / max(rung.width_px, rung.height_px))
    return max(2, round(rung.width_px * scale / 2) * 2), max(2, round(rung.height_px * scale / 2) * 2)


def index(boards: Iterable[Board], film_s: float) -> str:
    """WebVTT whose cues cover the film from its first to its last moment, each naming the tile of its time.

    Source: https://www.media-chrome.org/docs/en/components/media-preview-thumbnail (the format), and
    https://www.w3.org/TR/webvtt1/#introduction-metadata
    """
    tiles = [tile for board in boards for tile in board.tiles()]
    film_ms = round(film_s * 1000)
    ends = [start_ms for start_ms, _address in tiles[1:]]
    blocks = ["WEBVTT\n"]
    for n, ((start_ms, address), end_ms) in enumerate(zip(tiles, [*ends, film_ms], strict=True)):
        # Before the first key frame, should it be late, nothing else is shown either.
        start_ms = start_ms if n else 0
        if start_ms < end_ms:
            blocks.append(f"{timestamp(start_ms)} --> {timestamp(end_ms)}\n{address}\n")
    return "\n".join(blocks)


async def _draw(lowest: Rendition, board: Board, step: int, folder: Path) -> None:
    chosen = f"select='not(mod(n,{step}))'," if step > 1 else ""
    look = (
        # JPEG means full range and BT.601, our films are neither.
        f"{chosen}scale={board.tile_width_px}:{board.tile_height_px}:flags=area"
        ":in_color_matrix=bt709:out_color_matrix=bt601:in_range=tv:out_range=pc,format=yuvj420p"
        f",tile={COLUMNS}x{board.rows}"
    )
    await ffmpeg(
        # One thread: pictures this small and this few gain nothing from more, and each costs its start.
        ["-skip_frame", "nokey", "-threads", "1", *reading_feed("mov"), "-an", "-fps_mode", "passthrough",
         "-vf", look, "-q:v", _QUALITY, "-f", "image2", "-start_number", "1", f"{board.number}-%d.jpg"],
        film_s=lowest.duration_s,
        feed=lowest.joined(),
        cwd=folder,
    )  # fmt: skip


def _put(board: Board, attempt: Path, out: Path) -> None:
    found = {path.name for path in attempt.iterdir()}
    if found != set(board.sheets):
        raise faulty("a storyboard has other sheets than key frames", f"{sorted(found)}, not {board.sheets}")
    for name in board.sheets:
        (attempt / name).replace(out / name)
