"""No address leads out of a film's own folder, however it is spelled, over a real socket."""

import socket
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import httpx
import pytest

from app import db
from tests.playback.scene import SIGN_IN, Scene, set_up
from tests.web.server import Server, serving

SECRET = b"#EXTM3U\n# nobody may read this\n"
NOT_HERE = "This page is not here. It may have moved, or the link is incomplete."
DOTS = (
    "..",
    "%2e%2e",
    "%2E.",
    ".%2e",
    "%252e%252e",
    "%25%32%65%25%32%65",
    "..%00",
    "%00..",
    "..;",
    "..%20",
    "..%09",
    "..%0d%0a",
    "...",
    "%c0%ae%c0%ae",
    "%e0%80%ae%e0%80%ae",
    "%ef%bc%8e%ef%bc%8e",
    "%u002e%u002e",
)
SLASHES = ("/", "%2f", "%2F", "\\", "%5c", "//", "/./", "%252f", "%c0%af", "%ef%bc%8f", "/%00/")


class Wire:
    """One connection on which requests are sent letter by letter, as no client library would."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.open()

    def open(self) -> None:
        self.connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=20)
        self.stream = self.connection.makefile("rb")

    def ask(self, target: str, *headers: str) -> tuple[int, bytes]:
        """Status and body; a connection that the server closes is opened anew."""
        lines = [f"GET {target} HTTP/1.1", f"Host: 127.0.0.1:{self.server.port}", *headers, "", ""]
        self.connection.sendall("\r\n".join(lines).encode("latin-1"))
        status = int(self.stream.readline().split()[1])
        told: dict[str, str] = {}
        while (line := self.stream.readline().decode("latin-1").strip()) != "":
            name, _colon, value = line.partition(":")
            told[name.lower()] = value.strip()
        length = "0" if status == 204 else told.get("content-length")
        body = self.stream.read(int(length)) if length is not None else self.stream.read()
        if told.get("connection") == "close" or length is None:
            self.close()
            self.open()
        return status, body

    def close(self) -> None:
        self.stream.close()
        self.connection.close()


@pytest.fixture
async def scene(database: db.Database) -> Scene:
    return await set_up()


@pytest.fixture
def wire(scene: Scene, database_url: str, tmp_path: Path) -> Iterator[Wire]:
    """The served folder holds the free film, the paid one, another version, links, and secrets outside."""
    with serving(database_url, tmp_path / "data") as server:
        media = tmp_path / "data" / "media"
        for video_id, version in (
            (scene.free.video_id, 1),
            (scene.free.video_id, 2),
            (scene.paid.video_id, 1),
        ):
            folder = media / "videos" / str(video_id) / str(version)
            (folder / "360p").mkdir(parents=True)
            owns = (video_id, version) == (scene.free.video_id, 1)
            (folder / "master.m3u8").write_bytes(b"#EXTM3U\n# yours\n" if owns else SECRET)
        free = media / "videos" / str(scene.free.video_id) / "1"
        (free / "360p" / "media.m3u8").write_bytes(b"#EXTM3U\n")
        for place in (tmp_path, tmp_path / "data", media, media / "videos"):
            (place / "secret.m3u8").write_bytes(SECRET)
        (free / "out").symlink_to(tmp_path)
        (free / "link.m3u8").symlink_to(media / "secret.m3u8")
        (free / "paid.m3u8").symlink_to(media / "videos" / str(scene.paid.video_id) / "1" / "master.m3u8")
        wire = Wire(server)
        yield wire
        wire.close()


def begin(wire: Wire, scene: Scene) -> str:
    with httpx.Client(base_url=wire.server.url, trust_env=False, verify=False) as browser:
        answer = browser.post(f"/lessons/{scene.free.id}/playback", headers={"Accept": "application/json"})
    assert answer.status_code == 201
    url: str = answer.json()["playlist_url"]
    return url.removesuffix("master.m3u8")


def targets(base: str, scene: Scene, root: Path) -> Iterator[str]:
    """Every way out that we know: up, sideways, absolute, by link, and whole URLs instead of paths."""
    ways = (
        ("secret.m3u8", (3,)),
        (f"{scene.paid.video_id}{{}}1{{}}master.m3u8", (2,)),
        ("2{}master.m3u8", (1,)),
    )
    for dots, slash in product(DOTS, SLASHES):
        for target, depths in ways:
            for depth in depths:
                yield base + (dots + slash) * depth + target.format(slash, slash)
    for dots in DOTS:
        yield base + "360p/" + (dots + "/") * 5 + "secret.m3u8"
    for absolute in (f"{root}/secret.m3u8", "/etc/passwd", "C:\\secret.m3u8", "file:///etc/passwd"):
        for spelled in (absolute, absolute.replace("/", "%2f"), absolute.replace("/", "\\"), "/" + absolute):
            yield base + spelled
            yield spelled if spelled.startswith("/") else "/" + spelled
    yield from (base + link for link in ("out/secret.m3u8", "out/data/media/secret.m3u8"))
    yield from (base + "link.m3u8", base + "paid.m3u8")
    yield f"/media/../media/{base.removeprefix('/media/')}../2/master.m3u8"
    yield f"http://127.0.0.1{base}../2/master.m3u8"
    yield f"//127.0.0.1{base}..%2f2%2fmaster.m3u8"
    yield base + "master.m3u8%00/../../2/master.m3u8"
    yield base.replace("/1/", "/2/") + "master.m3u8"
    yield base.replace(str(scene.free.video_id), str(scene.paid.video_id)) + "master.m3u8"


async def test_no_spelling_reads_another_file_or_lets_nginx_read_it(
    wire: Wire, scene: Scene, tmp_path: Path
) -> None:
    base = begin(wire, scene)
    assert wire.ask(base + "master.m3u8") == (200, b"#EXTM3U\n# yours\n")
    assert wire.ask("/media-auth", f"X-Original-URI: {base}master.m3u8")[0] == 204
    # Links are well spelled, and nobody makes any: that they lead nowhere is the file's question, not the address's.
    links = (base + "out/", base + "link.m3u8", base + "paid.m3u8")
    tried = 0
    for target in targets(base, scene, tmp_path):
        status, body = wire.ask(target)
        assert status in (400, 403, 404), target
        assert b"nobody may read" not in body, target
        assert b"root:" not in body, target
        if target.startswith("/media/"):
            assert body.decode() in (SIGN_IN, NOT_HERE), target
        if not target.startswith(links):
            assert wire.ask("/media-auth", f"X-Original-URI: {target}") == (403, b""), target
        tried += 1
    assert tried > 500
    assert wire.ask(base + "master.m3u8")[0] == 200
