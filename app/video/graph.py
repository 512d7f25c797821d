"""Write the ffmpeg arguments that turn a chunk of one source into every rung of its ladder, decoding it once."""

import math
from collections.abc import Sequence

from app.video.chunks import EXACT_DEMUXERS, LEAD_S, Chunk
from app.video.ladder import AUDIO_BPS, GOP_S, SEGMENT_S, Ladder, Rung
from app.video.source import Source

AUDIO_FOLDER = "a"
INIT = "init.mp4"
SEGMENTS = "seg_%05d.m4s"
PLAYLIST = "media.m3u8"
PRESET = "veryfast"
# VMAF at 1080p: slides 97, film 93 (docs/adr/0010).
CRF = 18
# x264's own 1.0 moves bits to flat parts: on grainy film it took twice as many for half a point of VMAF. None at all
# lets smooth skin and walls break into blocks.
EVENNESS = 0.4
# With more, what x264 holds under a cap depends on which thread is first: a chunk made again would be another one.
ENCODER_THREADS = 1
AUDIO_HZ = 48_000
# The AAC encoder puts this many samples of its own before ours, and a stream has no edit list to hide them. As
# many of ours make room for them at the very beginning, so that all the rest is heard when it should be.
PRIMING = 1024
# Pictures are timed from 0 by the fragments themselves, reordering included: not every player reads the edit
# list that would otherwise take the delay back.
PICTURE_TIMES = ("-hls_segment_options", "use_editlist=0:movflags=+negative_cts_offsets")
HD_LINES = 720
CARDIOIDS = "pan=stereo|c0=0.5*c0+0.5*c1|c1=0.5*c0-0.5*c1"

_SD_MATRICES = ("bt470bg", "smpte170m", "fcc")
_SCALE_MATRICES = {"bt709": "bt709", "smpte240m": "smpte240m", "bt2020nc": "bt2020", "gbr": "auto"}


def picture_arguments(source: Source, ladder: Ladder, chunk: Chunk) -> list[str]:
    """Everything after the input for the pictures of one chunk: filter graph and one HLS output per rung.

    Paths are relative to the folder that the encode writes to, one folder per rendition.
    """
    words = ["-filter_complex", picture_graph(source, ladder, chunk)]
    for number, rung in enumerate(ladder.rungs):
        codec = [*_picture_codec(rung, ladder, chunk), "-threads", str(ENCODER_THREADS)]
        output = _hls(rung.folder, PICTURE_TIMES, chunk.first_segment, _segment_s(ladder))
        words += ["-map", f"[v{number}]", *codec, *output]
    return [*words, *beside(source, source.audio_index)]


def copy_arguments(source: Source, rung: Rung) -> list[str]:
    """Everything after the input for the source's own pictures as a rung: cut where a key frame allows it."""
    return ["-map", f"0:{source.video_index}", "-c", "copy", *_hls(rung.folder, PICTURE_TIMES)]


def sound_arguments(source: Source, filters: Sequence[str] = ()) -> list[str]:
    """Everything after the input for the whole film's sound, which passes through `filters`."""
    codec = ["-c:a", "aac", "-b:a", str(AUDIO_BPS), "-ar", str(AUDIO_HZ), "-ac", "2"]
    graph = f"{sound_chain(source, filters)}[sound]"
    return [
        "-filter_complex",
        graph,
        "-map",
        "[sound]",
        *codec,
        *_hls(AUDIO_FOLDER, []),
        *beside(source, source.video_index),
    ]


def entering(chunk: Chunk) -> list[str]:
    """Arguments before the input: begin a little before the chunk, and keep the film's own clock."""
    if chunk.is_copied:
        # Its clock began with the film, which may be before its first picture.
        where = ["-seek_timestamp", "1", "-noaccurate_seek", "-ss", str(chunk.start_s - LEAD_S)]
        return ["-copyts", *(where if chunk.first_frame else [])]
    if chunk.first_frame == 0:
        return []
    return ["-ss", str(chunk.start_s - LEAD_S), "-copyts", "-start_at_zero"]


def may_change_size(source: Source) -> bool:
    """Whether pictures of another size go through the same filters.

    Some of those below know only one size. In MP4 and its like no picture changes its size, and a film pays nothing
    for what cannot be: room for bars costs a copy of each picture, 1.6 % of a lecture's ladder.
    """
    plain = not (source.interlaced or source.rotation or source.is_hdr)
    return plain and source.demuxer in ("matroska", "mpegts")


def unbroken(source: Source) -> list[str]:
    """Arguments before the input: filters go on when the picture changes its size, as a shared window does.

    Begun anew they would count from the film's start: what comes after the change was 2 pictures late.
    """
    return ["-reinit_filter", "0"] if may_change_size(source) else []


def beside(source: Source, index: int | None) -> list[str]:
    """Arguments that read a second stream to nowhere.

    With MPEG-TS and its like ffmpeg's clock begins where the first stream that it uses begins: picture and sound, read
    apart, would each begin at 0, and be apart by as much as one of them began later.
    """
    if index is None or source.demuxer in EXACT_DEMUXERS:
        return []
    return ["-map", f"0:{index}", "-c", "copy", "-f", "null", "-"]


def picture_graph(source: Source, ladder: Ladder, chunk: Chunk) -> str:
    """One decode, brought to the top rung's size once, then from each rung down to the next."""
    last = len(ladder.rungs) - 1
    steps = [f"[0:{source.video_index}]{picture_chain(source, ladder, chunk)}"]
    steps += [f"scale={rung.width_px}:{rung.height_px}:flags=bicubic,setsar=1" for rung in ladder.rungs[1:]]
    chains = []
    for n, step in enumerate(steps):
        taken = f"[s{n}]" if n else ""
        chains.append(f"{taken}{step}[v{n}]" if n == last else f"{taken}{step},split[v{n}][s{n + 1}]")
    return ";".join(chains)


def picture_chain(source: Source, ladder: Ladder, chunk: Chunk) -> str:
    """From decoded pictures (upright already) to a chunk's, 8-bit 4:2:0 BT.709 at the top rung's size, from time 0."""
    steps = []
    if source.interlaced:
        steps.append("bwdif=mode=send_frame:deint=interlaced")
    # Frames that will not be shown are dropped before the dear steps; a late start shows the first picture.
    steps.append(f"fps=fps={ladder.rate[0]}/{ladder.rate[1]}:start_time={float(chunk.first_frame_s):.9f}")
    still_s = source.duration_s - source.picture_s
    steps.append(f"trim=end_frame={chunk.most_frames(source.picture_s)}")
    if chunk.frames is None and still_s > 0:
        steps.append(f"tpad=stop_mode=clone:stop_duration={still_s:.3f}")
    if chunk.first_frame:
        steps.append("setpts=PTS-STARTPTS")
    steps += _tone_mapped(source, ladder.top) if source.is_hdr else _scaled(source, ladder.top)
    steps.append("setsar=1")
    steps.append("setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709")
    return ",".join(steps)


def sound_chain(source: Source, filters: Sequence[str] = ()) -> str:
    """Stereo at 48 kHz, as long as the film, with gaps filled; silence where the source has no sound."""
    length_s = f"{source.duration_s:.6f}"
    if source.audio_index is None:
        silence = f"anullsrc=sample_rate={AUDIO_HZ}:channel_layout=stereo:duration={length_s}"
        return f"{silence},atrim=start_sample={PRIMING}"
    steps = [
        f"[0:{source.audio_index}]{in_stereo(source)}aresample={AUDIO_HZ}:async=1000:first_pts=0",
        "aformat=sample_fmts=fltp:channel_layouts=stereo",
        *filters,
        f"apad=whole_dur={length_s}",
        f"atrim=start_sample={PRIMING}:end={length_s}",
    ]
    return ",".join(steps)


def in_stereo(source: Source) -> str:
    """What goes before other filters of sound where ffmpeg has no stereo of its own for the channels.

    A sphere of sound (action cameras, telephones) is heard by two microphones of cardioid, one to each side.
    Source: AmbiX (channel 0 is everything, channel 1 is left minus right).
    """
    return f"{CARDIOIDS}," if source.audio_layout.startswith("ambisonic") else ""


def _scaled(source: Source, top: Rung) -> list[str]:
    in_range = "pc" if source.full_range else "tv"
    width, height = top.width_px, top.height_px
    colours = f"in_color_matrix={_matrix(source)}:out_color_matrix=bt709:in_range={in_range}:out_range=tv"
    if not may_change_size(source):
        return [f"scale={width}:{height}:flags=bicubic:{colours}", "format=yuv420p"]
    # A picture of another shape than the film's first ones is not squeezed: it stands between bars.
    usual = f"eq(iw,{source.coded_width_px})*eq(ih,{source.coded_height_px})"
    fit = (
        f"2*trunc(min({width}/(iw*sar),{height}/ih)*iw*sar/2)",
        f"2*trunc(min({width}/(iw*sar),{height}/ih)*ih/2)",
    )
    return [
        f"scale=w='if({usual},{width},max(2,{fit[0]}))':h='if({usual},{height},max(2,{fit[1]}))'"
        f":eval=frame:flags=bicubic:{colours}",
        "format=yuv420p",
        f"pad={width}:{height}:-1:-1:eval=frame",
    ]


def _matrix(source: Source) -> str:
    if source.matrix in _SD_MATRICES:
        return "bt601"
    if source.matrix:
        return _SCALE_MATRICES.get(source.matrix, "auto")
    # Unsaid: what every player assumes, by the height.
    return "bt709" if min(source.coded_width_px, source.coded_height_px) >= HD_LINES else "bt601"


def _tone_mapped(source: Source, top: Rung) -> list[str]:
    """HDR to SDR. Sized first: linear light in floating point costs by the pixel.

    White is 203 cd/m² (Source: ITU-R BT.2408, 2.1). Below three tenths of it nothing changes, and what is
    brighter is pressed together: measured on an SDR pattern graded into PQ and back, full red came out at 211
    of 251, against 153 with hable.
    """
    full = "full" if source.full_range else "limited"
    matrix = "gbr" if source.matrix == "gbr" else "2020_ncl"
    return [
        f"zscale=w={top.width_px}:h={top.height_px}:filter=bicubic:transferin={source.transfer}"
        f":matrixin={matrix}:primariesin=2020:rangein={full}:transfer=linear:npl=203",
        "format=gbrpf32le",
        "zscale=primaries=709",
        "tonemap=tonemap=mobius:param=0.3:desat=0",
        "zscale=transfer=709:matrix=709:range=limited",
        "format=yuv420p",
    ]


def _picture_codec(rung: Rung, ladder: Ladder, chunk: Chunk) -> list[str]:
    return [
        "-c:v", "libx264", "-preset", PRESET, "-profile:v", "high", "-pix_fmt", "yuv420p",
        "-crf", str(CRF), "-aq-strength", str(EVENNESS),
        "-maxrate", str(rung.max_bps), "-bufsize", str(GOP_S * rung.max_bps),
        # The clock decides, so that key frames fall on the same pictures in every rung.
        "-force_key_frames", f"expr:gte(t+{float(chunk.late_s) + 0.000001:.6f},n_forced*{GOP_S})", "-forced-idr", "1",
        "-g", str(math.ceil(GOP_S * ladder.fps)), "-sc_threshold", "0",
    ]  # fmt: skip


def _segment_s(ladder: Ladder) -> float:
    """Where the muxer may cut: at the key frame that is due, even if it comes a picture early by the chunk's clock.

    A chunk has 12 segments at most, so that what is allowed for each adds up to less than a group of pictures.
    """
    return SEGMENT_S if ladder.rate[1] == 1 else SEGMENT_S - ladder.frame_s


def _hls(
    folder: str, options: Sequence[str], first_segment: int = 1, segment_s: float = SEGMENT_S
) -> list[str]:
    return [
        "-map_metadata", "-1", "-map_chapters", "-1", "-bitexact",
        "-f", "hls", "-hls_time", f"{segment_s:.6f}", "-hls_list_size", "0", "-hls_playlist_type", "vod",
        "-hls_segment_type", "fmp4", "-hls_fmp4_init_filename", INIT, "-start_number", str(first_segment),
        "-hls_flags", "independent_segments", *options,
        "-hls_segment_filename", f"{folder}/{SEGMENTS}", f"{folder}/{PLAYLIST}",
    ]  # fmt: skip
