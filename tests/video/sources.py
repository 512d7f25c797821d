"""Source films, good and nasty, made on the spot by ffmpeg: small, short, each with one peculiarity."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from app.video.ffmpeg import binary

LENGTH_S = 2.4
# A moving pattern with a red square in its upper left corner, so that one sees which way is up. The pattern's own
# left bar is red from top to bottom, and told nothing: it is painted grey first.
CORNER = "drawbox=w=iw/4:h=ih:c=gray:t=fill,drawbox=w=iw/4:h=ih/3:c=red:t=fill"
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
AAC = ("-c:a", "aac")


def ffmpeg(*words: str | Path) -> None:
    subprocess.run([binary(), "-v", "error", "-nostdin", "-y", *map(str, words)], check=True, timeout=120)


def picture(size: str = "426x240", rate: str = "25", length_s: float = LENGTH_S) -> list[str]:
    return ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={length_s},{CORNER}"]


def sound(length_s: float = LENGTH_S, hz: int = 48000) -> list[str]:
    return ["-f", "lavfi", "-i", f"sine=440:d={length_s}:r={hz}"]


@dataclass(frozen=True)
class Case:
    """One good source: how it is made, and what its top rung must be."""

    name: str
    size: tuple[int, int]
    words: tuple[str, ...] = (*X264, *AAC)
    source: str = "426x240"
    rate: str = "25"
    sounds: tuple[str, ...] = field(default_factory=lambda: tuple(sound()))
    suffix: str = "mp4"
    rotation: int = 0
    length_s: float = LENGTH_S
    fps: float = 25
    slack_s: float = 0.1
    corner: str = "upper left"

    def make(self, folder: Path) -> Path:
        path = folder / f"{self.name}.{self.suffix}"
        ffmpeg(*picture(self.source, self.rate, self.length_s), *self.sounds, *self.words, path)
        if self.rotation:
            turned = folder / f"{self.name}-turned.{self.suffix}"
            ffmpeg("-display_rotation", str(self.rotation), "-i", path, "-c", "copy", turned)
            return turned
        return path


PQ = ("-vf", "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,zscale=transferin=709:matrixin=709"
      ":primariesin=709:rangein=limited:transfer=smpte2084:matrix=2020_ncl:primaries=2020:npl=203,"
      "format=yuv420p10le")  # fmt: skip
HLG = (PQ[0], PQ[1].replace("smpte2084", "arib-std-b67"))
HEVC10 = ("-c:v", "libx265", "-preset", "ultrafast", "-tag:v", "hvc1", "-x265-params", "log-level=error")

COMMON: tuple[Case, ...] = (
    Case("rotated-90", (240, 426), rotation=90, corner="lower left"),
    Case("rotated-180", (426, 240), rotation=180, corner="lower right"),
    Case("rotated-270", (240, 426), rotation=270, corner="upper right"),
    Case("no-sound", (426, 240), sounds=(), words=X264),
    Case("two-frames-a-second", (426, 240), rate="2", fps=5, length_s=3.0, slack_s=0.51),
    Case("odd-sizes", (332, 184), source="333x185", words=(*X264, "-pix_fmt", "yuv444p", *AAC)),
    Case("wide-pixels", (426, 240), source="320x240", words=(*X264, "-vf", "setsar=4/3", *AAC)),
    Case("interlaced", (426, 240), rate="50",
         words=("-vf", "interlace=lowpass=0", *X264, "-flags", "+ildct+ilme", *AAC)),
    Case("varying-rate", (426, 240), rate="30", fps=30,
         words=("-vf", "select='not(between(mod(n,10),3,8))'", "-fps_mode", "vfr", *X264, *AAC)),
    Case("hdr-pq", (426, 240), words=(*PQ, *HEVC10, *AAC)),
    Case("late-start", (426, 240), words=(*X264, *AAC, "-output_ts_offset", "7.5"), suffix="ts"),
    Case("longer-sound", (426, 240), sounds=tuple(sound(LENGTH_S + 1)), length_s=LENGTH_S),
    Case("shorter-sound", (426, 240), sounds=tuple(sound(LENGTH_S - 1))),
    Case("two-sounds", (426, 240), sounds=(*sound(), *sound()),
         words=("-map", "0", "-map", "1", "-map", "2", *X264, *AAC)),
    Case("ladder-of-two", (712, 400), source="712x400"),
)  # fmt: skip

RARE: tuple[Case, ...] = (
    Case("portrait", (240, 426), source="240x426"),
    Case("mono", (426, 240), words=(*X264, "-c:a", "aac", "-ac", "1")),
    Case("six-channels", (426, 240), words=(*X264, "-c:a", "aac", "-ac", "6")),
    Case("ten-frames-a-second", (426, 240), rate="10", fps=10),
    Case("hdr-hlg", (426, 240), words=(*HLG, *HEVC10, *AAC)),
    Case("matroska", (426, 240), suffix="mkv"),
    Case("fast-rate", (426, 240), rate="120", fps=60),
    Case("film-rate", (426, 240), rate="24000/1001", fps=24000 / 1001),
    Case("ntsc-rate", (426, 240), rate="30000/1001", fps=30000 / 1001, length_s=7.0),
    Case("avi-mpeg4", (426, 240), words=("-c:v", "mpeg4", "-c:a", "libmp3lame"), suffix="avi"),
    Case("webm-vp9", (426, 240), words=("-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime",
                                        "-c:a", "libopus"), suffix="webm"),
    Case("av1", (426, 240), words=("-c:v", "libsvtav1", "-preset", "12", "-c:a", "libopus"), suffix="mkv"),
    Case("prores", (426, 240), words=("-c:v", "prores_ks", "-profile:v", "2", "-c:a", "pcm_s16le"), suffix="mov"),
    Case("mjpeg-full-range", (426, 240), words=("-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p",
                                                "-c:a", "pcm_s16le"), suffix="mov"),
    Case("mpeg2-program", (426, 240), words=("-c:v", "mpeg2video", "-b:v", "2M", "-c:a", "mp2"), suffix="mpg",
         slack_s=0.2),
    Case("windows-media", (426, 240), words=("-c:v", "wmv2", "-b:v", "2M", "-c:a", "wmav2"), suffix="wmv",
         slack_s=0.2),
    Case("telephone-3gp", (352, 288), source="352x288", words=("-c:v", "h263", "-c:a", "aac"), suffix="3gp"),
    Case("flash", (426, 240), words=("-c:v", "flv", "-b:v", "1M", "-c:a", "libmp3lame", "-ar", "44100"),
         suffix="flv"),
    Case("hevc", (426, 240), words=(*HEVC10, "-pix_fmt", "yuv420p", *AAC), suffix="mov"),
    Case("ten-bit-422", (426, 240), words=("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv422p10le",
                                           *AAC)),
    Case("edit-list", (426, 240), words=("-c:v", "libx264", "-bf", "3", "-pix_fmt", "yuv420p", *AAC)),
    Case("pal-television", (768, 576), source="720x576", rate="50", length_s=3.0,
         words=("-vf", "setsar=16/15,interlace=lowpass=0", "-c:v", "mpeg2video", "-b:v", "4M",
                "-flags", "+ildct+ilme", "-c:a", "mp2"), suffix="ts", slack_s=0.2),
    Case("ultra-hd", (1920, 1080), source="3840x2160", rate="60", fps=60, length_s=1.0,
         sounds=tuple(sound(1.0))),
    Case("cinema", (2048, 864), source="2048x864", length_s=1.0, sounds=tuple(sound(1.0))),
)  # fmt: skip
