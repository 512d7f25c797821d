"""Streams of nasty films play in Chromium with hls.js: time advances, the size is right, nothing is reported."""

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser

from tests import browsing
from tests.journeys.conftest import ROOT
from tests.video.making import make_stream
from tests.video.nasty import FILMS, Film

REPRESENTATIVE = [film for film in FILMS if film.name in ("priming-and-b-frames", "turned", "webm-vp9-opus")]
PLAYED_S = 1.0
PAGE = """<!doctype html><title>play</title><video muted></video><script src="/hls.min.js"></script><script>
window.problems = [];
window.play = (uri) => {
  const film = document.querySelector("video");
  const hls = new Hls({ enableWorker: false });
  hls.on(Hls.Events.ERROR, (_event, data) => window.problems.push(`${data.type} ${data.details}`));
  film.addEventListener("error", () => window.problems.push(film.error.message));
  hls.loadSource(uri);
  hls.attachMedia(film);
  // The largest rung, so that its size is the one to see.
  hls.on(Hls.Events.MANIFEST_PARSED, () => {
    const heights = hls.levels.map((level) => level.height * level.width);
    hls.currentLevel = heights.indexOf(Math.max(...heights));
    film.play();
  });
};
</script>"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a test's output is for what fails."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def played(browser: Browser, site: str, name: str) -> tuple[list[str], tuple[int, int], float]:
    """What was reported, the size of the picture, and how far it came, of one stream in a fresh page."""
    page = browser.new_page()
    try:
        page.goto(f"{site}/play.html")
        page.evaluate("uri => window.play(uri)", f"/{name}/master.m3u8")
        page.wait_for_function(
            f"window.problems.length || document.querySelector('video').currentTime > {PLAYED_S}",
            timeout=20_000,
        )
        problems = page.evaluate("window.problems")
        size = page.evaluate(
            "(v => [v.videoWidth, v.videoHeight, v.duration])(document.querySelector('video'))"
        )
        return [str(one) for one in problems], (int(size[0]), int(size[1])), float(size[2])
    finally:
        page.close()


def check(films: list[Film], folder: Path) -> None:
    made = {}
    site = folder / "site"
    for film in films:
        work = folder / film.name
        work.mkdir()
        source, _ladder, place = asyncio.run(make_stream(film.make(work), work / "work"))
        made[film.name] = source
        shutil.copytree(place, site / film.name)
    shutil.copy(ROOT / "node_modules/hls.js/dist/hls.min.js", site)
    (site / "play.html").write_text(PAGE)
    with served(site) as address, browsing.chromium(whole=True) as browser:
        for film in films:
            problems, size, length_s = played(browser, address, film.name)
            assert (film.name, problems) == (film.name, [])
            assert (film.name, size) == (film.name, film.size)
            assert length_s == pytest.approx(made[film.name].duration_s, abs=0.15), film.name


@pytest.mark.long
@pytest.mark.browser
def test_streams_of_nasty_films_play_in_a_browser(tmp_path: Path) -> None:
    check(REPRESENTATIVE, tmp_path)


@pytest.mark.long
@pytest.mark.browser
def test_every_nasty_stream_plays_in_a_browser(tmp_path: Path) -> None:
    check([film for film in FILMS if film not in REPRESENTATIVE], tmp_path)
