"""Media tokens: exactly one spelling, for one playback of one version of one video, until one instant."""

import random
import string
from uuid import UUID

import pytest

from app.keys import KeyRing
from app.playback import tokens

RING = KeyRing.parse("m2:" + "n" * 40 + ",m1:" + "o" * 40)
OLD = KeyRing.parse("m1:" + "o" * 40)
STRANGER = KeyRing.parse("m2:" + "s" * 40)
PLAYBACK, VIDEO, OTHER = UUID(int=11 << 100), UUID(int=22 << 90), UUID(int=33 << 90)
NOW = 1_800_000_000
TOKEN = tokens.sign(RING, PLAYBACK, VIDEO, 3, NOW + 300)
ALPHABET = string.ascii_letters + string.digits + "-_"


def check(
    token: str, video: str = str(VIDEO), version: str = "3", now: float = NOW
) -> tokens.Verified | None:
    return tokens.verify(RING, token, video, version, now)


def test_a_token_tells_its_playback_and_its_end() -> None:
    verified = check(TOKEN)
    assert verified is not None
    assert (verified.playback_id, verified.expires) == (PLAYBACK, NOW + 300)


def test_it_ends_at_its_second_and_not_one_later() -> None:
    assert check(TOKEN, now=NOW + 299.999) is not None
    assert check(TOKEN, now=NOW + 300) is None


def test_the_older_key_still_verifies_and_the_newer_signs() -> None:
    assert check(tokens.sign(OLD, PLAYBACK, VIDEO, 3, NOW + 300)) is not None
    assert TOKEN.startswith("m2.")


def test_a_key_that_left_the_ring_no_longer_verifies() -> None:
    assert tokens.verify(OLD, TOKEN, str(VIDEO), "3", NOW) is None
    assert check(tokens.sign(STRANGER, PLAYBACK, VIDEO, 3, NOW + 300)) is None


def test_the_token_is_for_one_version_of_one_video() -> None:
    assert check(TOKEN, video=str(OTHER)) is None
    assert check(TOKEN, version="4") is None


@pytest.mark.parametrize(
    ("video", "version"),
    [
        (str(VIDEO).upper().replace("0", "O"), "3"),
        (VIDEO.hex, "3"),
        ("{" + str(VIDEO) + "}", "3"),
        (str(VIDEO), "03"),
        (str(VIDEO), "3.0"),
        (str(VIDEO), "٣"),
        (str(VIDEO) + "/3", ""),
        ("", str(VIDEO) + "/3"),
        (str(VIDEO), "3/"),
    ],
)
def test_another_spelling_of_video_or_version_is_refused(video: str, version: str) -> None:
    assert check(TOKEN, video=video, version=version) is None


def test_only_one_last_character_is_accepted_for_playback_and_signature() -> None:
    kid, exp, sid, sig = TOKEN.split(".")
    for c in ALPHABET:
        if c != sig[-1]:
            assert check(f"{kid}.{exp}.{sid}.{sig[:-1]}{c}") is None
        if c != sid[-1]:
            assert check(f"{kid}.{exp}.{sid[:-1]}{c}.{sig}") is None


@pytest.mark.parametrize(
    "altered",
    [
        "",
        ".",
        "...",
        "....",
        "m2",
        TOKEN + "=",
        TOKEN + "A",
        TOKEN + ".",
        "." + TOKEN,
        TOKEN[:-1],
        TOKEN[1:],
        TOKEN.upper(),
        TOKEN.replace("m2.", "M2."),
        TOKEN.replace("m2.", "m1."),
        TOKEN.replace("m2.", "none."),
        TOKEN.replace(f".{NOW + 300}.", f".{NOW + 900}."),
        TOKEN.replace(f".{NOW + 300}.", f".0{NOW + 300}."),
        TOKEN.replace(f".{NOW + 300}.", f".+{NOW + 300}."),
        TOKEN.replace(f".{NOW + 300}.", f". {NOW + 300}."),
        TOKEN + "\n",
        TOKEN + "\0",
        "\ud800" + TOKEN,
        "é" * 40,
        "x" * 100_000,
        "." * 100_000,
    ],
)
def test_an_altered_token_is_refused(altered: str) -> None:
    assert check(altered) is None


def test_no_random_mutation_is_accepted() -> None:
    dice = random.Random(4)
    for _ in range(20_000):
        text = list(TOKEN)
        for _again in range(dice.randint(1, 3)):
            at = dice.randrange(len(text))
            what = dice.random()
            if what < 0.6:
                text[at] = dice.choice(ALPHABET + "./%+=~ \0é")
            elif what < 0.8:
                del text[at]
            else:
                text.insert(at, dice.choice(ALPHABET + "."))
        mutated = "".join(text)
        assert mutated == TOKEN or check(mutated) is None
