"""Every film is as loud as the next, none is distorted, and silence stays silence."""

import asyncio
import math
from dataclasses import replace
from pathlib import Path

import pytest

from app.video.loudness import MOST_GAIN_DB, TARGET_LUFS, Loudness, Sides, measure
from app.video.probe import probe
from app.video.renditions import Rendition
from app.video.sound import encode_sound
from app.video.source import Source
from tests.video.sources import X264, ffmpeg

pytestmark = pytest.mark.xdist_group("pipeline")


def heard(expression: str, folder: Path, channels: str = "1") -> Loudness:
    """What comes out of a film with that sound."""
    path = folder / "film.mov"
    ffmpeg("-f", "lavfi", "-i", "color=s=64x36:r=10:d=8", "-f", "lavfi", "-i", f"aevalsrc='{expression}':s=48000:d=8",
           *X264, "-ac", channels, "-c:a", "pcm_s16le", path)  # fmt: skip

    async def both() -> tuple[Source, Path]:
        source = await probe(path)
        return source, await encode_sound(path, source, folder / "work")

    source, place = asyncio.run(both())
    rendition = Rendition.load(place / "a")
    joined = folder / "heard.mp4"
    joined.write_bytes(
        rendition.init + b"".join((rendition.folder / s.uri).read_bytes() for s in rendition.segments)
    )
    found = asyncio.run(measure(joined, replace(source, audio_index=0, demuxer="mov")))
    assert found is not None
    return found


@pytest.mark.parametrize("level", [0.05, 0.9], ids=["whispered", "shouted"])
@pytest.mark.parametrize("channels", ["1", "2"], ids=["mono", "stereo"])
def test_what_is_spoken_comes_out_equally_loud(level: float, channels: str, tmp_path: Path) -> None:
    voice = f"{level}*sin(2*PI*300*t)*(0.6+0.4*sin(2*PI*3*t))"
    assert heard(voice, tmp_path, channels).lufs == pytest.approx(TARGET_LUFS, abs=0.7)


def test_a_clap_over_a_quiet_voice_is_not_distorted(tmp_path: Path) -> None:
    clap = "0.05*sin(2*PI*300*t)+if(between(t,4,4.02),0.85*sin(2*PI*1000*t),0)"
    found = heard(clap, tmp_path)
    assert found.peak_dbfs < -0.5
    # The clap counts before it is held back, not after.
    assert -20 < found.lufs < -15


def test_silence_stays_silence(tmp_path: Path) -> None:
    assert heard("0", tmp_path).lufs <= -60


def test_room_noise_is_not_made_into_a_voice() -> None:
    assert Loudness(-55.0, -50.0).gain_db == MOST_GAIN_DB
    assert Loudness(-70.0, -math.inf).filters() == []
    assert Loudness(-16.0, -3.0).filters() == []


VOICE = "0.3*sin(2*PI*300*t)*(0.6+0.4*sin(2*PI*3*t))"


def sides(expressions: str, folder: Path) -> tuple[Sides, float]:
    """How loud each side of what comes out is, and the whole."""
    found = heard(expressions, folder, "2")
    assert found.sides is not None
    return found.sides, found.lufs


@pytest.mark.parametrize("silence", ["0", "0.006*(2*random(1)-1)"], ids=["digital silence", "an open input"])
@pytest.mark.parametrize("is_left", [True, False], ids=["left", "right"])
def test_a_microphone_on_one_channel_is_heard_on_both(silence: str, is_left: bool, tmp_path: Path) -> None:
    left, right = (VOICE, silence) if is_left else (silence, VOICE)
    found, lufs = sides(f"{left}|{right}", tmp_path)
    assert found.left_db == pytest.approx(found.right_db, abs=0.5)
    assert lufs == pytest.approx(TARGET_LUFS, abs=0.7)


def test_a_microphone_whose_sides_cancel_is_heard_on_a_telephone(tmp_path: Path) -> None:
    found, lufs = sides(f"{VOICE}|-1*{VOICE}", tmp_path)
    assert found.mono_db == pytest.approx(found.left_db, abs=0.5)
    assert lufs == pytest.approx(TARGET_LUFS, abs=0.7)


def test_sound_that_is_only_wider_on_one_side_stays_as_it_is(tmp_path: Path) -> None:
    found, _lufs = sides(f"{VOICE}|0.1*{VOICE}+0.02*sin(2*PI*700*t)", tmp_path)
    assert 15 < found.left_db - found.right_db < 21


def test_sides_that_say_nothing_change_nothing() -> None:
    assert Sides(-math.inf, -math.inf, -math.inf).filters() == []
    assert Loudness(-70.0, -math.inf, sides=Sides(-80.0, -math.inf, -86.0)).filters() == []
    assert Sides(-20.0, -44.0, -26.0).filters() == []
