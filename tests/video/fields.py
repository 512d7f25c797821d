"""MPEG-TS with H.264 in field pictures (PAFF), as AVCHD camcorders write it and no encoder at hand does.

Each field is one slice of I_PCM macroblocks in one grey, so that nothing has to be coded. Source: ITU-T H.264, 7.3.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import av

GROUP = 12
MACROBLOCKS = 8
SLICES = {"I": 7, "P": 5, "B": 6}
I_PCM = {"I": 25, "P": 30, "B": 48}
DELIMITER = b"\x00\x00\x00\x01\x09\x70"
RECOVERY_POINT = b"\x00\x00\x00\x01\x06\x06\x01\xc4\x80"
TICK = Fraction(1, 90_000)


class Bits:
    def __init__(self) -> None:
        self.text = ""

    def fixed(self, text: str) -> Self:
        self.text += text
        return self

    def golomb(self, *values: int) -> Self:
        for value in values:
            self.text += f"{value + 1:0{2 * (value + 1).bit_length() - 1}b}"
        return self

    def taken(self, end: str = "") -> bytes:
        """All bits so far, filled up to whole bytes; and begin anew."""
        text = self.text + end
        text += "0" * (-len(text) % 8)
        self.text = ""
        return bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8))


def unit(head: int, payload: bytes) -> bytes:
    """One NAL unit of a byte stream, with its emulation prevention."""
    out, zeros = bytearray(b"\x00\x00\x00\x01" + bytes([head])), 0
    for byte in payload:
        if zeros >= 2 and byte <= 3:
            out.append(3)
            zeros = 0
        out.append(byte)
        zeros = 0 if byte else zeros + 1
    return bytes(out)


def parameters(rate: Fraction) -> bytes:
    """64 × 64, Main profile, in fields, two reference frames, one picture of reordering."""
    film = Bits().fixed(f"{77:08b}{0:08b}{30:08b}").golomb(0, 0, 0, 4, 2).fixed("0").golomb(3, 1)
    film.fixed("00101" + "00001" + f"{rate.denominator:032b}{2 * rate.numerator:032b}1" + "00011")
    film.golomb(0, 0, 8, 8, 1, 2)
    picture = Bits().golomb(0, 0).fixed("00").golomb(0, 0, 0).fixed("000").golomb(0, 0, 0).fixed("100")
    return unit(0x67, film.taken("1")) + unit(0x68, picture.taken("1"))


def field(kind: str, grey: int, frame: int, shown: int, *, is_first: bool) -> bytes:
    """One field: `frame` is its frame's number as H.264 counts, `shown` its own place in the order of showing."""
    bits = Bits().golomb(0, SLICES[kind], 0).fixed(f"{frame % 16:04b}1{shown % 2}")
    bits.golomb(*([0] if is_first else [])).fixed(f"{shown % 256:08b}")
    # No changes to the lists of references, nor to what is kept; and no loop filter.
    bits.fixed({"I": "", "P": "00", "B": "1000"}[kind]).fixed(
        "" if kind == "B" else "00" if is_first else "0"
    )
    bits.golomb(0, 1)
    data = b""
    for _ in range(MACROBLOCKS):
        data += bits.golomb(*([] if kind == "I" else [0]), I_PCM[kind]).taken()
        data += bytes([grey]) * 256 + b"\x80" * 128
    return unit((0 if kind == "B" else 0x60) | (5 if is_first else 1), data + b"\x80")


def frames(greys: list[int], rate: Fraction) -> list[tuple[int, bytes]]:
    """Each picture's number in the order of showing and its two fields, in the order of decoding: I P B B P B B …"""
    made: list[tuple[int, bytes]] = []
    frame = 0
    for number in sorted(range(len(greys)), key=lambda n: (-(-n // 3), n % 3 != 0, n)):
        is_whole = number % GROUP == 0
        kind = "I" if is_whole else "B" if number % 3 else "P"
        head = (
            DELIMITER
            + (parameters(rate) if is_whole else b"")
            + (RECOVERY_POINT if is_whole and number else b"")
        )
        first = field(kind, greys[number], frame, 2 * number, is_first=number == 0)
        second = field("P" if is_whole else kind, greys[number], frame, 2 * number + 1, is_first=False)
        made.append((number, head + first + DELIMITER + second))
        frame += kind != "B"
    return made


def write(path: Path, rate: Fraction, greys: list[int], sound: Path, start_s: int) -> None:
    """A film of `greys`, one a picture, with `sound`, on a clock that begins at `start_s`.

    One packet holds both fields of a picture and tells one time for them, as in AVCHD.
    """
    made = frames(greys, rate)
    raw = path.with_suffix(".h264")
    raw.write_bytes(b"".join(data for _number, data in made))
    with (
        av.open(str(raw), format="h264") as seen,
        av.open(str(sound)) as heard,
        av.open(str(path), "w", format="mpegts") as film,
    ):
        picture = film.add_stream_from_template(seen.streams.video[0])
        tone = film.add_stream_from_template(heard.streams.audio[0])
        packets: list[tuple[Fraction, Any]] = []
        for place, (number, data) in enumerate(made):
            packet = av.Packet(data)
            packet.time_base = TICK
            packet.dts = round((place / rate + start_s) / TICK)
            packet.pts = round(((number + 1) / rate + start_s) / TICK)
            packet.stream, packet.is_keyframe = picture, number % GROUP == 0
            packets.append((place / rate, packet))
        for piece in heard.demux(heard.streams.audio[0]):
            if piece.pts is not None and piece.time_base is not None:
                at_s = piece.pts * piece.time_base
                piece.pts = piece.dts = round((at_s + start_s) / piece.time_base)
                piece.stream = tone
                packets.append((at_s, piece))
        for _at_s, packet in sorted(packets, key=lambda each: each[0]):
            film.mux(packet)
