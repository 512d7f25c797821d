"""Files of the old site: from a folder or from one host, bounded, and never from anywhere else."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from app.errors import BadInput
from app.moving.wordpress import addresses, lacking, media

ANSWERS: dict[str, tuple[int, dict[str, str], bytes]] = {
    "/up/a.jpg": (200, {"Content-Type": "image/jpeg"}, b"picture"),
    "/up/page.jpg": (200, {"Content-Type": "text/html"}, b"<html>"),
    "/up/moved.jpg": (301, {"Location": "/up/a.jpg"}, b""),
    "/up/away.jpg": (302, {"Location": "http://169.254.169.254/latest/meta-data"}, b""),
    "/up/other-port.jpg": (302, {"Location": "http://127.0.0.1:1/x"}, b""),
    "/up/file.jpg": (302, {"Location": "file:///etc/passwd"}, b""),
    "/up/ring.jpg": (302, {"Location": "/up/ring.jpg"}, b""),
    "/up/huge.jpg": (200, {"Content-Type": "image/jpeg"}, b"x" * 3000),
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, headers, body = ANSWERS.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/up"
    server.shutdown()
    thread.join()
    server.server_close()


async def fetch(site: str, name: str) -> bytes:
    source = media.open_source(site)
    try:
        return await source.read(name)
    finally:
        await source.close()


async def test_a_picture_is_fetched_also_over_a_redirect_on_its_host(site: str) -> None:
    assert await fetch(site, "a.jpg") == b"picture"
    assert await fetch(site, "moved.jpg") == b"picture"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("none.jpg", "answers 404"),
        ("page.jpg", "sends no picture"),
        ("away.jpg", "another host"),
        ("other-port.jpg", "another host"),
        ("file.jpg", "another host"),
        ("ring.jpg", "too many redirects"),
    ],
)
async def test_what_is_no_picture_of_that_host_is_refused(site: str, name: str, why: str) -> None:
    with pytest.raises(lacking.Lacking, match=why):
        await fetch(site, name)


async def test_a_file_without_end_is_left(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "LARGEST_BYTES", 1000)
    with pytest.raises(lacking.Lacking, match="larger"):
        await fetch(site, "huge.jpg")


async def test_a_site_that_does_not_answer_is_said() -> None:
    with pytest.raises(lacking.Lacking, match="does not answer"):
        await fetch("http://127.0.0.1:1/up", "a.jpg")


async def test_nothing_outside_of_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "up").mkdir()
    (tmp_path / "secret.jpg").write_bytes(b"x")
    (tmp_path / "up" / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    source = media.open_source(str(tmp_path / "up"))
    for name in ("../secret.jpg", "link.jpg", "/etc/passwd", "none.jpg"):
        with pytest.raises(lacking.Lacking, match="not in the folder"):
            await source.read(name)


async def test_what_is_no_folder_is_said_at_once() -> None:
    with pytest.raises(BadInput, match="There is no folder"):
        media.open_source("/nowhere/at/all")


@pytest.mark.parametrize(
    ("url", "upload"),
    [
        ("https://www.old.org/wp-content/uploads/2019/05/a-300x200.jpg?x=1", "2019/05/a-300x200.jpg"),
        ("/wp-content/uploads/a.pdf", "a.pdf"),
        ("https://i0.wp.com/old.org/wp-content/uploads/2019/05/a.jpg?resize=1", "2019/05/a.jpg"),
        ("https://eva.files.wordpress.com/2019/05/a.jpg?w=300", "2019/05/a.jpg"),
        ("https://old.org/wp-content/uploads/sites/3/2019/05/a.jpg", "2019/05/a.jpg"),
        ("https://old.org/blog/files/2019/05/a.jpg", "2019/05/a.jpg"),
        ("https://else.org/wp-content/uploads/a.jpg", None),
        ("https://old.org/wp-content/uploads/../../secret", None),
        ("https://old.org/2019/05/post/", None),
        ("http://[bad", None),
    ],
)
def test_uploads_are_known_by_their_address(url: str, upload: str | None) -> None:
    assert addresses.upload_path(url, "old.org") == upload


def test_a_smaller_picture_stands_for_the_whole_one() -> None:
    assert addresses.candidates("2019/a-300x200.jpg") == (
        "2019/a.jpg",
        "2019/a-scaled.jpg",
        "2019/a-rotated.jpg",
        "2019/a-300x200.jpg",
    )
    # What somebody cut out of a picture is another picture.
    assert addresses.full_size("a-e1556970000000-300x200.jpg") == "a-e1556970000000.jpg"
    edited = addresses.candidates("a-e1556970000000-300x200.jpg")
    assert edited.index("a-e1556970000000-300x200.jpg") < edited.index("a.jpg")
    assert addresses.candidates("plan-20x30.jpg", is_whole=True)[0] == "plan-20x30.jpg"


@pytest.mark.parametrize(
    ("noted", "place"),
    [
        ("2019/05/a.jpg", "2019/05/a.jpg"),
        ("/srv/eva/www/wp-content/uploads/2009/05/a.jpg", "2009/05/a.jpg"),
        ("C:\\www\\wp-content\\uploads\\2009\\05\\a.jpg", "2009/05/a.jpg"),
        ("2019/05/u\u0308ber.jpg", "2019/05/\u00fcber.jpg"),
        # Two slashes would be another host, once put behind an address.
        ("//169.254.169.254/latest/a.jpg", "169.254.169.254/latest/a.jpg"),
        ("http://169.254.169.254/a.jpg", ""),
        ("../../secret.jpg", ""),
        ("C:\\secret.jpg", ""),
    ],
)
def test_a_noted_place_is_one_below_the_uploads_folder(noted: str, place: str) -> None:
    assert addresses.below_uploads(noted) == place
