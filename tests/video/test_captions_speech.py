"""Speech to text: nothing is offered where it is not installed, and what it hears becomes safe cues."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from app.video import speech
from app.video.subtitles import Cue


def test_it_is_offered_only_where_it_is_installed() -> None:
    assert speech.is_available() is (find_spec("faster_whisper") is not None)


def test_where_it_is_not_installed_asking_for_it_says_so(tmp_path: Path) -> None:
    assert not speech.is_available(), "the locked requirements do not bring it"
    with pytest.raises(ModuleNotFoundError):
        speech.transcribe(tmp_path / "film.mp4", "en")


def test_what_is_heard_becomes_safe_cues() -> None:
    heard = [(0.0, 1.25, " Lie <down> & breathe."), (1.25, 1.25, "x"), (2.0, 3.0, "  ")]
    assert speech.cues_from(heard) == (Cue(0, 1250, "Lie &amp; breathe."),)
