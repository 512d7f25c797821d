"""Ten thousand lives in windows: what was lived is not lived again, and nothing that went wrong is lost in the sum."""

import json
from pathlib import Path

import pytest

from bench.converge_ledger import WAVE, Ledger, Options, left_to_live, summed


def options(ledger: Path | None = None, count: int = 3 * WAVE) -> Options:
    return Options(first=1000, count=count, minutes=0, ledger=ledger)


def wave(first: int, count: int = WAVE, **more: object) -> dict[str, object]:
    return {"seeds": list(range(first, first + count)), "lives": count, "events": 10 * count, **more}


def test_words_of_the_command_line() -> None:
    given = Options.read(["converge", "--from-seed", "7", "--count", "10000", "--ledger=/tmp/lives"], 1)
    assert given == Options(7, 10_000, 0, Path("/tmp/lives"))
    assert Options.read(["converge"], 5).seeds == range(5, 305)


def test_a_window_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    path = tmp_path / "lives.jsonl"
    assert [len(seeds) for seeds in left_to_live(options(path), [])] == [WAVE] * 3
    Ledger(path).write(wave(1000))
    again = Ledger(path)
    left = left_to_live(options(path), again.waves())
    assert [seeds[0] for seeds in left] == [1000 + WAVE, 1000 + 2 * WAVE]
    again.write(wave(1000 + WAVE))
    assert [json.loads(line)["lives"] for line in path.read_text().splitlines()] == [WAVE, WAVE]
    total = summed(options(path), Ledger(path).waves())
    assert (total.counts["lives"], total.counts["events"]) == (2 * WAVE, 20 * WAVE)
    assert len(total.revisions) == 1


def test_a_wave_that_failed_is_lived_again_and_stays_in_the_sum(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "lives.jsonl")
    ledger.write({"seeds": list(range(1000, 1000 + WAVE)), "failed": "3 pieces of work are never done"})
    assert left_to_live(options(), ledger.waves())[0][0] == 1000
    ledger.write(wave(1000))
    total = summed(options(), ledger.waves())
    assert total.counts["lives"] == WAVE
    assert total.failed == [f"3 pieces of work are never done, seeds [1000] to [{999 + WAVE}]"]


def test_what_differed_in_an_earlier_window_differs_in_the_sum(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "lives.jsonl")
    ledger.write(wave(1000, differing={"1004": {"oracle": [], "limber": []}}))
    ledger.write(wave(1000 + WAVE, unhealed={"1101": {}}))
    total = summed(options(), ledger.waves())
    assert set(total.differing | total.unhealed) == {"1004", "1101"}


def test_lives_of_other_seeds_are_not_in_the_sum(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "lives.jsonl")
    ledger.write(wave(5))
    ledger.write(wave(1000))
    assert summed(options(), ledger.waves()).counts["lives"] == WAVE


def test_a_life_that_is_there_twice_is_no_sum(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "lives.jsonl")
    ledger.write(wave(1000))
    ledger.write(wave(1000 + WAVE // 2))
    with pytest.raises(ValueError, match="more than once"):
        summed(options(), ledger.waves())
