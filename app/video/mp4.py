"""Read the few MP4 boxes that we need: is a file whole, which codec is in it, where are its key frames."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mvex", b"edts"})
NOT_SYNC = 0x10000
MAX_MOOF_BYTES = 4 * 2**20
MAX_MOOV_BYTES = 256 * 2**20
USUAL_SPEED = 1 << 16
LOCKED = frozenset({b"encv", b"enca", b"drmi", b"drms"})


class Malformed(ValueError):
    """The bytes are not the boxes they should be."""


@dataclass(frozen=True)
class Box:
    kind: bytes
    start: int  # of the box's header, in bytes
    size: int  # with its header
    header: int


@dataclass(frozen=True)
class Fragment:
    """One segment file's samples. Times in ticks of the timescale; `key_ticks` are presentation times."""

    decode_start: int
    duration: int
    samples: int
    key_ticks: tuple[int, ...]
    first_is_key: bool


def top_level_boxes(path: Path) -> list[Box]:
    """The boxes of an MP4 or MOV file, read by seeking; the last one may be larger than the file.

    Raises:
        Malformed: a box has an impossible size.
    """
    size = path.stat().st_size
    found: list[Box] = []
    with path.open("rb") as file:
        at = 0
        while at + 8 <= size and len(found) < 100_000:
            file.seek(at)
            box = _box_at(file.read(16), at, size)
            found.append(box)
            at += box.size
    return found


def check_whole(path: Path) -> None:
    """
    Raises:
        Malformed: the file holds no box, or ends inside one.
    """
    found = top_level_boxes(path)
    if not found or found[-1].start + found[-1].size != path.stat().st_size:
        raise Malformed(f"{path.name} breaks off")


def moof_bytes(file: BinaryIO) -> Iterator[bytes]:
    """The `moof` boxes of a segment file, without reading the media between them."""
    file.seek(0, 2)
    size, at = file.tell(), 0
    while at + 8 <= size:
        file.seek(at)
        box = _box_at(file.read(16), at, size)
        if at + box.size > size:
            raise Malformed("a segment ends inside a box")
        if box.kind == b"moof":
            if box.size > MAX_MOOF_BYTES:
                raise Malformed("an index larger than any we write")
            file.seek(at)
            yield file.read(box.size)
        at += box.size


def boxes(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Every box in `data`, containers before what they contain."""
    stop = len(data) if end is None else end
    at = start
    while at + 8 <= stop:
        box = _box_at(data[at : at + 16], at, stop)
        yield box
        if box.kind in CONTAINERS:
            yield from boxes(data, at + box.header, min(at + box.size, stop))
        at += box.size


def index_of(path: Path) -> bytes:
    """The film's `moov`; nothing where there is none, or one of absurd size."""
    moov = next((box for box in top_level_boxes(path) if box.kind == b"moov"), None)
    if moov is None or moov.size > MAX_MOOV_BYTES:
        return b""
    with path.open("rb") as file:
        file.seek(moov.start)
        return file.read(moov.size)


def is_locked(moov: bytes) -> bool:
    """Whether a track can be read only by whom its seller gave a key.

    Source: ISO/IEC 14496-12, 8.12 (encv, enca); QuickTime's drmi and drms.
    """
    entries = (moov[box.start + 20 : box.start + 24] for box in boxes(moov) if box.kind == b"stsd")
    return any(entry in LOCKED for entry in entries)


def changes_speed(moov: bytes) -> bool:
    """Whether a list of cuts plays some of its film faster or slower, or stands still on a picture.

    Source: ISO/IEC 14496-12, 8.6.6 (each entry of `elst` ends with its speed, 16.16; a time of -1 is a pause).
    """
    return any(
        time >= 0 and speed != USUAL_SPEED
        for box in boxes(moov)
        if box.kind == b"elst"
        for time, speed in _edits(moov[box.start + box.header : box.start + box.size])
    )


def _edits(data: bytes) -> Iterator[tuple[int, int]]:
    """When in the media each entry of a list of cuts begins, and its speed."""
    if len(data) < 8:
        return
    entry = struct.Struct(">qqi" if data[0] == 1 else ">iii")
    (count,) = struct.unpack_from(">I", data, 4)
    for number in range(min(count, (len(data) - 8) // entry.size)):
        _length, time, speed = entry.unpack_from(data, 8 + number * entry.size)
        yield time, speed


def codec_string(init: bytes) -> str:
    """The RFC 6381 name of the codec in an initialisation segment, as HLS's CODECS wants it.

    Source: ISO/IEC 14496-15, 5.3.3 (avcC: profile, compatibility, level in bytes 1 to 3).
    """
    at = init.find(b"avcC")
    if at >= 0 and at + 8 <= len(init):
        return "avc1." + init[at + 5 : at + 8].hex()
    if b"mp4a" in init and b"esds" in init:
        return "mp4a.40.2"  # AAC-LC, the only sound we encode
    raise Malformed("neither H.264 nor AAC")


def timescale(init: bytes) -> int:
    """Ticks per second of the (only) track."""
    for box in boxes(init):
        if box.kind == b"mdhd":
            wide = init[box.start + 8] == 1
            (ticks,) = struct.unpack_from(">I", init, box.start + (28 if wide else 20))
            return int(ticks)
    raise Malformed("no media header")


def default_sample(init: bytes) -> tuple[int, int]:
    """Duration and flags of a sample that says neither, from `trex`."""
    for box in boxes(init):
        if box.kind == b"trex":
            _track, _description, duration, _size, flags = struct.unpack_from(">IIIII", init, box.start + 12)
            return int(duration), int(flags)
    return 0, 0


def fragment(segment: Path, init: bytes) -> Fragment:
    """What a segment file holds, from its `moof` boxes.

    Source: ISO/IEC 14496-12, 8.8.7 (tfhd), 8.8.8 (trun), 8.8.12 (tfdt).
    Raises:
        Malformed: the file breaks off or holds no samples.
    """
    base = default_sample(init)
    parts: list[Fragment] = []
    with segment.open("rb") as file:
        for moof in moof_bytes(file):
            parts.append(_read_moof(moof, base))
    if not parts or not sum(part.samples for part in parts):
        raise Malformed("a segment without pictures or sound")
    return Fragment(
        decode_start=parts[0].decode_start,
        duration=sum(part.duration for part in parts),
        samples=sum(part.samples for part in parts),
        key_ticks=tuple(tick for part in parts for tick in part.key_ticks),
        first_is_key=parts[0].first_is_key,
    )


def move(segment: Path, ticks: int, sequence: int) -> None:
    """Make a segment begin `ticks` later, and number it; its media bytes stay as they are.

    Source: ISO/IEC 14496-12, 8.8.5 (mfhd), 8.8.12 (tfdt), 8.16.3 (sidx).
    Raises:
        Malformed: it has no index.
    """
    found = [box for box in top_level_boxes(segment) if box.kind in (b"moof", b"sidx")]
    if not any(box.kind == b"moof" for box in found):
        raise Malformed("a segment without an index")
    with segment.open("r+b") as file:
        for top in found:
            file.seek(top.start)
            data = bytearray(file.read(top.size))
            for box in boxes(bytes(data)):
                body = box.start + box.header
                if box.kind == b"mfhd":
                    struct.pack_into(">I", data, body + 4, sequence)
                elif box.kind == b"tfdt":
                    _add(data, body + 4, data[body] == 1, ticks)
                elif box.kind == b"sidx":
                    _add(data, body + 12, data[body] == 1, ticks)
            file.seek(top.start)
            file.write(data)


def _add(data: bytearray, at: int, wide: bool, ticks: int) -> None:
    form = ">Q" if wide else ">I"
    (value,) = struct.unpack_from(form, data, at)
    struct.pack_into(form, data, at, value + ticks)


def _box_at(head: bytes, at: int, stop: int) -> Box:
    if len(head) < 8:
        raise Malformed("a box header breaks off")
    size, kind = struct.unpack_from(">I4s", head)
    header = 8
    if size == 1 and len(head) >= 16:
        (size,) = struct.unpack_from(">Q", head, 8)
        header = 16
    elif size == 0:
        size = stop - at
    if size < header:
        raise Malformed("a box smaller than its own header")
    return Box(kind=kind, start=at, size=size, header=header)


def _read_moof(moof: bytes, base: tuple[int, int]) -> Fragment:
    duration, flags = base
    decode_start = 0
    runs: list[tuple[int, int, int]] = []  # duration, composition offset, flags
    for box in boxes(moof):
        body = box.start + 8
        if box.kind == b"tfhd":
            duration, flags = _track_header(moof, body, duration, flags)
        elif box.kind == b"tfdt":
            wide = moof[body] == 1
            decode_start = int(struct.unpack_from(">Q" if wide else ">I", moof, body + 4)[0])
        elif box.kind == b"trun":
            runs.extend(_run(moof, body, duration, flags))
    keys, at = [], decode_start
    for ticks, offset, sample_flags in runs:
        if not sample_flags & NOT_SYNC:
            keys.append(at + offset)
        at += ticks
    first = bool(runs) and not runs[0][2] & NOT_SYNC
    return Fragment(decode_start, at - decode_start, len(runs), tuple(keys), first)


def _track_header(moof: bytes, body: int, duration: int, flags: int) -> tuple[int, int]:
    (bits,) = struct.unpack_from(">I", moof, body)
    at = body + 8  # version and flags, track id
    at += 8 * bool(bits & 0x1) + 4 * bool(bits & 0x2)
    if bits & 0x8:
        (duration,) = struct.unpack_from(">I", moof, at)
        at += 4
    at += 4 * bool(bits & 0x10)
    if bits & 0x20:
        (flags,) = struct.unpack_from(">I", moof, at)
    return int(duration), int(flags)


def _run(moof: bytes, body: int, duration: int, flags: int) -> Iterator[tuple[int, int, int]]:
    bits, count = struct.unpack_from(">II", moof, body)
    at = body + 8 + 4 * bool(bits & 0x1)
    first_flags = None
    if bits & 0x4:
        (first_flags,) = struct.unpack_from(">I", moof, at)
        at += 4
    for index in range(count):
        sample_duration, sample_flags, offset = duration, flags, 0
        if bits & 0x100:
            (sample_duration,) = struct.unpack_from(">I", moof, at)
            at += 4
        at += 4 * bool(bits & 0x200)
        if bits & 0x400:
            (sample_flags,) = struct.unpack_from(">I", moof, at)
            at += 4
        elif index == 0 and first_flags is not None:
            sample_flags = first_flags
        if bits & 0x800:
            (offset,) = struct.unpack_from(">i", moof, at)
            at += 4
        yield sample_duration, offset, sample_flags
