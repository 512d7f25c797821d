"""A copy of the uploads folder, with names as people, tools and file systems leave them."""

import os
import unicodedata
from pathlib import Path

import pytest

from app.errors import BadInput
from app.moving.wordpress import lacking, media

HERE = "2019/03"
COMPOSED, APART = (unicodedata.normalize(form, "Übung.jpg") for form in ("NFC", "NFD"))


def _put(root: Path, *names: str) -> str:
    for name in names:
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(name.encode())
    return str(root)


async def _first(root: str, upload: str, *, is_whole: bool = False) -> str:
    """The best name that the folder has for it, or ""."""
    found = await media.open_source(root).names(upload, is_whole=is_whole)
    return found[0] if found else ""


@pytest.mark.parametrize(
    ("there", "asked", "found"),
    [
        (["hip.jpg", "hip-1024x768.jpg", "hip-300x200.jpg"], "hip-300x200.jpg", "hip.jpg"),
        (["hip-1024x768.jpg", "hip-300x200.jpg"], "hip.jpg", "hip-1024x768.jpg"),
        (["hip-1024x768.jpg", "hip-300x200.jpg"], "hip-300x200.jpg", "hip-1024x768.jpg"),
        (["hip-scaled.jpg", "hip-300x200.jpg"], "hip-300x200.jpg", "hip-scaled.jpg"),
        (["hip.jpg"], "hip-scaled.jpg", "hip.jpg"),
        # Cut out by hand: the picture as it was before shows something else.
        (["hip.jpg", "hip-e1234567890.jpg"], "hip-e1234567890.jpg", "hip-e1234567890.jpg"),
        (["hip.jpg", "hip-e1234567890.jpg"], "hip-e1234567890-300x200.jpg", "hip-e1234567890.jpg"),
        (["hip.jpg", "hip-e1234567890-300x200.jpg"], "hip-e1234567890.jpg", "hip-e1234567890-300x200.jpg"),
        (["hip.jpg"], "hip-e1234567890-300x200.jpg", "hip.jpg"),
        ([APART], COMPOSED, APART),
        ([COMPOSED], APART, COMPOSED),
        (["HIP.JPG"], "hip.jpg", "HIP.JPG"),
        (["Hip.jpg", "hip.jpg"], "Hip.jpg", "Hip.jpg"),
        (["two%20words.jpg"], "two words.jpg", "two%20words.jpg"),
        (["two words.jpg", "two%20words.jpg"], "two words.jpg", "two words.jpg"),
        (["two words.jpg", "two%20words.jpg"], "two%20words.jpg", "two%20words.jpg"),
        (["knee.jpg"], "hip.jpg", ""),
    ],
)
async def test_a_file_is_found_by_its_name_or_the_closest(
    tmp_path: Path, there: list[str], asked: str, found: str
) -> None:
    root = _put(tmp_path, *(f"{HERE}/{name}" for name in there))
    assert await _first(root, f"{HERE}/{asked}") == (f"{HERE}/{found}" if found else "")


async def test_a_pictures_own_name_may_look_like_a_size(tmp_path: Path) -> None:
    root = _put(tmp_path, "plan.jpg", "plan-20x30.jpg")
    assert await _first(root, "plan-20x30.jpg", is_whole=True) == "plan-20x30.jpg"
    assert await _first(root, "plan-20x30.jpg") == "plan.jpg"


@pytest.mark.parametrize(
    "layout",
    ["wp-content/uploads/2019/03", "uploads/2019/03", "2019/03", "", "www/wp-content/uploads/2019/03"],
)
async def test_every_layout_of_a_copy_is_known(tmp_path: Path, layout: str) -> None:
    root = _put(tmp_path, f"{layout}/hip.jpg".lstrip("/"))
    source = media.open_source(root)
    (name,) = await source.names("2019/03/hip-300x200.jpg")
    assert (await source.read(name)).endswith(b"hip.jpg")


async def test_a_file_beside_the_years_is_not_taken_for_one_of_a_month(tmp_path: Path) -> None:
    root = _put(tmp_path, "logo.jpg", "2019/03/hip.jpg")
    assert await _first(root, "2019/03/logo.jpg") == ""
    assert await _first(root, "logo.jpg") == "logo.jpg"


async def test_uploads_that_are_a_link_out_of_the_folder_are_refused_with_a_sentence(tmp_path: Path) -> None:
    _put(tmp_path / "else", "a.jpg")
    _put(tmp_path / "site", "readme.txt")
    (tmp_path / "site" / "uploads").symlink_to(tmp_path / "else")
    with pytest.raises(BadInput, match="leads out of the folder"):
        media.open_source(str(tmp_path / "site"))
    # The folder that somebody names may be a link itself.
    (tmp_path / "link").symlink_to(tmp_path / "else")
    assert await _first(str(tmp_path / "link"), "a.jpg") == "a.jpg"


async def test_what_cannot_be_read_ends_in_a_sentence_and_not_the_run(tmp_path: Path) -> None:
    root = _put(tmp_path / "up", "a.jpg")
    (tmp_path / "secret.jpg").write_bytes(b"x")
    (tmp_path / "up" / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (tmp_path / "up" / "away").symlink_to(tmp_path)
    (tmp_path / "up" / "ring.jpg").symlink_to(tmp_path / "up" / "ring.jpg")
    (tmp_path / "up" / "folder.jpg").mkdir()
    os.mkfifo(tmp_path / "up" / "pipe.jpg")
    source = media.open_source(root)
    for upload in (
        "out.jpg",
        "away/secret.jpg",
        "ring.jpg",
        "folder.jpg",
        "pipe.jpg",
        "x" * 400 + ".jpg",
        "a\0.jpg",
    ):
        for name in {*await source.names(upload), upload}:
            with pytest.raises(lacking.Lacking):
                await source.read(name)
    assert await source.names("../secret.jpg") == []
    assert await source.names("../up/a.jpg") == []
