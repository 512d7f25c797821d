"""The studio's way in from WordPress: a file is sent, looked at, imported once somebody says so, and put away."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest
from PIL import Image
from sqlalchemy import select, text, update

from app import db, storage
from app.accounts.models import AuditEntry
from app.articles.models import Article, Comment
from app.clock import utcnow
from app.moving import run_work, runs
from app.moving.models import ImportRun
from app.settings import get_settings
from tests import factories
from tests.moving.wordpress.exports import Comment as Said
from tests.moving.wordpress.exports import Export, Item, picture

PAGE = "/studio/import"


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> httpx.AsyncClient:
    async with db.transaction() as session:
        user = await factories.staff(session)
    await factories.sign_in(client, user)
    return client


@pytest.fixture
def old_site(tmp_path: Path) -> Iterator[str]:
    """The old site, which still answers with its pictures; its address."""
    place = tmp_path / "www/wp-content/uploads/2019/05"
    place.mkdir(parents=True)
    Image.new("RGB", (40, 30), "#aa5533").save(place / "hip.jpg")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "www")))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def export(site: str = "https://old.example.com") -> bytes:
    body = f'<p>Words.</p><img src="{site}/wp-content/uploads/2019/05/hip.jpg" alt="A hip">'
    shown = picture(2, "2019/05/hip.jpg", alt="A hip")
    shown.url = f"{site}/wp-content/uploads/2019/05/hip.jpg"
    made = Export(items=[Item(1, "Hip pain", body=body, comments=[Said(7)]), shown], site=site)
    return made.text().encode()


async def send(client: httpx.AsyncClient, *files: tuple[str, bytes], pictures: bool = True) -> httpx.Response:
    return await client.post(
        f"{PAGE}/files",
        files=[("files", (name, data, "text/xml")) for name, data in files],
        data={"fetches_pictures": "1"} if pictures else {},
    )


async def the_run() -> ImportRun:
    async with db.transaction() as session:
        return (await session.scalars(select(ImportRun))).one()


async def work_at_home(run_id: UUID, turn: int, patch: pytest.MonkeyPatch) -> None:
    """By the worker of a site that is only on this machine, as the old site of these tests is."""
    with patch.context() as own:
        own.setenv("LIMBER_BASE_URL", "http://127.0.0.1:8000")
        get_settings.cache_clear()
        await run_work.run(run_id, turn)
    get_settings.cache_clear()


async def queued() -> set[str]:
    async with db.transaction() as session:
        return set(await session.scalars(text("SELECT workflow_uuid FROM dbos.workflow_status")))


async def articles() -> list[Article]:
    async with db.transaction() as session:
        return list(await session.scalars(select(Article)))


async def test_a_file_is_looked_at_first_and_imported_once_somebody_says_so(
    teacher: httpx.AsyncClient, old_site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = await send(teacher, ("export.xml", export(old_site)))
    run = await the_run()
    page = f"{PAGE}/{run.id}"
    assert (sent.status_code, sent.headers["location"]) == (303, page)
    assert (run.state, run.files) == ("looking", ["export.xml"])
    assert f"import:{run.id}:1" in await queued()
    shown = (await teacher.get(page)).text
    assert "Nothing is changed." in shown
    assert 'http-equiv="refresh"' in shown
    assert (await teacher.post(f"{page}/start")).status_code == 409
    await work_at_home(run.id, 1, monkeypatch)
    assert (await the_run()).problem == ""
    shown = (await teacher.get(page)).text
    assert "nothing is changed yet" in shown
    assert "The numbers add up to the file" in shown
    assert "Files that are fetched from the old site once this is imported" in shown
    assert "Import it now" in shown
    assert await articles() == []
    assert "What an import would do" in (await teacher.get(f"{page}/report.txt")).text
    assert (await teacher.post(f"{page}/start")).status_code == 303
    await work_at_home(run.id, 2, monkeypatch)
    shown = (await teacher.get(page)).text
    assert "It is imported." in shown
    (article,) = await articles()
    assert article.title == "Hip pain"
    assert "/pictures/" in article.body_md
    async with db.transaction() as session:
        assert len(list(await session.scalars(select(Comment)))) == 1
        deeds = set(await session.scalars(select(AuditEntry.action)))
    assert deeds == {"import.look", "import.start", "import.wordpress"}
    assert "was imported already" in (await teacher.post(f"{page}/start")).text
    assert (await teacher.post(f"{page}/forget")).headers["location"] == PAGE
    await run_work._remove_sent(str(run.id))
    assert await storage.sizes(runs.folder_of(run.id)) == {}
    assert (await teacher.get(page)).status_code == 404


async def test_work_for_an_older_turn_writes_nothing(teacher: httpx.AsyncClient) -> None:
    await send(teacher, ("export.xml", export()), pictures=False)
    run = await the_run()
    await run_work.run(run.id, 0)
    assert (await the_run()).state == "looking"
    await run_work._end(run.id, 0, "done")
    assert (await the_run()).state == "looking"


async def test_what_is_no_export_is_said_and_can_be_put_away(teacher: httpx.AsyncClient) -> None:
    await send(teacher, ("page.xml", b"<html><body>Not found</body></html>"))
    run = await the_run()
    await run_work.run(run.id, 1)
    shown = (await teacher.get(f"{PAGE}/{run.id}")).text
    assert "page.xml is not a WordPress export" in shown
    assert "Traceback" not in shown
    assert run.files[0] in (await teacher.get(PAGE)).text
    assert (await teacher.post(f"{PAGE}/{run.id}/forget")).status_code == 303


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([], "Choose the file that WordPress gave you."),
        ([("a.xml", b"")], "a.xml is empty."),
        ([(f"{n}.xml", b"x") for n in range(21)], "At most 20 files at once."),
    ],
)
async def test_what_cannot_be_used_is_refused_in_a_sentence(
    teacher: httpx.AsyncClient, files: list[tuple[str, bytes]], sentence: str
) -> None:
    answer = await send(teacher, *files)
    assert answer.status_code == 422
    assert sentence in answer.text
    async with db.transaction() as session:
        assert await session.scalar(select(ImportRun.id)) is None


async def test_a_host_that_only_this_server_reaches_is_not_asked(
    teacher: httpx.AsyncClient, old_site: str
) -> None:
    assert not get_settings().is_loopback
    await send(teacher, ("export.xml", export(old_site)))
    run = await the_run()
    await run_work.run(run.id, 1)
    await teacher.post(f"{PAGE}/{run.id}/start")
    await run_work.run(run.id, 2)
    assert "the site is not on the internet" in (await teacher.get(f"{PAGE}/{run.id}/report.txt")).text
    (article,) = await articles()
    assert "/pictures/" not in article.body_md


async def test_runs_that_nobody_comes_back_to_are_put_away_after_a_week(teacher: httpx.AsyncClient) -> None:
    await send(teacher, ("a.xml", export()), pictures=False)
    run = await the_run()
    async with db.transaction() as session:
        await session.execute(update(ImportRun).values(asked_at=utcnow() - timedelta(days=8)))
    assert await run_work.forget_old(utcnow()) == 0, "it is under way"
    await run_work._end(run.id, 1, "looked")
    assert await run_work.forget_old(utcnow()) == 1
    assert f"remove_import:{run.id}" in await queued()


async def test_only_staff_see_and_send(client: httpx.AsyncClient) -> None:
    paths = [PAGE, f"{PAGE}/{uuid4()}", f"{PAGE}/{uuid4()}/report.txt"]
    posts = [f"{PAGE}/files", f"{PAGE}/{uuid4()}/start", f"{PAGE}/{uuid4()}/forget"]
    for _viewer in ("anonymous", "member"):
        for path in paths:
            assert (await client.get(path)).status_code in (302, 303, 401, 403)
        for path in posts:
            assert (await client.post(path, files={"files": ("a.xml", b"x")})).status_code in (
                302,
                303,
                401,
                403,
            )
        async with db.transaction() as session:
            member = await factories.user(session)
        await factories.sign_in(client, member)
    async with db.transaction() as session:
        assert await session.scalar(select(ImportRun.id)) is None
