"""Out and back: what `limber export` writes, anybody can open, and `limber restore` makes the same site of it."""

import csv
import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, text

import app.tables
from app import db
from app.accounts.models import AuditEntry, User
from app.catalog.models import Lesson
from app.clock import utcnow
from app.errors import Conflict
from app.moving.archive import contents, exporting, heads, restoring, rules
from app.video.models import Video
from tests.moving.archive import filling
from tests.moving.archive.places import Place, being, browser, crawl

STREAMS = exporting.Wanted(with_streams=True)
# What an encode makes anew: of films whose streams were not in the archive.
MADE_AGAIN = ("state", "version", "attempt", "renditions", "poster_times", "percent", "changed_at", "stage")


def quiet(_line: str) -> None:
    """Nobody listens."""


def yes(_plan: restoring.Plan) -> bool:
    return True


async def exported(
    old: Place, path: Path, patch: pytest.MonkeyPatch, wanted: exporting.Wanted
) -> exporting.Done:
    async with being(old, patch):
        return await exporting.export_to(path, wanted, utcnow(), quiet)


async def restored(new: Place, path: Path, patch: pytest.MonkeyPatch) -> restoring.Done:
    async with being(new, patch):
        done = await restoring.restore(path, utcnow(), quiet, yes)
    assert done is not None
    return done


async def filled(old: Place, patch: pytest.MonkeyPatch) -> None:
    async with being(old, patch), db.transaction() as session:
        await filling.fill(session)


def test_every_table_is_exported_or_left_out_for_a_reason() -> None:
    known = {table.name for table in contents.tables()}
    assert known | set(contents.LEFT_OUT) == set(app.tables.metadata.tables)
    assert not known & set(contents.LEFT_OUT)
    assert all(len(reason) > 10 for reason in contents.LEFT_OUT.values())


def test_no_exported_row_needs_one_that_is_left_out() -> None:
    for table in contents.tables():
        for key in table.foreign_keys:
            is_there = key.column.table.name not in contents.LEFT_OUT
            assert is_there, f"{table.name}.{key.parent.name} leads to a table that is left out"


def test_texts_that_are_files_are_columns_of_exported_tables() -> None:
    for name, column in contents.IN_FILES.items():
        assert column in app.tables.metadata.tables[name].columns
        assert name in heads.OF


async def test_the_same_site_comes_back(
    old: Place, new: Place, tmp_path: Path, patch: pytest.MonkeyPatch
) -> None:
    await filled(old, patch)
    before = old.rows()
    assert [name for name, rows in before.items() if not rows] == [], "fill every table"
    path = tmp_path / "site.tar"
    done = await exported(old, path, patch, STREAMS)
    assert (done.missing, sum(done.rows.values())) == ([], sum(map(len, before.values())))
    assert path.stat().st_mode & 0o077 == 0
    await restored(new, path, patch)
    after = new.rows()
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}
    kept = {
        key: data
        for key, data in old.files().items()
        if b"deleted" not in data and data not in (b"replaced", b"an older stream")
    }
    assert new.files() == kept
    async with being(old, patch), browser() as client:
        pages = await crawl(client)
    async with being(new, patch), browser() as client:
        assert await crawl(client) == pages
        await signs_in_and_watches(client)
    assert len(pages) > 12
    assert {path: page[:3] for path, page in pages.items() if not page.startswith(("200", "303"))} == {}


async def signs_in_and_watches(client: httpx.AsyncClient) -> None:
    answer = await client.post("/login", data={"email": "member@example.com", "password": filling.PASSWORD})
    assert answer.status_code == 303, answer.text
    async with db.transaction() as session:
        lesson = await session.scalar(select(Lesson.id).where(Lesson.slug == "one"))
    answer = await client.post(f"/lessons/{lesson}/playback", headers={"Accept": "application/json"})
    assert answer.status_code == 201, answer.text
    assert (await client.get(answer.json()["playlist_url"])).text.startswith("#EXTM3U")


async def test_numbers_that_the_database_gives_go_on(
    old: Place, new: Place, tmp_path: Path, patch: pytest.MonkeyPatch
) -> None:
    await filled(old, patch)
    await exported(old, tmp_path / "site.tar", patch, STREAMS)
    await restored(new, tmp_path / "site.tar", patch)
    async with being(new, patch), db.transaction() as session:
        highest = await session.scalar(select(func.max(AuditEntry.id)))
        entry = AuditEntry(action="article.save", subject_kind="article", subject_id="x", detail={})
        session.add(entry)
        await session.flush()
        assert highest is not None
        assert entry.id > highest


async def test_without_streams_films_are_encoded_again_and_nothing_else_differs(
    old: Place, new: Place, tmp_path: Path, patch: pytest.MonkeyPatch
) -> None:
    await filled(old, patch)
    path = tmp_path / "site.tar"
    await exported(old, path, patch, exporting.Wanted())
    assert not [name for name in names(path) if name.endswith("/2/master.m3u8")]
    assert [name for name in names(path) if "/own/p1/" in name]
    done = await restored(new, path, patch)
    assert done.encoding == 1
    before, after = old.rows(), new.rows()
    assert [name for name in before if before[name] != after[name]] == ["video"]
    was, now = (json.loads(rows["video"][0]) for rows in (before, after))
    assert {key: now[key] for key in now if key not in MADE_AGAIN} == {
        key: was[key] for key in was if key not in MADE_AGAIN
    }
    assert (now["state"], now["version"], now["attempt"]) == ("queued", 0, 3)
    async with being(new, patch), db.transaction() as session:
        queued = await session.execute(text("SELECT workflow_uuid, status FROM dbos.workflow_status"))
        assert [tuple(row) for row in queued] == [(f"transcode:{now['id']}:3", "ENQUEUED")]


async def test_a_film_whose_original_was_not_kept_takes_its_stream_along(
    old: Place, new: Place, tmp_path: Path, patch: pytest.MonkeyPatch
) -> None:
    await filled(old, patch)
    async with being(old, patch), db.transaction() as session:
        await session.execute(text("UPDATE video SET source_key = ''"))
    await exported(old, tmp_path / "site.tar", patch, exporting.Wanted())
    assert not [name for name in names(tmp_path / "site.tar") if name.startswith("media/sources/")]
    assert (await restored(new, tmp_path / "site.tar", patch)).encoding == 0
    async with being(new, patch), db.transaction() as session:
        assert await session.scalar(select(Video.state)) == "ready"


async def test_what_the_storage_lost_is_told_and_a_film_without_anything_says_so(
    old: Place, new: Place, tmp_path: Path, patch: pytest.MonkeyPatch
) -> None:
    await filled(old, patch)
    for path in old.media.glob("sources/*/original.mp4"):
        path.unlink()
    done = await exported(old, tmp_path / "site.tar", patch, exporting.Wanted())
    assert len(done.missing) == 1
    assert done.missing[0] in entry(tmp_path / "site.tar", rules.README).decode()
    assert (await restored(new, tmp_path / "site.tar", patch)).lost == ["One"]
    async with being(new, patch), db.transaction() as session:
        row = (await session.execute(select(Video.state, Video.version, Video.source_key))).one()
    assert tuple(row) == ("failed", 0, "")


async def test_it_opens_with_ordinary_tools_and_people_can_read_it(
    old: Place, tmp_path: Path, patch: pytest.MonkeyPatch
) -> None:
    await filled(old, patch)
    await exported(old, tmp_path / "site.tar", patch, STREAMS)
    subprocess.run(["tar", "-xf", "site.tar"], cwd=tmp_path, check=True)
    folder = tmp_path / rules.FOLDER
    said = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder, check=False)
    assert said.returncode == 0
    article = (folder / "articles/hip-pain.md").read_bytes().decode()
    head, _end, body = article.removeprefix("---\n").partition("\n---\n\n")
    assert body.startswith(filling.BODY)
    told = dict(line.split(": ", 1) for line in head.splitlines())
    assert json.loads(told["title"]) == "Hip pain: “why?”"
    assert json.loads(told["tags"]) == ["Hips"]
    assert json.loads(told["old_addresses"]) == ["/2019/05/hip-pain"]
    assert json.loads(told["related"]) == ["x" * 80]
    assert json.loads(told["lesson"]) == "hips/one"
    lesson = (folder / "courses/hips/one.md").read_text()
    assert lesson.endswith("Lie down.")
    original = json.loads(
        dict(line.split(": ", 1) for line in lesson.splitlines()[1:] if ": " in line)["original"]
    )
    assert (folder / original).read_bytes() == filling.FILM
    assert [path.read_text() for path in folder.glob("captions/*.en.vtt")] == [filling.VTT]
    people = list(csv.DictReader(io.StringIO((folder / "members.csv").read_text())))
    assert {one["name"] for one in people} >= {"Kai", "'=cmd()"}, "a name is no formula"
    rows = [json.loads(line) for line in (folder / "tables/article.jsonl").read_text().splitlines()]
    assert all("body_md" not in row and (folder / row["body_md_file"]).is_file() for row in rows)
    assert f"`user_session`: {contents.LEFT_OUT['user_session']}" in (folder / rules.README).read_text()


async def test_no_secret_is_in_it(old: Place, tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    await filled(old, patch)
    async with being(old, patch), browser() as client:
        await client.post("/login", data={"email": "member@example.com", "password": filling.PASSWORD})
        token = next(iter(client.cookies.values()))
        async with db.transaction() as session:
            hashed = await session.scalar(
                select(User.password_hash).where(User.email == "member@example.com")
            )
        assert hashed
    await exported(old, tmp_path / "with.tar", patch, exporting.Wanted())
    await exported(old, tmp_path / "without.tar", patch, exporting.Wanted(with_passwords=False))
    whole, bare = (tmp_path / "with.tar").read_bytes(), (tmp_path / "without.tar").read_bytes()
    assert hashed.encode() in whole
    assert b"$argon2" not in bare
    for secret in (
        "test-media-secret",
        "test-links-secret",
        token,
        hashlib.sha256(token.encode()).hexdigest(),
    ):
        assert secret.encode() not in whole


async def test_without_passwords_everybody_chooses_a_new_one(
    old: Place, new: Place, tmp_path: Path, patch: pytest.MonkeyPatch
) -> None:
    await filled(old, patch)
    await exported(old, tmp_path / "site.tar", patch, exporting.Wanted(with_passwords=False))
    await restored(new, tmp_path / "site.tar", patch)
    async with being(new, patch), browser() as client:
        answer = await client.post(
            "/login", data={"email": "member@example.com", "password": filling.PASSWORD}
        )
    assert answer.status_code != 303


async def test_an_export_never_replaces_a_file(old: Place, tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site.tar").write_bytes(b"an older one")
    with pytest.raises(Conflict, match="is there already"):
        await exported(old, tmp_path / "site.tar", patch, STREAMS)
    assert (tmp_path / "site.tar").read_bytes() == b"an older one"


@pytest.mark.parametrize("where", ["database", "storage"])
async def test_a_server_with_a_site_is_left_as_it_is(
    old: Place, new: Place, tmp_path: Path, patch: pytest.MonkeyPatch, where: str
) -> None:
    await filled(old, patch)
    await exported(old, tmp_path / "site.tar", patch, STREAMS)
    async with being(new, patch), db.transaction() as session:
        if where == "database":
            session.add(User(email="somebody@example.com", name="Somebody", password_hash="!"))
        else:
            (new.media / "articles").mkdir(parents=True)
            (new.media / "articles/other.jpg").write_bytes(b"theirs")
    rows, files = new.rows(), new.files()
    with pytest.raises(restoring.NotEmpty, match="Restore into an empty"):
        await restored(new, tmp_path / "site.tar", patch)
    assert (new.rows(), new.files()) == (rows, files)


async def test_nothing_is_written_when_somebody_says_no(
    old: Place, new: Place, tmp_path: Path, patch: pytest.MonkeyPatch
) -> None:
    await filled(old, patch)
    await exported(old, tmp_path / "site.tar", patch, STREAMS)
    heard: list[restoring.Plan] = []

    def no(plan: restoring.Plan) -> bool:
        heard.append(plan)
        return False

    async with being(new, patch):
        assert await restoring.restore(tmp_path / "site.tar", utcnow(), quiet, no) is None
    assert new.is_untouched()
    assert (heard[0].site, heard[0].with_streams) == ("A practice & more", True)


async def test_what_a_stopped_run_has_written_is_kept_or_written_again(
    old: Place, new: Place, tmp_path: Path, patch: pytest.MonkeyPatch
) -> None:
    await filled(old, patch)
    await exported(old, tmp_path / "site.tar", patch, STREAMS)
    whole, cut, hidden = (path for path in sorted(old.media.glob("videos/*/2/*")))
    for path, data in ((whole, whole.read_bytes()), (cut, b"cut"), (hidden, None)):
        there = new.media / path.relative_to(old.media)
        there.parent.mkdir(parents=True, exist_ok=True)
        if data is None:
            there.with_name(f".{there.name}.part").write_bytes(b"half")
        else:
            there.write_bytes(data)
    done = await restored(new, tmp_path / "site.tar", patch)
    assert done.kept == 1
    assert {path: data for path, data in new.files().items() if data in (b"cut", b"half")} == {}


async def test_an_archive_of_an_older_limber_gets_what_new_rows_get(
    old: Place, new: Place, tmp_path: Path, patch: pytest.MonkeyPatch
) -> None:
    await filled(old, patch)
    await exported(old, tmp_path / "site.tar", patch, STREAMS)

    def older(files: dict[str, bytes]) -> None:
        rows = [json.loads(line) for line in files["tables/article.jsonl"].splitlines()]
        for row in rows:
            del row["is_listed"], row["word_count"], row["created_at"]
        files["tables/article.jsonl"] = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
        told = json.loads(files[rules.CONTENTS])
        for gone in ("is_listed", "word_count", "created_at"):
            told["article"]["columns"].remove(gone)
        del told["contact_message"], files["tables/contact_message.jsonl"]
        files[rules.CONTENTS] = json.dumps(told).encode()

    rewrite(tmp_path / "site.tar", older)
    await restored(new, tmp_path / "site.tar", patch)
    async with being(new, patch), db.transaction() as session:
        rows = (await session.execute(text("SELECT is_listed, word_count, created_at FROM article"))).all()
    assert {(row.is_listed, row.word_count) for row in rows} == {(True, 0)}
    assert all(abs((row.created_at - utcnow()).total_seconds()) < 60 for row in rows)
    assert new.rows()["contact_message"] == []


def names(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return [name.removeprefix(f"{rules.FOLDER}/") for name in tar.getnames()]


def entry(path: Path, name: str) -> bytes:
    with tarfile.open(path) as tar:
        file = tar.extractfile(f"{rules.FOLDER}/{name}")
        assert file is not None
        return file.read()


def rewrite(path: Path, change: Any) -> None:
    """The archive with other files, and with sums that are right for them."""
    with tarfile.open(path) as tar:
        files = {
            info.name.removeprefix(f"{rules.FOLDER}/"): file.read()
            for info in tar
            if (file := tar.extractfile(info)) is not None
        }
    del files[rules.SUMS]
    change(files)
    files.setdefault(
        rules.SUMS,
        b"".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n".encode() for name, data in files.items()),
    )
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"{rules.FOLDER}/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
