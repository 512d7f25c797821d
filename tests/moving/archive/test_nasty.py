"""Archives that are cut, changed, or made to do harm: one sentence, and nothing is written."""

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import db
from app.clock import utcnow
from app.moving.archive import exporting, restoring, rules
from app.moving.archive.reader import HEADER_BYTES, BadArchive
from tests import factories
from tests.moving.archive.places import Place, being
from tests.moving.archive.test_archive import quiet, rewrite, yes

_made: list[bytes] = []


@pytest.fixture
async def archive(old: Place, tmp_path: Path, patch: pytest.MonkeyPatch) -> Path:
    """A small whole one, made once."""
    path = tmp_path / "site.tar"
    if _made:
        path.write_bytes(_made[0])
        return path
    async with being(old, patch):
        async with db.transaction() as session:
            await factories.article(session, slug="hips", body_md="Words.")
        (old.media / "articles/ab").mkdir(parents=True)
        (old.media / "articles/ab/picture.jpg").write_bytes(b"picture" * 1000)
        await exporting.export_to(path, exporting.Wanted(), utcnow(), quiet)
    _made.append(path.read_bytes())
    return path


async def refused(new: Place, path: Path, patch: pytest.MonkeyPatch) -> str:
    """The sentence; nothing was written, not even beside the place."""
    before = sorted(path.parent.rglob("*"))
    async with being(new, patch):
        with pytest.raises(BadArchive) as said:
            await restoring.restore(path, utcnow(), quiet, yes)
    assert new.is_untouched()
    assert [one for one in sorted(path.parent.rglob("*")) if one not in before and one.is_file()] == []
    assert "\n" not in said.value.sentence
    return said.value.sentence


def add(path: Path, name: str, data: bytes = b"x", **values: Any) -> None:
    """One more entry in front."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in values.items():
        setattr(info, key, value)
    if not info.isreg():
        data, info.size = b"", 0
    path.write_bytes(info.tobuf(tarfile.PAX_FORMAT) + data + b"\0" * (-len(data) % 512) + path.read_bytes())


async def test_cut_anywhere_it_is_refused(archive: Path, new: Place, patch: pytest.MonkeyPatch) -> None:
    whole = archive.read_bytes()
    # The last two blocks only say that nothing follows.
    for length in [*range(0, len(whole) - 1024, len(whole) // 23), len(whole) - 1025]:
        archive.write_bytes(whole[:length])
        sentence = await refused(new, archive, patch)
        assert "ends in its middle" in sentence or "only a piece of one" in sentence, (length, sentence)


async def test_a_changed_byte_is_found_wherever_it_is(
    archive: Path, new: Place, patch: pytest.MonkeyPatch
) -> None:
    whole = archive.read_bytes()
    with tarfile.open(archive) as tar:
        entries = [info for info in tar if info.size]
    for info in entries:
        changed = bytearray(whole)
        changed[info.offset_data + info.size // 2] ^= 1
        archive.write_bytes(changed)
        await refused(new, archive, patch)
        changed = bytearray(whole)
        changed[info.offset + 2] ^= 1
        archive.write_bytes(changed)
        await refused(new, archive, patch)


NAMES = [
    "../outside.txt",
    f"{rules.FOLDER}/../../outside.txt",
    f"{rules.FOLDER}/media/../../outside.txt",
    "/etc/outside.txt",
    f"{rules.FOLDER}//etc/outside.txt",
    f"{rules.FOLDER}/media/.hidden",
    f"{rules.FOLDER}/media/a\\b",
    f"{rules.FOLDER}/media/a\nb",
    f"{rules.FOLDER}/media/" + "a" * 500,
    "other/README.md",
]


@pytest.mark.parametrize("name", NAMES)
async def test_a_way_out_is_refused(archive: Path, new: Place, patch: pytest.MonkeyPatch, name: str) -> None:
    add(archive, name)
    assert "which no archive of Limber does" in await refused(new, archive, patch)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
async def test_links_and_devices_are_refused(
    archive: Path, new: Place, patch: pytest.MonkeyPatch, kind: bytes
) -> None:
    add(archive, f"{rules.FOLDER}/media/link", type=kind, linkname="/etc/passwd")
    assert "which no archive of Limber does" in await refused(new, archive, patch)


async def test_a_file_with_holes_is_refused(archive: Path, new: Place, patch: pytest.MonkeyPatch) -> None:
    """A terabyte of nothing in a few bytes: tar's own kind of bomb."""
    sparse = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(2**40)}
    sparse["GNU.sparse.name"] = f"{rules.FOLDER}/media/large"
    add(archive, f"{rules.FOLDER}/media/large", b"1\n0\n1\n".ljust(512, b"\0"), pax_headers=sparse)
    assert "which no archive of Limber does" in await refused(new, archive, patch)


async def test_a_header_without_end_is_refused(archive: Path, new: Place, patch: pytest.MonkeyPatch) -> None:
    add(archive, f"{rules.FOLDER}/media/x", pax_headers={"comment": "a" * (HEADER_BYTES + 1)})
    await refused(new, archive, patch)


@pytest.mark.parametrize("size", [-512, 2**62])
async def test_an_impossible_size_is_refused(
    archive: Path, new: Place, patch: pytest.MonkeyPatch, size: int
) -> None:
    info = tarfile.TarInfo(f"{rules.FOLDER}/media/x")
    info.size = size
    header = info.tobuf(tarfile.GNU_FORMAT)
    archive.write_bytes(header + archive.read_bytes())
    await refused(new, archive, patch)


def gzipped(path: Path) -> None:
    path.write_bytes(gzip.compress(path.read_bytes()))


def zipped(path: Path) -> None:
    """What unpacks to a thousand times its size: it is never opened."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb, bomb.open("media/zeros", "w") as file:
        for _n in range(4):
            file.write(b"\0" * 2**24)


def words(path: Path) -> None:
    path.write_text("Something else." * 100)


def another_tar(path: Path) -> None:
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo(f"{rules.FOLDER}/README.md")
        info.size = 5
        tar.addfile(info, io.BytesIO(b"Hello"))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (gzipped, "a compressed file"),
        (zipped, "a compressed file"),
        (words, "no archive of `limber export`"),
        (another_tar, "no archive of `limber export`"),
        (lambda path: path.write_bytes(b""), "no archive of `limber export`"),
        (lambda path: path.unlink(), "There is no file"),
    ],
)
async def test_another_file_is_told_by_what_it_is(
    archive: Path,
    new: Place,
    patch: pytest.MonkeyPatch,
    make: Callable[[Path], object],
    sentence: str,
) -> None:
    make(archive)
    assert sentence in await refused(new, archive, patch)


def newer_format(files: dict[str, bytes]) -> None:
    files[rules.ABOUT] = json.dumps({**json.loads(files[rules.ABOUT]), "format": rules.FORMAT + 1}).encode()


def newer_table(files: dict[str, bytes]) -> None:
    told = json.loads(files[rules.CONTENTS])
    files[rules.CONTENTS] = json.dumps({**told, "mood": {"rows": 0, "columns": ["id"]}}).encode()
    files["tables/mood.jsonl"] = b""


def newer_column(files: dict[str, bytes]) -> None:
    told = json.loads(files[rules.CONTENTS])
    told["article"]["columns"].append("mood")
    files[rules.CONTENTS] = json.dumps(told).encode()


def newer_folder(files: dict[str, bytes]) -> None:
    files["moods/one.md"] = b"x"


@pytest.mark.parametrize("change", [newer_format, newer_table, newer_column, newer_folder])
async def test_of_a_newer_limber_it_says_so(
    archive: Path, new: Place, patch: pytest.MonkeyPatch, change: Callable[[dict[str, bytes]], None]
) -> None:
    rewrite(archive, change)
    assert "made by a newer Limber" in await refused(new, archive, patch)


def no_contents(files: dict[str, bytes]) -> None:
    del files[rules.CONTENTS]


def no_table(files: dict[str, bytes]) -> None:
    del files["tables/article.jsonl"]


def no_text(files: dict[str, bytes]) -> None:
    del files["articles/hips.md"]


def no_end_of_head(files: dict[str, bytes]) -> None:
    files["articles/hips.md"] = b"Words."


def no_json(files: dict[str, bytes]) -> None:
    files["tables/article.jsonl"] = b"{\n"


def no_row(files: dict[str, bytes]) -> None:
    files["tables/comment.jsonl"] = b'["a"]\n'


def deep(files: dict[str, bytes]) -> None:
    files["tables/article.jsonl"] = b"[" * 200_000 + b"\n"


def nobodys(files: dict[str, bytes]) -> None:
    """A row that leads to one that is not there."""
    row = json.loads(files["tables/article.jsonl"])
    files["tables/article.jsonl"] = json.dumps({**row, "author_id": row["id"]}).encode() + b"\n"


def way_out_in_a_row(files: dict[str, bytes]) -> None:
    row = json.loads(files["tables/article.jsonl"])
    files["tables/article.jsonl"] = json.dumps({**row, "body_md_file": "../../secret"}).encode() + b"\n"


def unlisted(files: dict[str, bytes]) -> None:
    files[rules.SUMS] = b""


def listed_twice(files: dict[str, bytes]) -> None:
    files[rules.SUMS] = b"0" * 64 + b"  nothing\n"


@pytest.mark.parametrize(
    "change",
    [
        no_contents,
        no_table,
        no_text,
        no_end_of_head,
        no_json,
        no_row,
        deep,
        nobodys,
        way_out_in_a_row,
        unlisted,
        listed_twice,
    ],
)
async def test_what_does_not_fit_together_is_refused(
    archive: Path, new: Place, patch: pytest.MonkeyPatch, change: Callable[[dict[str, bytes]], None]
) -> None:
    rewrite(archive, change)
    await refused(new, archive, patch)


async def test_two_files_of_one_name_are_refused(
    archive: Path, new: Place, patch: pytest.MonkeyPatch
) -> None:
    add(archive, f"{rules.FOLDER}/media/articles/ab/picture.jpg")
    assert "two files of one name" in await refused(new, archive, patch)


async def test_without_its_sums_it_is_cut(archive: Path, new: Place, patch: pytest.MonkeyPatch) -> None:
    with tarfile.open(archive) as tar:
        sums = next(info for info in tar if info.name.endswith(rules.SUMS))
    archive.write_bytes(archive.read_bytes()[: sums.offset] + b"\0" * 1024)
    assert "ends in its middle" in await refused(new, archive, patch)
