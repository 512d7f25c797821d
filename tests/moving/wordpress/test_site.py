"""A site that still answers, badly: slow, silent, cut off, packed, endless; asked for its files alone."""

import gzip
import io
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from PIL import Image

from app.moving.wordpress import lacking, media
from tests.moving.wordpress.exports import SITE, Export, Item, picture
from tests.moving.wordpress.running import articles, run

UP = "/wp-content/uploads/"
_drawn = io.BytesIO()
Image.new("RGB", (640, 480), (90, 120, 40)).save(_drawn, "JPEG")
JPEG = _drawn.getvalue()
PICTURE = {"Content-Type": "image/jpeg"}


class Site:
    """What the server is asked for; `is_down`: it takes every question and answers none."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_down = False
        self.ended = threading.Event()
        self.url = ""


class Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        name = self.path.removeprefix(UP)
        self.site.asked.append(name)
        if name.startswith("busy") and self.site.asked.count(name) == 1:
            self._send(429, {"Retry-After": name[4:5]}, b"")
            return
        if self.site.is_down or name == "stalls.jpg":
            self.site.ended.wait(20)
            return
        try:
            self._answer(name)
        except (BrokenPipeError, ConnectionResetError):
            return

    def _answer(self, name: str) -> None:
        if found := re.match(r"(\d{3})", name):
            self._send(int(found[1]), PICTURE, b"")
        elif name.startswith(("good", "busy", "sites/3/2019/")):
            self._send(200, PICTURE, JPEG)
        elif name == "html.jpg":
            self._send(200, {"Content-Type": "text/html; charset=UTF-8"}, b"<html>Not found</html>")
        elif name == "posing.jpg":
            self._send(200, PICTURE, b"\n<!DOCTYPE html><html>Not found</html>")
        elif name == "plain.jpg":
            self._send(200, {"Content-Type": "text/plain"}, JPEG)
        elif name == "untyped.jpg":
            self._send(200, {}, JPEG)
        elif name == "short.jpg":
            self._send(200, {**PICTURE, "Content-Length": str(len(JPEG) + 900)}, JPEG)
        elif name == "long.jpg":
            self._send(200, {**PICTURE, "Content-Length": "100"}, JPEG)
        elif name == "half.jpg":
            self._send(200, PICTURE, JPEG[: len(JPEG) // 2])
        elif name == "empty.jpg":
            self._send(200, PICTURE, b"")
        elif name == "packed.jpg":
            self._send(200, {**PICTURE, "Content-Encoding": "gzip"}, gzip.compress(JPEG))
        elif name == "bomb.jpg":
            self._send(200, {**PICTURE, "Content-Encoding": "gzip"}, gzip.compress(bytes(200_000_000), 1))
        elif name == "strange.jpg":
            self._send(200, {**PICTURE, "Content-Encoding": "br"}, b"x" * 900)
        elif name == "nowhere.jpg":
            self._send(302, {"Location": "http://[bad"}, b"")
        elif name == "port.jpg":
            self._send(302, {"Location": "http://127.0.0.1:999999/a.jpg"}, b"")
        elif name == "inner.jpg":
            self._send(301, {"Location": "http://10.0.0.1/a.jpg"}, b"")
        elif name in ("slow.jpg", "endless.jpg"):
            self._send(200, {**PICTURE, "Content-Length": str(10**12)}, b"")
            while not self.site.ended.is_set():
                self.wfile.write(b"x" if name == "slow.jpg" else b"x" * 1_000_000)
                time.sleep(0.1 if name == "slow.jpg" else 0)
        else:
            self._send(404, {"Content-Type": "text/html"}, b"<html>")

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def site() -> Iterator[Site]:
    one = Site()
    handler = type("Handler", (Handler,), {"site": one})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    one.url = f"http://127.0.0.1:{server.server_port}{UP}"
    yield one
    one.ended.set()
    server.shutdown()
    thread.join()
    server.server_close()


BAD = {
    "403.jpg": "the site answers 403",
    "500.jpg": "the site answers 500",
    "busy9.jpg": "the site answers 429",
    "html.jpg": "the site sends no picture there, but text/html",
    "posing.jpg": "this is a web page and not the file",
    "short.jpg": "not all of it",
    "long.jpg": "the picture is damaged, or its end is missing",
    "half.jpg": "the picture is damaged, or its end is missing",
    "empty.jpg": "the file is empty",
    "bomb.jpg": "larger than 40 MB",
    "endless.jpg": "larger than 40 MB",
    "strange.jpg": "packed in a way that was not asked for",
    "nowhere.jpg": "the site sends on to what is no address",
    "port.jpg": "the site sends on to what is no address",
    "inner.jpg": "the site sends on to another host (http://10.0.0.1), which is not asked",
    "gone.jpg": "the site answers 404",
}
GOOD = ("good.jpg", "busy0.jpg", "plain.jpg", "untyped.jpg", "packed.jpg")


def _export(folder: Path, names: list[str]) -> Path:
    items = [
        Item(n, title=name, body=f'<img src="{UP}{name}" alt="A">', slug=f"s{n}")
        for n, name in enumerate(names, 1)
    ]
    return Export([*items, *(picture(1000 + n, name) for n, name in enumerate(names))]).write(folder)


@pytest.mark.usefixtures("database")
async def test_every_file_of_a_bad_site_is_here_or_listed_with_its_reason(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "LONGEST_WAIT_S", 8)
    file = _export(tmp_path, [*GOOD, *BAD])
    told = await run(file, media=site.url)

    lines = told.text.splitlines()
    for name, why in BAD.items():
        assert any(line.strip().startswith(f"{name}: ") and why in line for line in lines), name
    found = await articles()
    assert all("/pictures/" in found[name].body_md for name in GOOD)
    assert f"attachment: {len(BAD)} in articles, but not to be had, {len(GOOD)} in articles" in told.text
    assert not told.differing

    # What is here is not asked for again, what failed is; and that alone changes nothing.
    site.asked.clear()
    site.asked.extend(name for name in BAD if name.startswith("busy"))
    assert (await run(file, media=site.url)).changes > 0
    assert "/pictures/" in (await articles())["busy9.jpg"].body_md
    site.asked.clear()
    assert (await run(file, media=site.url)).changes == 0
    assert set(GOOD).isdisjoint(site.asked)
    assert set(BAD) - {"busy9.jpg"} <= set(site.asked)


async def test_a_site_that_stalls_or_drips_costs_its_time_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "LONGEST_S", 0.4)
    source = media.open_source(site.url)
    for name in ("stalls.jpg", "slow.jpg"):
        with pytest.raises(lacking.Silent, match="longer than a minute"):
            await source.read(name)
    await source.close()


@pytest.mark.long
@pytest.mark.usefixtures("database")
async def test_a_site_that_is_down_holds_no_import_and_a_second_run_resumes(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media, "LONGEST_S", 0.2)
    names = [f"good{n}.jpg" for n in range(120)]
    file = _export(tmp_path, names)
    site.is_down = True
    told = await run(file, media=site.url)
    # Five in a row, then every fiftieth; a name without an answer is not tried in other forms.
    assert site.asked == [*names[:5], "good54.jpg", "good104.jpg"]
    assert told.text.count("the site took longer than a minute") == 7
    assert told.text.count("the site has stopped answering") == 113
    assert "attachment: 120 in articles, but not to be had" in told.text
    assert not told.differing

    site.is_down = False
    assert (await run(file, media=site.url)).changes > 0
    assert all("/pictures/" in one.body_md for one in (await articles()).values())
    assert (await run(file, media=site.url)).changes == 0


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("more", ["", "sites/3/"])
async def test_a_site_of_a_network_has_its_uploads_below_those_of_all(
    site: Site, tmp_path: Path, more: str
) -> None:
    address = f"{SITE}{UP}sites/3/2019/05/good.jpg"
    items = [Item(1, "One", body=f'<img src="{address}" alt="A">'), picture(20, "2019/05/good.jpg")]
    text = Export(items).text().replace(f"{UP}2019/05/good.jpg", f"{UP}sites/3/2019/05/good.jpg")
    file = tmp_path / "export.xml"
    file.write_text(text)
    told = await run(file, media=site.url + more)
    assert site.asked == ["sites/3/2019/05/good.jpg"]
    assert "attachment: 1 in articles, and stored here" in told.text

    folder = tmp_path / "uploads" / "sites" / "3" / "2019" / "05"
    folder.mkdir(parents=True)
    (folder / "good.jpg").write_bytes(JPEG)
    source = media.open_source(str(tmp_path), below="sites/3/")
    assert await source.read((await source.names("2019/05/good-300x200.jpg"))[0]) == JPEG


async def test_a_file_whose_noted_name_is_another_hosts_is_asked_for_on_this_one(site: Site) -> None:
    source = media.open_source(site.url)
    with pytest.raises(lacking.Absent, match="404"):
        await source.read("//other.invalid/a.jpg")
    assert site.asked == ["other.invalid/a.jpg"]
    await source.close()


async def test_names_of_every_kind_are_asked_for_as_they_are(site: Site) -> None:
    source = media.open_source(site.url)
    for name in ("two words.jpg", "a%20b.jpg", "quest?mark.jpg", "hash#mark.jpg", "plus+.jpg"):
        with pytest.raises(lacking.Absent):
            await source.read(name)
    assert site.asked == [
        "two%20words.jpg",
        "a%2520b.jpg",
        "quest%3Fmark.jpg",
        "hash%23mark.jpg",
        "plus%2B.jpg",
    ]
    assert await source.names("Über-300x200.jpg") == [
        *(f"Über{end}.jpg" for end in ("", "-scaled", "-rotated", "-300x200")),
        *(f"U\u0308ber{end}.jpg" for end in ("", "-scaled", "-rotated", "-300x200")),
    ]
    await source.close()
