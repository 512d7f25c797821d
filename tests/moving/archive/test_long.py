"""Out and back as it is in life: a real film, processes that are killed, and a site too large for the memory."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import psycopg
import pytest
from sqlalchemy import select

from app import db
from app.catalog.models import Lesson
from app.video import queueing
from app.video.models import Video
from tests.forked import start_worker
from tests.moving.archive import filling
from tests.moving.archive.places import Place, being, browser, crawl
from tests.moving.archive.test_archive import signs_in_and_watches
from tests.video.sources import AAC, X264, ffmpeg, picture, sound

ROOT = Path(__file__).resolve().parent.parent.parent.parent


def begin(place: Place, *words: str) -> subprocess.Popen[bytes]:
    """`limber …` on a site, in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "app", *words],
        cwd=ROOT,
        env=place.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def limber(place: Place, *words: str, code: int = 0) -> str:
    process = begin(place, *words)
    out, _err = process.communicate(timeout=600)
    assert process.returncode == code, out.decode()[-3000:]
    return out.decode()


def watched(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Peak memory in bytes and seconds of a process that must succeed."""
    began, peak = time.monotonic(), 0
    while process.poll() is None:
        try:
            peak = max(peak, psutil.Process(process.pid).memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.02)
    out, _err = process.communicate()
    assert process.returncode == 0, out.decode()[-3000:]
    return peak, time.monotonic() - began


async def until_ready(place: Place, patch: pytest.MonkeyPatch) -> Video:
    worker = start_worker(place.url, LIMBER_DATA_DIR=str(place.data_dir))
    try:
        deadline = time.monotonic() + 120
        async with being(place, patch):
            while time.monotonic() < deadline:
                async with db.transaction() as session:
                    video = (await session.scalars(select(Video))).one()
                if video.state == "ready":
                    return video
                assert video.state != "failed", video.failure
                await asyncio.sleep(0.3)
        raise AssertionError("the film was not encoded in time")
    finally:
        worker.terminate()
        worker.wait(30)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("with_streams", [True, False])
async def test_a_real_film_can_be_watched_on_the_new_server(
    old: Place, new: Place, tmp_path: Path, patch: pytest.MonkeyPatch, with_streams: bool
) -> None:
    clip = tmp_path / "clip.mp4"
    ffmpeg(*picture(length_s=5), *sound(5), *X264, *AAC, clip)
    async with being(old, patch), db.transaction() as session:
        await filling.fill(session)
        video = (await session.scalars(select(Video))).one()
        video.source_bytes, video.state, video.version, video.attempt = clip.stat().st_size, "queued", 0, 7
        video.poster_choice, video.poster_own = "auto", ""
        (old.media / video.source_key).write_bytes(clip.read_bytes())
        await queueing.enqueue_transcode(session, video.id, video.attempt)
    assert (await until_ready(old, patch)).version == 7
    path = tmp_path / "site.tar"
    limber(old, "export", str(path), *(["--with-streams"] if with_streams else []))
    assert "Nothing was written" in limber(new, "restore", str(path), code=1)
    assert new.is_untouched()
    said = limber(new, "restore", str(path), "--yes")
    if with_streams:
        assert new.rows() == old.rows()
    else:
        assert "1 films wait to be encoded" in said
        assert (await until_ready(new, patch)).version == 8
    async with being(old, patch), browser() as client:
        pages = {
            path: page for path, page in (await crawl(client)).items() if not path.startswith("/posters")
        }
    async with being(new, patch), browser() as client:
        again = {
            path: page for path, page in (await crawl(client)).items() if not path.startswith("/posters")
        }
        await signs_in_and_watches(client)
        await plays(client)
    if not with_streams:
        # The encode that was made here is a newer one, and part of the posters' addresses.
        again = {path.replace("v=8", "v=7"): page.replace("v=8", "v=7") for path, page in again.items()}
    assert again == pages


async def plays(client: Any) -> None:
    """The first segment of the first rendition arrives."""
    async with db.transaction() as session:
        lesson = await session.scalar(select(Lesson.id).where(Lesson.slug == "one"))
    url = (await client.post(f"/lessons/{lesson}/playback")).json()["playlist_url"]
    master = (await client.get(url)).text
    media = next(line for line in master.splitlines() if line and not line.startswith("#"))
    there = f"{url.rpartition('/')[0]}/{media}"
    listed = (await client.get(there)).text
    segment = next(line for line in listed.splitlines() if line and not line.startswith("#"))
    data = await client.get(f"{there.rpartition('/')[0]}/{segment}")
    assert (data.status_code, len(data.content) > 1000) == (200, True)


def large(place: Place, articles: int, comments: int, film_bytes: int) -> None:
    """Rows and a film of any number and size; the film is a file of nothing but zeros that takes no room."""
    film_id = uuid4()
    key = f"sources/{film_id}/original.mp4"
    (place.media / key).parent.mkdir(parents=True)
    with (place.media / key).open("wb") as file:
        file.truncate(film_bytes)
    with psycopg.connect(place.url) as connection:
        connection.execute(
            "INSERT INTO article (id, slug, title, summary, body_md, body_html, word_count, state, is_listed,"
            " created_at, changed_at, published_at) SELECT gen_random_uuid(), 'article-' || n, 'Article ' || n, '',"
            " repeat('Words of article ' || n || E'.\\n\\n', 200), repeat('<p>Words of article ' || n || '.</p>', 200),"
            " 800, 'published', true, now(), now(), now() FROM generate_series(1, %s) n",
            (articles,),
        )
        connection.execute(
            "INSERT INTO comment (id, article_id, name, email, email_hash, is_author, body_md, body_html, state, cause,"
            " ip, edits, created_at) SELECT gen_random_uuid(), article.id, 'Reader', 'r@example.com', '', false,"
            " repeat('Words. ', 40), '<p>' || repeat('Words. ', 40) || '</p>', 'approved', '', '', 0, now()"
            " FROM article, generate_series(1, %s)",
            (comments // articles,),
        )
        connection.execute(
            "INSERT INTO video (id, title, source_filename, source_key, source_bytes, state, stage, percent,"
            " failure_words, version, attempt, begun_version, begun_s, parts, renditions, poster_times, poster_choice,"
            " poster_own, poster_version, created_at, changed_at) VALUES (%s, 'Large', 'large.mp4', %s, %s, 'failed',"
            " '', 0, '{}', 0, 1, 0, 0, '{}', '[]', '[]', 'auto', '', 0, now(), now())",
            (film_id, key, film_bytes),
        )


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_large_site_needs_no_more_memory_than_a_small_one(
    old: Place, new: Place, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    few = few_back = 0
    for articles, comments, film_bytes in ((200, 2_000, 10 * 2**20), (5_000, 100_000, 3 * 2**30)):
        with psycopg.connect(old.url) as connection:
            connection.execute("TRUNCATE article, video CASCADE")
        large(old, articles, comments, film_bytes)
        path = tmp_path / f"{articles}.tar"
        peak, seconds = watched(begin(old, "export", str(path)))
        if not few:
            few = peak
            fresh = Place(new.url, tmp_path / "small")
            few_back, _seconds = watched(begin(fresh, "restore", str(path), "--yes"))
            with psycopg.connect(new.url) as connection:
                connection.execute("TRUNCATE article, video, audit_entry CASCADE")
            for film in old.media.glob("sources/*/*"):
                film.unlink()
    back, back_seconds = watched(begin(new, "restore", str(path), "--yes"))
    assert {name: len(rows) for name, rows in new.rows().items()} == {
        name: len(rows) for name, rows in old.rows().items()
    }
    record_property(
        "note",
        f"{path.stat().st_size / 1e9:.1f} GB, 5,000 articles, 100,000 responses: out in {seconds:.0f} s and"
        f" {peak / 1e6:.0f} MB ({few / 1e6:.0f} MB for a small site), back in {back_seconds:.0f} s and"
        f" {back / 1e6:.0f} MB ({few_back / 1e6:.0f} MB)",
    )
    path.unlink()
    assert peak < few * 1.2 + 20e6
    assert back < few_back * 1.2 + 20e6


@pytest.mark.long
@pytest.mark.timeout(600)
def test_killed_anywhere_the_next_run_makes_it_whole(old: Place, new: Place, tmp_path: Path) -> None:
    large(old, 400, 8_000, 200 * 2**20)
    for n in range(40):
        place = old.media / f"articles/{n:02}/{n:032x}-8x6.jpg"
        place.parent.mkdir(parents=True)
        place.write_bytes(os.urandom(500_000))
    path = tmp_path / "site.tar"
    part = path.with_name("site.tar.part")
    for size in (1, 10**6, 50 * 10**6):
        process = begin(old, "export", str(path))
        kill_when(process, partial(is_larger, part, size))
        assert not path.exists(), "half an archive has the name of a whole one"
    limber(old, "export", str(path))
    assert not part.exists()
    moments: list[Callable[[], bool]] = [
        lambda: len(list(new.media.glob("articles/*/*"))) > 5,
        lambda: len(list(new.media.glob("articles/*/*"))) > 30,
        lambda: any(new.media.glob("sources/*/.*.part")),
        lambda: is_writing(new) and len(new.files()) == 41,
    ]
    for moment in moments:
        process = begin(new, "restore", str(path), "--yes")
        kill_when(process, moment)
        assert not any(new.rows().values()), "half a database"
    said = limber(new, "restore", str(path), "--yes")
    assert "were here already" in said
    assert new.rows() == old.rows()
    assert new.files() == old.files()
    assert "has a site already" in limber(new, "restore", str(path), "--yes", code=1)


def is_larger(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size > size


def kill_when(process: subprocess.Popen[bytes], is_time: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while process.poll() is None and not is_time():
        assert time.monotonic() < deadline
        time.sleep(0.001)
    assert process.poll() is None, process.communicate()[0].decode()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    # PostgreSQL rolls back once it notices.
    time.sleep(0.5)


def is_writing(place: Place) -> bool:
    """A transaction holds the tables."""
    with psycopg.connect(place.url) as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_locks WHERE mode = 'ExclusiveLock' AND relation = 'article'::regclass"
        ).fetchone()
    return bool(found and found[0])


@pytest.mark.long
def test_an_archive_goes_to_the_next_program(old: Place, tmp_path: Path) -> None:
    large(old, 10, 10, 1000)
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "export", "-"],
        cwd=ROOT,
        env=old.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, said = process.communicate(timeout=60)
    assert process.returncode == 0, said.decode()
    (tmp_path / "piped.tar").write_bytes(out)
    assert "The archive is whole." in limber(old, "restore", "--check", str(tmp_path / "piped.tar"))
