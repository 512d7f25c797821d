"""What happens when an encode goes wrong: stopped, stalled, out of space, cut short, or faulty."""

import asyncio
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from app.video import ffmpeg as ffmpeg_module
from app.video.bounded import ROOT, Bounds, Ended, run
from app.video.chunks import cut
from app.video.encode import check_written, encode_chunk
from app.video.ffmpeg import BOUNDS, failure, ffmpeg, reading
from app.video.ladder import Ladder, plan
from app.video.probe import probe
from app.video.source import BREAKS_OFF, DISK_FULL, FAULTY, EncodingFailed, Source, Unusable, writing
from app.video.verify import verify_chunk
from tests.video import sources
from tests.video.making import encode_film
from tests.video.making import verify_film as verify
from tests.video.sources import AAC, X264, picture, sound

# Made once, not once in each process.
pytestmark = pytest.mark.xdist_group("faults")


def encode(
    path: Path, source: Source, ladder: Ladder, work: Path, on_percent: Callable[[int], None] | None = None
) -> Coroutine[None, None, Path]:
    """The only chunk of a short film."""
    (only,) = cut(source, ladder)
    return encode_chunk(path, source, ladder, only, work, on_percent)


def folders(ladder: Ladder) -> list[str]:
    return ["a", *(rung.folder for rung in ladder.rungs)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Source, Ladder]:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    sources.ffmpeg(*picture("712x400", length_s=13), *sound(13), *X264, *AAC, path)
    source = asyncio.run(probe(path))
    return path, source, plan(source)


@pytest.fixture(scope="module")
def whole(film: tuple[Path, Source, Ladder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path, source, ladder = film
    seen: list[int] = []
    place = asyncio.run(encode_film(path, source, ladder, tmp_path_factory.mktemp("whole"), seen.append))
    assert seen[-1] == 100
    assert seen == sorted(set(seen))
    assert len(seen) > 2
    return place


def running(folder: Path) -> list[int]:
    """Processes that work in `folder`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder) in str((process / "cwd").readlink()):
                found.append(int(process.name))
        except OSError:
            continue
    return found


def until_gone(folder: Path) -> None:
    deadline = time.monotonic() + 10
    while running(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert running(folder) == []


def test_cancelling_kills_ffmpeg_and_leaves_no_half_result(
    film: tuple[Path, Source, Ladder], tmp_path: Path
) -> None:
    path, source, ladder = film

    async def start_and_cancel() -> None:
        started = asyncio.Event()
        task = asyncio.create_task(encode(path, source, ladder, tmp_path, lambda _percent: started.set()))
        await asyncio.wait_for(started.wait(), 30)
        assert running(tmp_path)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(start_and_cancel())
    assert running(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_ffmpeg_dies_with_a_worker_that_is_killed_and_the_next_try_succeeds(
    film: tuple[Path, Source, Ladder], tmp_path: Path
) -> None:
    path, source, ladder = film
    program = (
        "import asyncio, json, sys; from pathlib import Path\n"
        "from app.video.chunks import cut; from app.video.encode import encode_chunk\n"
        "from app.video.ladder import Ladder\n"
        "from app.video.source import Source\n"
        "path, source, ladder, work = json.loads(sys.argv[1])\n"
        "source, ladder = Source.from_json(source), Ladder.from_json(ladder)\n"
        "asyncio.run(encode_chunk(Path(path), source, ladder, cut(source, ladder)[0], Path(work),\n"
        "                         lambda percent: print(percent, flush=True)))\n"
    )
    import json

    facts = json.dumps([str(path), source.to_json(), ladder.to_json(), str(tmp_path)])
    worker = subprocess.Popen([sys.executable, "-c", program, facts], cwd=ROOT, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    assert worker.stdout.readline()
    assert running(tmp_path)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    worker.stdout.close()
    until_gone(tmp_path)
    place = asyncio.run(encode(path, source, ladder, tmp_path))
    asyncio.run(verify_chunk(place, ladder))


def test_two_workers_at_once_end_with_one_whole_result(tmp_path: Path) -> None:
    path, work = tmp_path / "short.mp4", tmp_path / "work"
    sources.ffmpeg(*picture(), *sound(), *X264, *AAC, path)
    source = asyncio.run(probe(path))
    ladder = plan(source)

    async def both() -> list[Path]:
        return await asyncio.gather(*(encode(path, source, ladder, work) for _ in range(2)))

    places = asyncio.run(both())
    assert places[0] == places[1]
    assert [entry.name for entry in work.iterdir()] == ["chunk-0"]
    asyncio.run(verify_chunk(places[0], ladder))


def test_a_run_that_stands_still_is_stopped(tmp_path: Path) -> None:
    """A pipe that nobody writes to: ffmpeg waits for ever, and we do not."""
    fifo = tmp_path / "never.mkv"
    os.mkfifo(fifo)
    holder = os.open(fifo, os.O_RDWR)
    bounds = Bounds(cpu_s=60, wall_s=60, stall_s=1)
    try:
        with pytest.raises(EncodingFailed) as caught:
            asyncio.run(ffmpeg([*reading(fifo, "matroska"), "-f", "null", "-"], film_s=9, bounds=bounds))
    finally:
        os.close(holder)
    assert caught.value.message == ffmpeg_module.STALLED


def test_a_run_beyond_its_cpu_time_is_stopped(film: tuple[Path, Source, Ladder], tmp_path: Path) -> None:
    path, source, _ladder = film
    words = [*reading(path, source.demuxer), "-c:v", "libx264", "-preset", "placebo", "-f", "null", "-"]
    with pytest.raises(EncodingFailed) as caught:
        asyncio.run(ffmpeg(words, film_s=13, bounds=Bounds(cpu_s=1, wall_s=60, stall_s=60)))
    assert caught.value.message == ffmpeg_module.STOPPED


def test_a_file_beyond_its_size_is_not_written(film: tuple[Path, Source, Ladder], tmp_path: Path) -> None:
    path, source, _ladder = film
    bounds = Bounds(cpu_s=60, wall_s=60, stall_s=60, file_bytes=200_000)
    words = [*reading(path, source.demuxer), "-f", "rawvideo", "-an", "out.raw"]
    with pytest.raises((EncodingFailed, Unusable)):
        asyncio.run(ffmpeg(words, film_s=13, bounds=bounds, cwd=tmp_path))
    assert (tmp_path / "out.raw").stat().st_size <= 200_000


@pytest.mark.parametrize(
    ("words", "code", "kind", "sentence"),
    [
        ("av_interleaved_write_frame(): No space left on device", 228, EncodingFailed, "DISK_FULL"),
        ("Error: Cannot allocate memory", 244, EncodingFailed, "MEMORY"),
        ("", -9, EncodingFailed, "STOPPED"),
        ("Exiting normally, received signal 15.", 255, EncodingFailed, "STOPPED"),
        ("moov atom: Invalid data found when processing input", 183, Unusable, "UNREADABLE"),
        ("Something unheard of", 1, Unusable, "BROKE"),
    ],
)
def test_each_way_to_fail_has_its_sentence(
    words: str, code: int, kind: type[Exception], sentence: str
) -> None:
    error = failure(Ended(code=code, why="exit", last_words=words))
    assert isinstance(error, kind)
    assert error.message == getattr(ffmpeg_module, sentence)
    assert words in error.detail


def test_ffmpeg_reads_no_file_but_the_one_it_is_given(tmp_path: Path) -> None:
    """A playlist forced through as if it were one: the reader is named, and it is not the playlist reader."""
    secret = tmp_path / "secret.mp4"
    sources.ffmpeg(*picture(), *X264, secret)
    path = tmp_path / "playlist.mp4"
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:2,\n{secret}\n#EXT-X-ENDLIST\n")
    with pytest.raises(Unusable):
        asyncio.run(ffmpeg([*reading(path, "mov"), "-f", "null", "-"], film_s=2))


def test_a_child_sees_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIMBER_MEDIA_KEYS", "very secret")
    lines: list[str] = []
    program = [sys.executable, "-c", "import os; print(sorted(os.environ))"]

    def keep(line: str) -> bool:
        lines.append(line)
        return True

    ended = asyncio.run(run(program, BOUNDS, on_line=keep))
    assert ended.ok
    assert lines == ["['LC_ALL', 'PATH', 'PYTHONDONTWRITEBYTECODE', 'PYTHONPATH']"]


def test_a_full_disk_has_its_sentence() -> None:
    with pytest.raises(EncodingFailed) as caught, writing():
        Path("/dev/full").write_text("playlist")
    assert caught.value.message == DISK_FULL
    with pytest.raises(IsADirectoryError), writing():
        Path("/").write_text("anything else stays what it is")


@pytest.mark.parametrize("name", ["a/media.m3u8", "v360/seg_00003.m4s", "v400/init.mp4"])
def test_what_ffmpeg_could_not_write_is_found_although_it_says_nothing(
    film: tuple[Path, Source, Ladder], whole: Path, tmp_path: Path, name: str
) -> None:
    """As it leaves files on a full disk: no error, exit code 0, and the last bytes missing."""
    place = copied(whole, tmp_path)
    check_written(place, folders(film[2]))
    os.truncate(place / name, (place / name).stat().st_size // 3)
    with pytest.raises(EncodingFailed) as caught:
        check_written(place, folders(film[2]))
    assert caught.value.message == FAULTY


def test_what_a_dead_attempt_left_is_removed_and_what_a_live_one_holds_is_not(
    film: tuple[Path, Source, Ladder], tmp_path: Path
) -> None:
    path, source, ladder = film
    dead, alive = tmp_path / ".attempt-dead", tmp_path / ".attempt-alive"
    dead.mkdir()
    alive.mkdir()
    (dead / "half.m4s").write_bytes(bytes(1000))
    lock = os.open(alive, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)

    async def start_and_cancel() -> None:
        started = asyncio.Event()
        task = asyncio.create_task(encode(path, source, ladder, tmp_path, lambda _percent: started.set()))
        await asyncio.wait_for(started.wait(), 30)
        assert not dead.exists()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    try:
        asyncio.run(start_and_cancel())
    finally:
        os.close(lock)
    assert list(tmp_path.iterdir()) == [alive]


def test_a_faulty_stream_is_not_found_again_by_the_next_try(
    film: tuple[Path, Source, Ladder], whole: Path, tmp_path: Path
) -> None:
    place = copied(whole, tmp_path)
    (place / "v400" / "seg_00002.m4s").unlink()
    with pytest.raises(EncodingFailed) as caught:
        asyncio.run(verify_chunk(place, film[2]))
    assert caught.value.message == FAULTY
    assert not place.exists()


def copied(whole: Path, folder: Path) -> Path:
    return Path(shutil.copytree(whole, folder / "copy"))


def test_a_whole_stream_passes(film: tuple[Path, Source, Ladder], whole: Path) -> None:
    _path, source, ladder = film
    asyncio.run(verify(whole, source, ladder))


def test_a_stream_shorter_than_its_source_breaks_off(film: tuple[Path, Source, Ladder], whole: Path) -> None:
    _path, source, ladder = film
    longer = Source.from_json({**source.to_json(), "duration_s": 21.7})
    with pytest.raises(Unusable) as caught:
        asyncio.run(verify(whole, longer, ladder))
    assert caught.value.message == BREAKS_OFF
    assert "13.0 of its 21.7 seconds" in caught.value.reason


@pytest.mark.parametrize(
    "name", ["v400/seg_00002.m4s", "v360/init.mp4", "a/seg_00001.m4s", "v360/media.m3u8"]
)
def test_a_missing_file_is_found(
    film: tuple[Path, Source, Ladder], whole: Path, tmp_path: Path, name: str
) -> None:
    place = copied(whole, tmp_path)
    (place / name).unlink()
    with pytest.raises(EncodingFailed) as caught:
        asyncio.run(verify(place, film[1], film[2]))
    assert caught.value.message == FAULTY


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_segment_cut_short_is_found(
    film: tuple[Path, Source, Ladder], whole: Path, tmp_path: Path, share: float
) -> None:
    place = copied(whole, tmp_path)
    segment = place / "v400" / "seg_00002.m4s"
    os.truncate(segment, int(segment.stat().st_size * share))
    with pytest.raises(EncodingFailed, match="did not pass its check"):
        asyncio.run(verify(place, film[1], film[2]))


def test_two_segments_in_the_wrong_order_are_found(
    film: tuple[Path, Source, Ladder], whole: Path, tmp_path: Path
) -> None:
    place = copied(whole, tmp_path)
    first, second = place / "v400" / "seg_00001.m4s", place / "v400" / "seg_00002.m4s"
    data = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(data)
    with pytest.raises(EncodingFailed) as caught:
        asyncio.run(verify(place, film[1], film[2]))
    assert "gap" in caught.value.detail


def test_pictures_that_do_not_decode_are_found(
    film: tuple[Path, Source, Ladder], whole: Path, tmp_path: Path
) -> None:
    place = copied(whole, tmp_path)
    segment = place / "v360" / "seg_00002.m4s"
    data = bytearray(segment.read_bytes())
    media = data.index(b"mdat") + 4
    for at in range(media + 200, len(data), 50):
        data[at] ^= 0xFF
    segment.write_bytes(data)
    with pytest.raises(EncodingFailed) as caught:
        asyncio.run(verify(place, film[1], film[2]))
    assert "does not decode" in caught.value.detail or caught.value.message == FAULTY
