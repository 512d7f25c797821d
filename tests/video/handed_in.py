"""Films as teachers hand them in: from action cameras, telephones, messengers, meetings, editors and recorders.

As in `nasty.py` each flashes and beeps at the same moment, so that time and sound are checked to the picture.
"""

import struct
from collections.abc import Callable
from pathlib import Path

from app.video import mp4
from tests.video.nasty import AV1, BF, CLAPS_S, LENGTH_S, MP4, PCM, Film, beep, flash, plain, recut
from tests.video.sources import AAC, HEVC10, HLG, PQ, X264, ffmpeg

VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8")
FOUR = ("-f", "lavfi", "-i")
GAP_S = 0.9


def waves(layout: str, count: int, length_s: float = LENGTH_S, silent: tuple[int, ...] = ()) -> list[str]:
    """Sound of so many channels, those in `silent` without a word."""
    when = "+".join(f"between(t,{at},{at + 0.2:.3f})" for at in CLAPS_S)
    wave = f"({when})*0.7*sin(2*PI*1000*t)"
    said = "|".join("0" if n in silent else wave for n in range(count))
    return [*FOUR, f"aevalsrc='{said}':c={layout}:s=48000:d={length_s}"]


def _large_offsets(folder: Path) -> Path:
    """The index at the end, and behind more than 4 GiB: a hole, which a disk does not store."""
    bare, path = MP4(folder), folder / "large.mp4"
    data = bare.read_bytes()
    hole = 5 * 2**30
    moov = next(box for box in mp4.top_level_boxes(bare) if box.kind == b"moov")
    media = next(box for box in mp4.top_level_boxes(bare) if box.kind == b"mdat")
    index = data[moov.start : moov.start + moov.size]
    while (at := index.find(b"stco")) >= 0:
        (count,) = struct.unpack_from(">I", index, at + 8)
        end = at + 12 + 4 * count
        offsets = struct.unpack_from(f">{count}I", index, at + 12)
        moved = struct.pack(f">{count}Q", *(offset + hole for offset in offsets))
        index = (
            index[: at - 4]
            + struct.pack(">I", 16 + 8 * count)
            + b"co64"
            + index[at + 4 : at + 12]
            + moved
            + index[end:]
        )
        index = _grown(index, at - 4, 4 * count)
    with path.open("wb") as file:
        file.write(data[: media.start])
        file.write(struct.pack(">I4sQ", 1, b"free", hole))
        file.seek(hole + media.start)
        file.write(data[media.start : media.start + media.size])
        file.write(index)
    return path


def _grown(index: bytes, at: int, by: int) -> bytes:
    """The same `moov`, in which every box around byte `at` is larger by so much."""
    found = bytearray(index)
    for box in mp4.boxes(index):
        if box.start <= at < box.start + box.size and box.kind in mp4.CONTAINERS:
            struct.pack_into(">I", found, box.start, box.size + by)
    return bytes(found)


def _second_half(folder: Path) -> Path:
    """A camcorder splits a recording by size: the second file begins and ends in the middle of a packet."""
    whole, path = folder / "whole.m2ts", folder / "second.mts"
    ffmpeg(*flash(length_s=LENGTH_S + 2), *beep(LENGTH_S + 2), *BF, "-g", "12", "-c:a", "ac3",
           "-output_ts_offset", "3600", "-mpegts_m2ts_mode", "1", whole)  # fmt: skip
    data = whole.read_bytes()
    path.write_bytes(data[len(data) // 7 + 101 : -333])
    return path


def _gap_in_the_sound(folder: Path) -> Path:
    """A call whose sound stopped coming for a while and went on where it should."""
    path = folder / "call.mp4"
    move = f"setts=pts='PTS+if(gte(PTS*TB,1.3),{GAP_S}/TB,0)':dts='DTS+if(gte(DTS*TB,1.3),{GAP_S}/TB,0)'"
    film = folder / "bare.mp4"
    ffmpeg(*flash(), *FOUR, f"aevalsrc='(between(t,1,1.2)+between(t,{2.4 - GAP_S},{2.6 - GAP_S}))*0.7*sin(2*PI*1000*t)'"
           f":s=16000:d={LENGTH_S - GAP_S}", *X264, *AAC, film)  # fmt: skip
    ffmpeg("-i", film, "-c", "copy", "-bsf:a", move, path)
    return path


def _gap_in_both(folder: Path) -> Path:
    path = folder / "both.mkv"
    both = f"PTS+if(gte(PTS*TB,1.5),{GAP_S}/TB,0)"
    move = f"setts=pts='{both}':dts='{both.replace('PTS', 'DTS')}'"
    film = folder / "bare.mkv"
    ffmpeg(*flash(), *beep(), *X264, "-x264-params", "bframes=0", *AAC, film)
    ffmpeg("-i", film, "-c", "copy", "-bsf:v", move, "-bsf:a", move, path)
    return path


def _slow_sound_clock(folder: Path) -> Path:
    """A recorder whose sound card counts 0.2 % slower than its camera: the time stamps say so, the samples do not."""
    path, film = folder / "drift.mkv", folder / "bare.mkv"
    at = [t / 1.002 for t in (1.0, 58.4)]
    said = "+".join(f"between(t,{t:.4f},{t + 0.2:.4f})" for t in at)
    seen = "+".join(f"between(t,{t - 0.001},{t + 0.195})" for t in (1.0, 58.4))
    ffmpeg(*FOUR, f"color=0x202020:s=320x180:r=25:d=60,drawbox=c=white:t=fill:enable='{seen}'",
           *FOUR, f"aevalsrc='({said})*0.7*sin(2*PI*1000*t)':s=48000:d={60 / 1.002}", *X264, *AAC, film)  # fmt: skip
    ffmpeg("-i", film, "-c", "copy", "-bsf:a", "setts=ts=TS*1.002:duration=DURATION*1.002", path)
    return path


def _one_picture(suffix: str, *words: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / f"still.{suffix}"
        ffmpeg(*FOUR, "color=gray:s=320x180:r=25:d=0.04", *beep(), *words, path)
        return path

    return make


def _two_kinds_of_pictures(folder: Path) -> Path:
    """Two takes joined without encoding, by an editor that keeps both headers."""
    parts = [folder / "a.ts", folder / "b.ts"]
    ffmpeg(*flash(), *beep(), *X264, "-x264-params", "ref=1:bframes=0", *AAC, parts[0])
    ffmpeg(
        *flash(),
        *beep(),
        "-c:v",
        "libx264",
        "-profile:v",
        "high",
        "-bf",
        "3",
        "-pix_fmt",
        "yuv420p",
        *AAC,
        parts[1],
    )
    (folder / "list.txt").write_text("".join(f"file '{part.name}'\n" for part in parts))
    path = folder / "joined.mp4"
    ffmpeg("-f", "concat", "-safe", "0", "-i", folder / "list.txt", "-c", "copy", path)
    return path


def edited_at(rate: float, path: Path) -> Path:
    """The same film, whose cuts play at another speed. Source: ISO/IEC 14496-12, 8.6.6 (media_rate, 16.16)."""
    data = bytearray(path.read_bytes())
    for box in mp4.boxes(bytes(data)):
        if box.kind == b"trak":
            at = data.index(b"elst", box.start, box.start + box.size) + 12
            struct.pack_into(">i", data, at + 8, round(rate * 65536))
    path.write_bytes(data)
    return path


def _mirrored(rotation: str) -> Callable[[Path], Path]:
    return recut(MP4, "mp4", "-c", "copy", before=("-display_hflip", "-display_rotation", rotation))


def _second_input(suffix: str, *words: str) -> Callable[[Path], Path]:
    """The microphone is on the recorder's second input, and the first was left open: a track for each."""

    def make(folder: Path) -> Path:
        path = folder / f"inputs.{suffix}"
        noise = [*FOUR, f"anoisesrc=a=0.0003:r=48000:d={LENGTH_S}"]
        ffmpeg(*flash(size="640x360"), *noise, *beep(channels="c=mono"), "-map", "0", "-map", "1", "-map", "2",
               *words, path)  # fmt: skip
        return path

    return make


NO_B = ("-x264-params", "bframes=0")
LIVE = (*X264, *NO_B, *AAC, "-movflags", "frag_keyframe+empty_moov+default_base_moof")
PRORES = ("-c:v", "prores_ks", "-profile:v")
MPEG2 = ("-c:v", "mpeg2video", "-b:v", "6M")
HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-x265-params")
TWICE = (1.0, 2.4, LENGTH_S + 1, LENGTH_S + 2.4)
BIG = (640, 360)
NTSC = 30000 / 1001
SPHERE = "ambisonic\\ 1"

FILMS: tuple[Film, ...] = (
    Film("offsets-beyond-4-gib", _large_offsets, short=True),
    Film("second-half-of-a-camcorders-film", _second_half, slack_s=3, claps_s=()),
    Film("call-with-a-gap-in-its-sound", _gap_in_the_sound),
    Film("recording-with-a-gap-in-both", _gap_in_both, length_s=LENGTH_S + GAP_S, claps_s=(1.0, 2.4 + GAP_S)),
    Film("sound-card-that-counts-slowly", _slow_sound_clock, length_s=60, claps_s=(1.0, 58.4)),
    Film("one-picture-mp4", _one_picture("mp4", *X264, *AAC), claps_s=(), heard_s=CLAPS_S),
    Film("one-picture-mkv", _one_picture("mkv", *X264, *AAC), claps_s=(), heard_s=CLAPS_S, short=True),
    Film("one-picture-webm", _one_picture("webm", *VP9, "-c:a", "libopus"), claps_s=(), heard_s=CLAPS_S),
    Film("two-takes-with-two-headers", _two_kinds_of_pictures, length_s=2 * LENGTH_S, claps_s=TWICE),
    Film("live-stream-of-ten-hours-ago", plain("film", "mp4", *LIVE, "-output_ts_offset", "36000")),
    Film("recorded-by-a-browser-as-mp4", plain("film", "mp4", *LIVE)),
    Film("mirrored", _mirrored("0")),
    Film("mirrored-portrait", _mirrored("90"), size=(180, 320)),
    Film("prores-hlg-of-a-telephone-held-upright", recut(plain("film", "mov", *HLG, *PRORES, "3", "-pix_fmt",
         "yuv422p10le", *PCM), "mov", "-c", "copy", before=("-display_rotation", "-90")), size=(180, 320)),
    Film("prores-4444-with-alpha", plain("film", "mov", "-vf", "format=yuva444p10le", *PRORES, "4", *PCM)),
    Film("animation", plain("film", "mov", "-c:v", "qtrle", *PCM)),
    Film("cineform", plain("film", "mov", "-c:v", "cfhd", *PCM, size="640x360"), size=BIG),
    Film("dnxhr", plain("film", "mov", "-c:v", "dnxhd", "-profile:v", "dnxhr_hq", "-pix_fmt", "yuv422p", *PCM,
         size="640x360"), size=BIG),
    Film("jpeg-2000", plain("film", "mxf", "-c:v", "jpeg2000", *PCM)),
    Film("av1-ten-bit-pq", plain("film", "mp4", *PQ, *AV1)),
    Film("hevc-with-alpha", plain("film", "mov", "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuva420p",
         "-x265-params", "alpha=1:log-level=error", "-tag:v", "hvc1", *AAC)),
    Film("odd-vp9-one-picture-a-second", plain("film", "webm", "-vf", "scale=333:187", *VP9, "-c:a", "libopus",
         rate="1", length_s=9), size=(332, 186), fps=5, length_s=9, claps_s=(1.0,)),
    Film("held-upright-and-before-zero", recut(MP4, "mp4", "-c", "copy", "-output_ts_offset", "-0.04",
         "-avoid_negative_ts", "disabled", before=("-display_rotation", "-90")), size=(180, 320), slack_s=0.15),
    Film("sound-two-seconds-late", plain("film", "mp4", *X264, *AAC, length_s=5.2,
         sound=["-itsoffset", "2", *beep()]), length_s=5.2, sound_late_s=2),
    Film("sound-ends-early", plain("film", "mkv", *X264, *AAC, sound=beep(2.7))),
    Film("44100-mp3", plain("film", "mkv", *X264, "-c:a", "libmp3lame", "-ar", "44100")),
    # What the coder of the sound puts in front moves the picture too: the film itself says so.
    Film("11025-mp3", plain("film", "avi", "-c:v", "mpeg4", "-c:a", "libmp3lame", "-ar", "11025"),
         length_s=LENGTH_S + 0.12, claps_s=(1.12, 2.52)),
    Film("192-khz-float", plain("film", "mov", *X264, "-c:a", "pcm_f32le", "-ar", "192000")),
    Film("pcm-24-big-endian", plain("film", "mov", *X264, "-c:a", "pcm_s24be")),
    Film("ulaw", plain("film", "mov", *X264, "-c:a", "pcm_mulaw", "-ar", "8000", "-ac", "1")),
    Film("opus-5.1", plain("film", "webm", *VP9, "-c:a", "libopus", sound=waves("5.1", 6))),
    Film("opus-sphere", plain("film", "mkv", *X264, "-c:a", "libopus", "-mapping_family", "2",
         sound=waves(SPHERE, 4)), short=True),
    Film("pcm-3-unnamed", plain("film", "mov", *X264, *PCM, sound=waves("3c", 3))),
    Film("pcm-4-unnamed", plain("film", "mov", *X264, *PCM, sound=waves("4c", 4))),
    Film("pcm-8-unnamed", plain("film", "mkv", *X264, *PCM, sound=waves("8c", 8))),
    Film("pcm-16-unnamed", plain("film", "mov", *X264, *PCM, sound=waves("16c", 16))),
    Film("pcm-sphere", plain("film", "mkv", *X264, *PCM, sound=waves(SPHERE, 4))),
    Film("aac-4.0", plain("film", "mp4", *X264, *AAC, sound=waves("4.0", 4))),
    Film("aac-7.1", plain("film", "mp4", *X264, *AAC, sound=waves("7.1(wide)", 8))),
    Film("centre-only", plain("film", "mkv", *X264, "-c:a", "ac3", sound=waves("5.1", 6, silent=(0, 1, 3, 4, 5)))),
    Film("microphone-on-the-second-track-mxf", _second_input("mxf", *MPEG2, "-pix_fmt", "yuv422p", *PCM), size=BIG),
    Film("microphone-on-the-second-track-obs", _second_input("mkv", *X264, *AAC), size=BIG, short=True),
    Film("dvd", plain("film", "vob", "-vf", "scale=720:576,setsar=64/45,interlace=lowpass=0", *MPEG2, "-flags",
         "+ildct+ilme", "-c:a", "ac3", rate="50"), size=(1024, 576), slack_s=0.2),
    Film("film-as-television", plain("film", "mpg", "-vf", "telecine", *MPEG2, "-c:a", "mp2", rate="24000/1001"),
         fps=NTSC, slack_s=0.2),
    Film("hinted", plain("film", "mp4", *X264, *AAC, "-movflags", "+rtphint")),
    Film("messenger", plain("film", "mp4", "-vf", "scale=478:850,setsar=1", *X264, "-profile:v", "baseline", *AAC,
         "-ar", "44100", "-ac", "1", rate="30000/1001"), size=(478, 850), fps=NTSC),
    Film("mpeg1", plain("film", "mpg", "-c:v", "mpeg1video", "-c:a", "mp2"), slack_s=0.2),
    Film("theora", plain("film", "ogv", "-c:v", "libtheora", "-c:a", "libvorbis")),
    Film("hevc-in-flv", plain("film", "flv", *HEVC, "log-level=error", *AAC)),
    Film("hevc-in-ts", plain("film", "ts", *HEVC10, "-pix_fmt", "yuv420p", *AAC)),
    Film("old-webm", plain("film", "webm", "-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libvorbis")),
    Film("aac-in-avi", plain("film", "avi", *X264, *AAC)),
    Film("latm", plain("film", "ts", *X264, *AAC, "-mpegts_flags", "latm")),
)  # fmt: skip
