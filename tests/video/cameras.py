"""Films as cameras, telephones, editors and recorders write them: extra tracks, odd clocks, rare codes of sound.

As in `nasty.py` each flashes and beeps at the same moment, so that time and sound are checked to the picture.
"""

import struct
from collections.abc import Callable
from pathlib import Path

from app.video import mp4
from tests.video.nasty import BF, LENGTH_S, MP4, PCM, Film, beep, flash, plain, recut
from tests.video.sources import AAC, HEVC10, HLG, X264, ffmpeg

INTERLACED = (
    "-c:v",
    "libx264",
    "-preset",
    "veryfast",
    "-flags",
    "+ildct+ilme",
    "-x264-params",
    "tff=1:keyint=25",
)
TWICE = (1.0, 2.4, LENGTH_S + 1.0, LENGTH_S + 2.4)


def _tracks(data: bytes) -> list[mp4.Box]:
    return [box for box in mp4.boxes(data) if box.kind == b"trak"]


def _edited(first: Callable[[Path], Path], cut_s: float) -> Callable[[Path], Path]:
    """The film `first` makes, whose edit lists end so many seconds before its tracks do."""

    def make(folder: Path) -> Path:
        path = first(folder)
        data = bytearray(path.read_bytes())
        (scale,) = struct.unpack_from(">I", data, data.index(b"mvhd") + 16)
        for track in _tracks(bytes(data)):
            at = data.index(b"elst", track.start, track.start + track.size) + 12
            (length,) = struct.unpack_from(">I", data, at)
            struct.pack_into(">I", data, at, length - round(cut_s * scale))
        path.write_bytes(data)
        return path

    return make


def _telemetry(folder: Path) -> Path:
    """A sports camera: a timecode, and a track of data that no reader knows."""
    words, bare, path = folder / "words.srt", folder / "bare.mov", folder / "sports.mov"
    words.write_text("1\n00:00:00,000 --> 00:00:03,000\nGPS\n")
    ffmpeg(*flash(), *beep(), "-i", words, "-map", "0", "-map", "1", "-map", "2", *HEVC10, "-pix_fmt", "yuv420p",
           *AAC, "-c:s", "mov_text", "-timecode", "10:11:12:13", bare)  # fmt: skip
    data = bytearray(bare.read_bytes())
    for track in _tracks(bytes(data)):
        end = track.start + track.size
        if (at := data.find(b"tx3g", track.start, end)) >= 0 or (
            at := data.find(b"text", data.find(b"stsd", track.start, end), end)
        ) >= 0:
            data[at : at + 4] = b"gpmd"
            handler = data.index(b"hdlr", track.start, end) + 12
            data[handler : handler + 4] = b"meta"
    assert b"gpmd" in data
    path.write_bytes(data)
    return path


def _drone(folder: Path) -> Path:
    """A preview as an attached picture, and a subtitle for each second."""
    cover, words, film, path = (folder / name for name in ("c.jpg", "w.srt", "bare.mp4", "drone.mp4"))
    ffmpeg("-f", "lavfi", "-i", "color=red:s=1280x720", "-frames:v", "1", cover)
    words.write_text(
        "".join(f"{n + 1}\n00:00:0{n},000 --> 00:00:0{n + 1},000\nF/2.8, 8.5 47.3\n\n" for n in range(3))
    )
    ffmpeg(*flash(rate="30000/1001"), *beep(), *X264, *AAC, film)
    ffmpeg("-i", film, "-i", words, "-i", cover, "-map", "0", "-map", "1", "-map", "2", "-c", "copy",
           "-c:s", "mov_text", "-disposition:v:1", "attached_pic", path)  # fmt: skip
    return path


def _dolby_beside_hlg(folder: Path) -> Path:
    """As a telephone films: profile 8.4, whose picture is HLG that everybody can show.

    Source: Dolby Vision Streams Within the ISO Base Media File Format, 3.2 (the box).
    """
    path = folder / "telephone.mov"
    ffmpeg(*flash(), *beep(), *HLG, *HEVC10, *AAC, path)
    profile = struct.pack(">BBHB19x", 1, 0, 8 << 9 | 3 << 3 | 1 << 2 | 1, 4 << 4)
    box = struct.pack(">I4s", 8 + len(profile), b"dvvC") + profile
    data = bytearray(path.read_bytes())
    at, end, grown = 0, len(data), []
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"hvc1"):
        while bytes(data[at + 4 : at + 8]) != kind:
            at += struct.unpack_from(">I", data, at)[0]
        grown.append(at)
        end = at + struct.unpack_from(">I", data, at)[0]
        at += 16 if kind == b"stsd" else 8
    for at in grown:
        struct.pack_into(">I", data, at, struct.unpack_from(">I", data, at)[0] + len(box))
    data[end:end] = box
    path.write_bytes(data)
    return path


def _spatial(folder: Path) -> Path:
    """A telephone's second sound, in a code that only its maker reads."""
    path = folder / "spatial.mov"
    ffmpeg(*flash(), *beep(), *beep(), "-map", "0", "-map", "1", "-map", "2", *X264, *AAC,
           "-disposition:a:1", "default", path)  # fmt: skip
    data = bytearray(path.read_bytes())
    at = data.rindex(b"mp4a", 0, data.rindex(b"esds"))
    data[at : at + 4] = b"apac"
    path.write_bytes(data)
    return path


def _chapters(folder: Path) -> Path:
    """A podcast's chapters: a track of words, and one of pictures that are larger than the film."""
    words, path = folder / "words.txt", folder / "podcast.mp4"
    words.write_text(";FFMETADATA1\n" + "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={1600 * n}\nEND={1600 * n + 1600}\ntitle=Part {n}\n" for n in range(2)
    ))  # fmt: skip
    ffmpeg(*flash(), *beep(), "-f", "lavfi", "-i", "color=blue:s=640x640:r=1:d=3", "-i", words,
           "-map", "0", "-map", "1", "-map", "2", "-map_metadata", "3",
           "-c:v:0", "libx264", "-pix_fmt:v:0", "yuv420p", "-c:v:1", "mjpeg", *AAC, path)  # fmt: skip
    return path


def _again_later(late_s: float, *words: str) -> Callable[[Path], Path]:
    """A transport stream of two takes, the clock of whose second begins `late_s` after the first one's does."""

    def make(folder: Path) -> Path:
        path = folder / "takes.ts"
        data = b""
        for at_s in (0.0, late_s):
            take = folder / f"take-{at_s}.ts"
            ffmpeg(*flash(), *beep(), *X264, *AAC, "-output_ts_offset", str(at_s), take)
            data += take.read_bytes()
        path.write_bytes(data)
        return path

    return make


def _from_six_to_two(folder: Path) -> Path:
    """Television: a film with 5.1 channels, then what follows it."""
    path, data = folder / "television.ts", b""
    for at_s, channels in ((0.0, "c=5.1"), (LENGTH_S, "c=stereo")):
        part = folder / f"part-{at_s}.ts"
        ffmpeg(*flash(), *beep(channels=channels), *X264, "-c:a", "ac3", "-output_ts_offset", str(at_s),
               "-muxdelay", "0", "-muxpreload", "0", part)  # fmt: skip
        data += part.read_bytes()
    path.write_bytes(data)
    return path


def _window(folder: Path) -> Path:
    """A browser's recording of a window that somebody makes larger."""
    path, frames = folder / "window.webm", bytearray()
    for number, size in enumerate(("320x180", "640x360")):
        part = folder / f"{size}.ivf"
        ffmpeg(*flash(size), "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", part)
        data = bytearray(part.read_bytes())
        at = 32
        # Source: https://wiki.multimedia.cx/index.php/Duck_IVF (size and time before each picture)
        while number and at < len(data):
            length, shown = struct.unpack_from("<IQ", data, at)
            struct.pack_into("<Q", data, at + 4, shown + round(LENGTH_S * 25))
            at += 12 + length
        frames += data[32 if number else 0 :]
    (folder / "joined.ivf").write_bytes(frames)
    ffmpeg("-i", folder / "joined.ivf", *beep(), "-c:v", "copy", "-c:a", "libopus", path)
    return path


def _apart(suffix: str, picture_s: float, sound_s: float) -> Callable[[Path], Path]:
    """Picture and sound begin so many seconds into the film; both end with it."""

    def make(folder: Path) -> Path:
        path = folder / f"apart.{suffix}"
        length_s = LENGTH_S + 5
        ffmpeg("-itsoffset", str(picture_s), *flash(length_s=length_s - picture_s),
               "-itsoffset", str(sound_s), *beep(length_s - sound_s), *BF, *AAC, path)  # fmt: skip
        return path

    return make


VARYING = plain("film", "mp4", "-vf", "select='not(between(mod(n,10),3,5))'", "-fps_mode", "vfr", *BF, *AAC)

FILMS: tuple[Film, ...] = (
    # The last picture is held longer than the edit list lets it be shown.
    Film("edit-list-ends-within-a-picture", _edited(VARYING, 0.12), length_s=LENGTH_S - 0.12, slack_s=0.02, short=True),
    Film("edit-list-ends-early", _edited(MP4, 0.12), length_s=LENGTH_S - 0.12, slack_s=0.02),
    Film("chapters-with-pictures", _chapters, short=True),
    Film("clock-jumps-on", _again_later(LENGTH_S + 100), length_s=2 * LENGTH_S, claps_s=TWICE, short=True),
    Film("clock-jumps-on-by-hours", _again_later(LENGTH_S + 30_000), length_s=2 * LENGTH_S, claps_s=TWICE),
    Film("clock-jumps-back", _again_later(0.0), length_s=2 * LENGTH_S, claps_s=TWICE),
    # So short a jump is a pause in which nothing was recorded: the picture stands still, as in every player.
    Film("clock-jumps-a-little", _again_later(LENGTH_S + 5), length_s=2 * LENGTH_S + 5,
         claps_s=(1.0, 2.4, LENGTH_S + 6.0, LENGTH_S + 7.4)),
    Film("sound-5-s-late-mp4", _apart("mp4", 0, 5), length_s=LENGTH_S + 5, sound_late_s=5),
    Film("sound-5-s-late-mkv", _apart("mkv", 0, 5), length_s=LENGTH_S + 5, sound_late_s=5),
    Film("sound-5-s-late-ts", _apart("ts", 0, 5), length_s=LENGTH_S + 5, sound_late_s=5),
    Film("picture-5-s-late-mp4", _apart("mp4", 5, 0), length_s=LENGTH_S + 5, sound_late_s=-5, claps_s=(6.0, 7.4)),
    Film("picture-5-s-late-mkv", _apart("mkv", 5, 0), length_s=LENGTH_S + 5, sound_late_s=-5, claps_s=(6.0, 7.4)),
    Film("picture-5-s-late-ts", _apart("ts", 5, 0), length_s=LENGTH_S + 5, sound_late_s=-5, claps_s=(6.0, 7.4)),
    Film("from-six-channels-to-two", _from_six_to_two, length_s=2 * LENGTH_S, claps_s=TWICE, short=True),
    Film("window-that-grows", _window, length_s=2 * LENGTH_S, claps_s=TWICE, heard_s=(1.0, 2.4), short=True),
    Film("telemetry-and-timecode", _telemetry),
    Film("drone", _drone, fps=30000 / 1001),
    Film("dolby-vision-beside-hlg", _dolby_beside_hlg),
    Film("spatial-sound-beside-stereo", _spatial),
    Film("prores-with-four-mono-tracks", plain("film", "mov", "-c:v", "prores_ks", "-profile:v", "3", "-map", "0",
         *("-map", "1") * 4, "-c:a", "pcm_s24le", "-ac", "1", "-timecode", "01:00:00:00")),
    Film("screen-recorder-that-was-killed", plain("film", "mkv", "-map", "0", *("-map", "1") * 3, "-vf",
         "select='not(between(n,30,33))'", "-fps_mode", "vfr", *BF, *AAC, "-live", "1", rate="60"), fps=60),
    Film("video-call", plain("film", "mp4", *X264, "-g", "10", "-c:a", "aac", "-ar", "32000", "-ac", "1",
         "-video_track_timescale", "25000")),
    Film("screen-at-half-a-picture-a-second", plain("film", "mp4", "-vf", "select='lt(t,1.6)+not(mod(n,60))'",
         "-fps_mode", "vfr", *X264, *AAC, rate="30", length_s=9), length_s=9, fps=30, claps_s=(1.0,)),
    Film("one-to-120-pictures-a-second", plain("film", "mp4", "-vf", "setpts='if(lt(T,1),floor(T),T)/TB'",
         "-fps_mode", "vfr", "-enc_time_base", "1/120", *X264, *AAC, rate="120"), fps=60),
    Film("slow-motion", plain("film", "mp4", *X264, *AAC, rate="120000/1001"), fps=60000 / 1001),
    Film("milliseconds-that-jitter", plain("film", "mp4", "-vf", "setpts='PTS+if(mod(N,3),0.0036,0)/TB'", "-fps_mode",
         "passthrough", "-video_track_timescale", "1000", *X264, *AAC, rate="30"), fps=30),
    Film("camcorder-ac3", plain("film", "mts", *INTERLACED, "-vf", "scale=720:540,setsar=4/3,interlace=lowpass=0",
         "-c:a", "ac3", "-mpegts_m2ts_mode", "1", rate="50"), size=(960, 540)),
    Film("camcorder-lpcm", plain("film", "m2ts", *INTERLACED, "-vf", "interlace=lowpass=0", "-c:a", "pcm_bluray",
         "-mpegts_m2ts_mode", "1", rate="60000/1001"), fps=30000 / 1001),
    Film("television-dv", plain("film", "avi", "-vf", "scale=720:480,setsar=8/9,interlace=scan=bff:lowpass=0",
         "-c:v", "dvvideo", "-pix_fmt", "yuv411p", *PCM, rate="60000/1001"), size=(640, 480), fps=30000 / 1001),
    Film("mxf-intra-422-ten-bit", plain("film", "mxf", "-c:v", "libx264", "-g", "1", "-pix_fmt", "yuv422p10le",
         "-c:a", "pcm_s24le", size="640x360"), size=(640, 360)),
    Film("mxf-mpeg2-422-mono-tracks", plain("film", "mxf", "-c:v", "mpeg2video", "-b:v", "20M", "-pix_fmt", "yuv422p",
         "-map", "0", "-map", "1", "-map", "1", "-c:a", "pcm_s24le", "-ac", "1", size="640x360"), size=(640, 360)),
    Film("open-groups-and-a-pyramid", plain("film", "ts", "-c:v", "libx264", "-x264-params",
         "open-gop=1:b-pyramid=normal:keyint=20:min-keyint=20:bframes=5", "-pix_fmt", "yuv420p", *AAC)),
    Film("vp9-with-alpha", plain("film", "webm", "-vf", "format=yuva420p", "-c:v", "libvpx-vp9", "-deadline",
         "realtime", "-cpu-used", "8", "-auto-alt-ref", "0", "-pix_fmt", "yuva420p", "-c:a", "libvorbis")),
    Film("rgb", plain("film", "mkv", "-c:v", "libx264rgb", "-preset", "ultrafast", *AAC)),
    Film("webcam", plain("film", "avi", "-c:v", "mjpeg", "-pix_fmt", "yuvj422p", "-c:a", "adpcm_ms", "-ar", "22050")),
    Film("packed-mpeg4", plain("film", "avi", "-c:v", "mpeg4", "-bf", "2", "-c:a", "ac3")),
    Film("turned-with-wide-pixels", recut(plain("film", "mp4", "-vf", "scale=240:180,setsar=4/3", *X264, *AAC), "mp4",
         "-c", "copy", before=("-display_rotation", "90")), size=(180, 320)),
    Film("begins-before-zero", recut(MP4, "mkv", "-c", "copy", "-output_ts_offset", "-0.4",
         "-avoid_negative_ts", "disabled")),
    Film("opus-in-mp4", plain("film", "mp4", *X264, "-c:a", "libopus")),
    Film("flac-in-mp4", plain("film", "mp4", *X264, "-c:a", "flac")),
    Film("alac", plain("film", "mov", *X264, "-c:a", "alac")),
    Film("eight-bit-sound", plain("film", "mov", *X264, "-c:a", "pcm_u8", "-ar", "8000")),
    Film("96-khz", plain("film", "mov", *X264, "-c:a", "pcm_s24le", "-ar", "96000")),
    Film("right-channel-only", plain("film", "mp4", *X264, "-af", "pan=stereo|c1=c0", *AAC)),
    Film("dts-5.1", plain("film", "mkv", *X264, "-c:a", "dca", "-strict", "-2", sound=beep(channels="c=5.1"))),
    Film("e-ac3", plain("film", "mp4", *X264, "-c:a", "eac3")),
    Film("mp3-in-mp4", plain("film", "mp4", *X264, "-c:a", "libmp3lame")),
)  # fmt: skip
