"""Nasty inputs: films that flash and beep at one moment, each with a peculiarity, and files that must be refused.

What `sources.py` makes is about geometry; these are about time, containers and harm.
"""

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.video import containers, sniff
from tests.video.sources import AAC, HEVC10, HLG, PQ, X264, ffmpeg

LENGTH_S = 3.2
CLAPS_S = (1.0, 2.4)
CLAP_S = 0.2
BF = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-pix_fmt", "yuv420p")
PCM = ("-c:a", "pcm_s16le")
WMV = ("-c:v", "wmv2", "-b:v", "2M", "-c:a", "wmav2")
WEBM = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus")
AV1 = ("-c:v", "libsvtav1", "-preset", "11", "-svtav1-params", "keyint=1s", "-c:a", "libopus")
SCRIPT = '"><script>alert(1)</script>%s%n\n#EXT-X-ENDLIST\n../../etc/passwd'


def _at(times_s: tuple[float, ...], length_s: float) -> str:
    return "+".join(f"between(t,{at},{at + length_s:.3f})" for at in times_s)


def flash(size: str = "320x180", rate: str = "25", length_s: float = LENGTH_S) -> list[str]:
    """A grey picture that is white while the sound beeps."""
    # A hair before the frame's own time: the clock of the filter is not exact.
    when = _at(tuple(at - 0.001 for at in CLAPS_S), CLAP_S - 0.005)
    return [
        "-f",
        "lavfi",
        "-i",
        f"color=0x202020:s={size}:r={rate}:d={length_s},drawbox=c=white:t=fill:enable='{when}'",
    ]


def beep(length_s: float = LENGTH_S, channels: str = "c=stereo") -> list[str]:
    wave = f"({_at(CLAPS_S, CLAP_S)})*0.7*sin(2*PI*1000*t)"
    waves = "|".join([wave] * {"c=mono": 1, "c=stereo": 2, "c=5.1": 6}[channels])
    return ["-f", "lavfi", "-i", f"aevalsrc='{waves}':{channels}:s=48000:d={length_s}"]


@dataclass(frozen=True)
class Film:
    """A film that must end as a stream. `size` is its top rung's; `claps_s` is when it must flash and beep."""

    name: str
    make: Callable[[Path], Path]
    size: tuple[int, int] = (320, 180)
    length_s: float = LENGTH_S
    slack_s: float = 0.1
    claps_s: tuple[float, ...] = CLAPS_S
    silent: bool = False
    fps: float = 25
    short: bool = False
    # Where the source's own sound and picture are apart, the stream's must be too.
    sound_late_s: float = 0.0
    # Where it is heard at other moments than it is seen.
    heard_s: tuple[float, ...] | None = None


def plain(
    name: str, suffix: str, *words: str, rate: str = "25", size: str = "320x180", sound: list[str] | None = None,
    length_s: float = LENGTH_S,
) -> Callable[[Path], Path]:  # fmt: skip
    def make(folder: Path) -> Path:
        path = folder / f"{name}.{suffix}"
        heard = beep(length_s) if sound is None else sound
        ffmpeg(*flash(size, rate, length_s), *heard, *words, path)
        return path

    return make


def recut(
    first: Callable[[Path], Path], suffix: str, *words: str, before: tuple[str, ...] = ()
) -> Callable[[Path], Path]:
    """What `first` makes, copied with `words` (and `before` in front of the input)."""

    def make(folder: Path) -> Path:
        path = first(folder)
        again = folder / f"again.{suffix}"
        ffmpeg(*before, "-i", path, *words, again)
        return again

    return make


def _cut(first: Callable[[Path], Path], share: float) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = first(folder)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])
        return path

    return make


def _named(first: Callable[[Path], Path], name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        return first(folder).rename(folder / name)

    return make


def _with_cover(folder: Path) -> Path:
    cover, film, path = folder / "cover.jpg", folder / "bare.mp4", folder / "cover.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=1000x1000", "-frames:v", "1", cover)
    ffmpeg(*flash(), *beep(), *X264, *AAC, film)
    ffmpeg(
        "-i",
        cover,
        "-i",
        film,
        "-map",
        "0",
        "-map",
        "1",
        "-c",
        "copy",
        "-disposition:v:0",
        "attached_pic",
        path,
    )
    return path


def _several(folder: Path) -> Path:
    """The default track is the second; the first hums all the time."""
    path = folder / "several.mkv"
    hum = ["-f", "lavfi", "-i", f"sine=300:d={LENGTH_S}:r=48000"]
    ffmpeg(*flash(), *hum, *beep(), "-map", "0", "-map", "1", "-map", "2", *X264, *AAC,
           "-disposition:a:0", "0", "-disposition:a:1", "default", path)  # fmt: skip
    return path


def _gab2(folder: Path) -> Path:
    """An AVI with a "subtitle" track that is an HLS playlist (HackerOne 242831)."""
    path = folder / "gab2.avi"
    ffmpeg(*flash(), *beep(), "-c:v", "mpeg4", "-c:a", "libmp3lame", path)
    text = b"#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    gab2 = b"GAB2\x00\x02\x00" + struct.pack("<I", 0) + b"\x04\x00" + struct.pack("<I", len(text)) + text
    data = bytearray(path.read_bytes())
    at = data.index(b"movi") + 4
    chunk = b"02tx" + struct.pack("<I", len(gab2)) + gab2 + b"\x00" * (len(gab2) % 2)
    data[at:at] = chunk
    for place in (4, at - 8):
        struct.pack_into("<I", data, place, struct.unpack_from("<I", data, place)[0] + len(chunk))
    path.write_bytes(data)
    return path


def _hostile(folder: Path) -> Path:
    path = folder / "hostile.mkv"
    words = [f"-metadata:{kind}" if kind else "-metadata" for kind in ("", "s:v:0", "s:a:0")]
    tags = [part for word in words for key in ("title", "comment", SCRIPT[:20], "DURATION", "rotate")
            for part in (word, f"{key}={SCRIPT * 40}")]  # fmt: skip
    ffmpeg(*flash(), *beep(), *X264, *AAC, *tags, path)
    return path


def _late_sound(suffix: str, *words: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / f"late-sound.{suffix}"
        ffmpeg(*flash(), "-itsoffset", "0.4", *beep(LENGTH_S - 0.4), *words, path)
        return path

    return make


MP4 = plain("film", "mp4", *BF, *AAC)

FILMS: tuple[Film, ...] = (
    Film("priming-and-b-frames", MP4, short=True),
    Film("quicktime-prores", plain("film", "mov", "-c:v", "prores_ks", *PCM)),
    Film("matroska-hevc-ac3-5.1", plain("film", "mkv", *HEVC10, "-c:a", "ac3", sound=beep(channels="c=5.1"))),
    Film("webm-vp9-opus", plain("film", "webm", *WEBM), short=True),
    Film("av1-opus", plain("film", "mp4", *AV1)),
    Film("avi-mp3", plain("film", "avi", "-c:v", "mpeg4", "-c:a", "libmp3lame")),
    Film("transport-stream-late", plain("film", "ts", *BF, *AAC, "-output_ts_offset", "7.5")),
    Film("transport-stream-clock-turns-over",
         plain("film", "ts", *X264, *AAC, "-output_ts_offset", "95442.2")),
    Film("transport-stream-mpeg2", plain("film", "ts", "-c:v", "mpeg2video", "-b:v", "2M", "-c:a", "mp2"),
         slack_s=0.2),
    Film("telephone-amr", plain("film", "3gp", "-c:v", "h263", "-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1",
                                 size="352x288"), size=(352, 288)),
    Film("windows-media", plain("film", "wmv", *WMV), slack_s=0.2),
    Film("motion-jpeg", plain("film", "mov", "-c:v", "mjpeg", *PCM)),
    Film("mono", plain("film", "mp4", *X264, *AAC, sound=beep(channels="c=mono"))),
    Film("ten-frames-a-second", plain("film", "mp4", *X264, *AAC, rate="10"), fps=10),
    Film("varying-rate", plain("film", "mp4", "-vf", "select='lt(mod(n,35),20)'", "-fps_mode", "vfr",
                                *X264, *AAC, rate="50"), fps=50),
    Film("interlaced", plain("film", "mp4", "-vf", "interlace=lowpass=0", *X264, "-flags", "+ildct+ilme", *AAC,
                              rate="50")),
    Film("hdr-pq", plain("film", "mp4", *PQ, *HEVC10, *AAC)),
    Film("hdr-hlg", plain("film", "mov", *HLG, *HEVC10, *AAC)),
    Film("4k60", plain("film", "mp4", *X264, *AAC, size="3840x2160", rate="60", length_s=1.3), size=(1920, 1080),
         length_s=1.3, fps=60, claps_s=(1.0,)),
    Film("odd-sizes", plain("film", "mkv", "-vf", "scale=321:181,setsar=1", *X264, "-pix_fmt", "yuv444p", *AAC)),
    Film("wide-pixels", plain("film", "mp4", "-vf", "scale=240:180,setsar=4/3", *X264, *AAC)),
    Film("turned", recut(MP4, "mp4", "-c", "copy", before=("-display_rotation", "90")), size=(180, 320), short=True),
    Film("several-sounds", _several),
    Film("no-sound", plain("film", "mp4", *X264, sound=[]), silent=True),
    # Cut at a picture that is no key frame: an edit list hides the pictures before it.
    Film("edit-list-hides-the-head", recut(MP4, "mp4", "-c", "copy", before=("-ss", "0.6")),
         length_s=LENGTH_S - 0.6, claps_s=(0.4, 1.8), slack_s=0.15),
    Film("edit-list-delays-the-sound", _late_sound("mp4", *X264, *AAC), sound_late_s=0.4),
    Film("transport-stream-with-late-sound", _late_sound("ts", *X264, *AAC), sound_late_s=0.4, short=True),
    # Without an edit list both picture and sound come as late as the coder needs room: the film itself says so.
    Film("fragmented", recut(MP4, "mp4", "-c", "copy", "-movflags", "frag_keyframe+empty_moov"),
         length_s=LENGTH_S + 0.08, claps_s=(1.08, 2.48)),
    Film("starts-at-a-hundred", recut(MP4, "mkv", "-c", "copy", "-output_ts_offset", "100"), slack_s=0.15),
    Film("starts-before-zero",
         recut(MP4, "mov", "-c", "copy", "-output_ts_offset", "-1", "-avoid_negative_ts", "disabled"),
         slack_s=0.15, claps_s=(0.0, 1.4), length_s=LENGTH_S - 1),
    Film("cover-first", _with_cover),
    Film("hostile-metadata", _hostile),
    Film("hostile-name", _named(MP4, "-i concat:%03d|`id`';$(id) \"x\n.mp4")),
    Film("pattern-name", _named(MP4, "frame%03d.mp4")),
    Film("playlist-in-a-subtitle", _gab2, slack_s=0.2),
    Film("cut-transport-stream", _cut(plain("film", "ts", *X264, *AAC), 0.7), length_s=2.2, slack_s=0.7,
         claps_s=(1.0,)),
)  # fmt: skip


def png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(72)))
        + chunk(b"IEND", b"")
    )


def dolby_vision(folder: Path) -> Path:
    """As profile 5 looks from outside: its own name for the coding, and no word about colour."""
    path = folder / "dolby.mov"
    ffmpeg(*flash(), *beep(), "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none",
           "-pix_fmt", "yuv420p10le", *AAC, path)  # fmt: skip
    path.write_bytes(path.read_bytes().replace(b"hev1", b"dvh1"))
    return path


# Each points at `%(url)s`, a listener that must never be asked, or at a file of this machine.
POINTERS: tuple[tuple[str, str, str], ...] = (
    ("hls", "#EXTM3U\n#EXT-X-TARGETDURATION:6\n#EXTINF:6,\n%(url)s/1.ts\n#EXT-X-ENDLIST\n", sniff.PLAYLIST),
    ("hls-key", '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="%(url)s/k"\n#EXTINF:6,\nfilm.ts\n#EXT-X-ENDLIST\n',
     sniff.PLAYLIST),
    ("hls-after-blanks", "\n" * 3000 + "#EXTM3U\n#EXTINF:6,\n%(url)s/1.ts\n", sniff.PLAYLIST),
    ("hls-after-very-many-blanks", "\n" * 9000 + "#EXTM3U\n#EXTINF:6,\n%(url)s/1.ts\n", sniff.TEXT),
    ("hls-behind-zeros", "\0" * 5000 + "#EXTM3U\n#EXTINF:6,\n%(url)s/1.ts\n", containers.NOT_A_FILM),
    ("ffconcat", "ffconcat version 1.0\nfile '/etc/passwd'\nfile '%(url)s/1.mp4'\n", sniff.PLAYLIST),
    ("concat-without-a-head", "file '/etc/passwd'\nfile '%(url)s/1.mp4'\n", sniff.TEXT),
    ("dash", '<?xml version="1.0"?><MPD><Period><AdaptationSet><Representation><BaseURL>%(url)s/</BaseURL>'
     "</Representation></AdaptationSet></Period></MPD>", sniff.PLAYLIST),
    ("smil", '<smil><body><video src="%(url)s/1.mp4"/></body></smil>', sniff.PLAYLIST),
    ("asx", '<asx version="3.0"><entry><ref href="%(url)s/1.wmv"/></entry></asx>', sniff.PLAYLIST),
    ("asf-reference", "[Reference]\r\nRef1=%(url)s/1.wmv\r\n", sniff.PLAYLIST),
    ("session-description", "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
     "m=video 5004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n", sniff.TEXT),
    ("picture-with-a-link", '<svg xmlns="http://www.w3.org/2000/svg"><image href="%(url)s/1.png"/></svg>',
     sniff.PICTURE),
    ("script-of-ffmpeg-metadata", ";FFMETADATA1\ntitle=x\n[CHAPTER]\n", sniff.TEXT),
)  # fmt: skip
