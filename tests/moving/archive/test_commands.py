"""`limber export` and `limber restore`, as an operator types them."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import storage
from app.cli import cli
from app.moving.archive import rules
from app.settings import get_settings
from tests.moving.archive.places import Place
from tests.moving.archive.test_archive import rewrite


@pytest.fixture(autouse=True)
def own_folder(old: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LIMBER_DATA_DIR", str(old.data_dir))
    get_settings.cache_clear()
    storage.store.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()
    storage.store.cache_clear()


def limber(*words: str, code: int = 0, typed: str = "") -> str:
    answer = CliRunner().invoke(cli, words, input=typed)
    assert answer.exit_code == code, answer.output
    return answer.output


def test_it_is_written_told_checked_and_brought_back_once_asked(tmp_path: Path) -> None:
    path = str(tmp_path / "site.tar")
    assert "keep it as you keep the database" in limber("export", path)
    assert "is there already" in limber("export", path, code=1)
    said = limber("restore", "--check", path)
    assert "Limber (https://limber.test), as it was on 20" in said
    assert "The archive is whole." in said
    # The export itself left an entry in the trail.
    assert "has a site already (the table audit_entry is not empty)" in limber("restore", path, code=1)


def test_what_is_wrong_is_one_sentence_and_exit_code_1(tmp_path: Path) -> None:
    path = tmp_path / "site.tar"
    limber("export", str(path))

    def newer(files: dict[str, bytes]) -> None:
        files[rules.ABOUT] = json.dumps({"format": rules.FORMAT + 1}).encode()

    rewrite(path, newer)
    for words in (("restore", str(path)), ("restore", "--check", str(path))):
        assert limber(*words, code=1).strip().count("\n") == 0
    assert "no file" in limber("restore", str(tmp_path / "none.tar"), code=1)


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    said = limber("export", str(tmp_path / "nowhere/site.tar"), code=1)
    assert "could not be written: No such file or directory" in said
