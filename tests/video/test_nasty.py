"""Every nasty film ends as a stream that is right in time and size, or in a sentence; nothing else is opened."""

import asyncio
import socket
from array import array
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from app.video import containers, inspection_look, sniff
from app.video.probe import probe
from app.video.source import Unusable
from tests.video import nasty
from tests.video.making import make_stream
from tests.video.nasty import CLAP_S, FILMS, POINTERS, SCRIPT, Film
from tests.video.rfc8216 import read_master
from tests.video.rfc8216_stream import check_stream, read_rendition

SHORT = [film for film in FILMS if film.short]
LONG = [film for film in FILMS if not film.short]
SOUND_SLACK_S = 0.04


def joined(place: Path, uri: str, into: Path) -> Path:
    """One file of a rendition's initialisation and its segments, as a player appends them."""
    media = read_rendition(place, uri).media
    folder = (place / uri).parent
    assert media.segments[0].init is not None
    names = [media.segments[0].init, *(segment.uri for segment in media.segments)]
    into.write_bytes(b"".join((folder / name).read_bytes() for name in names))
    return into


def flashes(path: Path, from_s: float) -> list[float]:
    """When the picture turns bright, in seconds of the presentation, which begins at `from_s`."""
    found: list[float] = []
    bright = False
    first_s: float | None = None
    with av.open(str(path), mode="r", options={"ignore_editlist": "1"}) as film:
        for frame in film.decode(video=0):
            grey = bytes(frame.reformat(width=16, height=16, format="gray").planes[0])
            now = sum(grey) > 120 * len(grey)
            assert frame.time is not None
            first_s = frame.time if first_s is None else first_s
            if now and not bright:
                found.append(frame.time - first_s + from_s)
            bright = now
    return found


def beeps(path: Path) -> list[float]:
    """When the sound turns loud after a pause, in seconds of the presentation."""
    loud: list[float] = []
    with av.open(str(path), mode="r", options={"ignore_editlist": "1"}) as film:
        for frame in film.decode(audio=0):
            assert frame.time is not None
            left, right = (array("f", bytes(plane))[: frame.samples] for plane in frame.planes)
            loud += [
                frame.time + at / frame.sample_rate
                for at, (one, other) in enumerate(zip(left, right, strict=True))
                if max(abs(one), abs(other)) > 0.2
            ]
    return [at for n, at in enumerate(loud) if n == 0 or at - loud[n - 1] > CLAP_S]


def check(film: Film, folder: Path) -> None:
    path = film.make(folder)
    source, ladder, place = asyncio.run(make_stream(path, folder / "work"))
    assert check_stream(place) == []
    assert (ladder.top.width_px, ladder.top.height_px) == film.size
    assert ladder.fps == pytest.approx(film.fps, abs=0.01)
    assert source.duration_s == pytest.approx(film.length_s, abs=film.slack_s)
    master = read_master((place / "master.m3u8").read_text())
    top = next(v for v in master.variants if v.attributes["RESOLUTION"] == f"{film.size[0]}x{film.size[1]}")
    assert top.uri is not None
    heard = next(m.uri for m in master.media if m.attributes["TYPE"] == "AUDIO")
    assert heard is not None
    seen_at = flashes(
        joined(place, top.uri, folder / "seen.mp4"), read_rendition(place, top.uri).parts[0].start_s
    )
    heard_at = beeps(joined(place, heard, folder / "heard.mp4"))
    for uri in (top.uri, heard):
        whole = sum(part.duration_s for part in read_rendition(place, uri).parts)
        assert whole == pytest.approx(source.duration_s, abs=0.1), uri
    if film.claps_s:
        assert seen_at == pytest.approx(list(film.claps_s), abs=max(0.05, 1.01 / film.fps))
    expected = [] if film.silent else [at + film.sound_late_s for at in seen_at]
    if film.heard_s is not None:
        expected = list(film.heard_s)
    assert heard_at[: len(expected)] == pytest.approx(expected, abs=SOUND_SLACK_S)
    assert bool(heard_at) != film.silent


@pytest.mark.parametrize("film", SHORT, ids=lambda film: film.name)
def test_a_nasty_film_becomes_a_stream_in_time(film: Film, tmp_path: Path) -> None:
    check(film, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("film", LONG, ids=lambda film: film.name)
def test_a_rarer_nasty_film_becomes_a_stream_in_time(film: Film, tmp_path: Path) -> None:
    check(film, tmp_path)


def refusal(path: Path) -> Unusable:
    with pytest.raises(Unusable) as caught:
        asyncio.run(probe(path))
    assert caught.value.reason.endswith(".")
    return caught.value


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Somewhere on this machine that a file may point at."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.mark.parametrize(("name", "text", "sentence"), POINTERS, ids=[name for name, _text, _why in POINTERS])
def test_a_file_that_points_elsewhere_is_refused_and_nothing_is_asked(
    tmp_path: Path, listener: socket.socket, name: str, text: str, sentence: str
) -> None:
    # A name can make ffmpeg surer of what it has.
    path = tmp_path / f"{name}.{'m3u8' if name.startswith('hls-') else 'mp4'}"
    path.write_text(text.replace("%(url)s", f"http://127.0.0.1:{listener.getsockname()[1]}"))
    assert refusal(path).message == sentence
    with pytest.raises(BlockingIOError):
        listener.accept()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", sniff.EMPTY),
        (b"\x00", containers.NOT_A_FILM),
        (nasty.png(), sniff.PICTURE),
        (nasty.png() * 900, sniff.PICTURE),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomiso2", containers.UNFINISHED),
        (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomiso2\x00\x00\x00\x08moov", containers.NOT_A_FILM),
        (b"RIFF\x04\x00\x00\x00AVI ", containers.NOT_A_FILM),
        (b"FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00", containers.NOT_A_FILM),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c" + bytes(2000), containers.NOT_A_FILM),
    ],
    ids=["empty", "one byte", "picture", "pictures", "no moov", "empty moov", "empty avi", "empty flv", "empty asf"],
)  # fmt: skip
def test_a_file_without_a_film_in_it_is_refused(tmp_path: Path, data: bytes, sentence: str) -> None:
    path = tmp_path / "lesson.mp4"
    path.write_bytes(data)
    assert refusal(path).message == sentence


def test_dolby_vision_without_a_picture_for_others_is_refused_not_shown_in_green(tmp_path: Path) -> None:
    assert refusal(nasty.dolby_vision(tmp_path)).message == inspection_look.DOLBY_VISION


def test_hostile_metadata_is_nowhere_in_the_stream(tmp_path: Path) -> None:
    film = next(film for film in FILMS if film.name == "hostile-metadata")
    _source, _ladder, place = asyncio.run(make_stream(film.make(tmp_path), tmp_path / "work"))
    for path in place.rglob("*"):
        if path.is_file():
            assert SCRIPT[:20].encode() not in path.read_bytes()
