"""Exports as they are handed out: several XML files in a ZIP archive, or one that is gzipped."""

import gzip
import zipfile
from pathlib import Path

import pytest

from app.errors import BadInput
from app.moving.wordpress import packed
from tests.moving.wordpress.exports import Export, Item
from tests.moving.wordpress.running import articles, run

pytestmark = pytest.mark.usefixtures("database")


def _zipped(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "site.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def _export(number: int) -> bytes:
    link = f'<a href="https://old.example.com/2019/05/post-{3 - number}/">other</a>'
    return Export([Item(number, f"Part {number}", body=link)]).text().encode()


async def test_all_parts_in_an_archive_are_one_export(tmp_path: Path) -> None:
    files = {
        "site/2.xml": _export(2),
        "site/1.xml": _export(1),
        "__MACOSX/site/._1.xml": b"\x00\x05",
        "a.txt": b"no",
    }
    path = _zipped(tmp_path, files)

    told = await run(path)

    found = await articles()
    assert set(found) == {"Part 1", "Part 2"}
    assert found["Part 1"].body_md == "[other](/articles/post-2)"
    assert not told.differing
    assert (await run(path)).changes == 0


async def test_a_gzipped_export_is_read(tmp_path: Path) -> None:
    path = tmp_path / "site.xml.gz"
    path.write_bytes(gzip.compress(_export(1)))
    await run(path)
    assert set(await articles()) == {"Part 1"}


async def test_the_tenth_part_comes_after_the_ninth(tmp_path: Path) -> None:
    path = _zipped(tmp_path, {f"site.{n}.xml": b"x" for n in (10, 9, 1)})
    assert [(name, b"".join(data)) for name, data in packed.parts(path)] == [
        ("site.1.xml", b"x"),
        ("site.9.xml", b"x"),
        ("site.10.xml", b"x"),
    ]


async def test_an_archive_without_exports_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no XML file in site\.zip"):
        await run(_zipped(tmp_path, {"wp-config.php": b"<?php"}))


async def test_an_archive_that_is_cut_off_is_said(tmp_path: Path) -> None:
    path = tmp_path / "site.xml.gz"
    path.write_bytes(gzip.compress(_export(1))[:-40])
    with pytest.raises(BadInput, match="cannot be unpacked"):
        await run(path)


async def test_an_archive_that_swells_without_end_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "_FREE_BYTES", 2**20)
    path = tmp_path / "site.xml.gz"
    path.write_bytes(gzip.compress(b" " * 4 * 2**20))
    with pytest.raises(BadInput, match="far more than any export"):
        await run(path)
