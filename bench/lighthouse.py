"""`lighthouse`: the pages that bring people in, judged by Lighthouse as on a throttled phone.

The demo with its films, behind the shipped nginx, with 200 responses under the article. Lighthouse's own profile: a
phone of the middle class on slow 4G, simulated from what a browser here measures, so a busy machine makes the first
figure worse; the load is told beside it. Each page is judged `RUNS` times by a fresh browser; the median counts.
"""

import asyncio
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.front_door import ROOT, front_door
from bench.start import free_ports

GOAL = 95
RUNS = 3
TRIES = 3
# Faults of the recording, not of the page. Source: core/lib/lh-error.js
UNTRACED = ("NO_NAVSTART", "NO_FCP", "NO_TRACING_STARTED", "INVALID_SPEEDLINE")
RESPONSES = 200
ARTICLE = "hip-pain-from-running"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
PAGES = {
    "home": "/",
    "article": f"/articles/{ARTICLE}",
    "wall": "/courses/lower-body/deep-rotators",
    "lesson": "/courses/lower-body/hamstring-strap",
    "plans": "/plans",
}
CLI = ROOT / "node_modules/lighthouse/cli/index.js"
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-background-networking"


@contextmanager
def demo() -> Iterator[tuple[int, Path]]:
    """A demo of its own, filled, with 200 responses: its port and its data folder.

    Raises:
        RuntimeError: it does not start.
    """
    port = free_ports()
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("LIMBER_", "DATABASE_"))}
    with tempfile.TemporaryDirectory(prefix="limber-lighthouse-") as scratch:
        Path(scratch).chmod(0o755)
        folder = Path(scratch) / "data"
        command = [sys.executable, "-m", "app", "demo", "--port", str(port), "--data-dir", str(folder)]
        with subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        ) as process:
            assert process.stdout is not None
            try:
                if not any("Ctrl-C stops everything" in line for line in process.stdout):
                    raise RuntimeError("the demo did not start")
                _respond(folder)
                yield port, folder
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGINT)
                process.stdout.read()
                process.wait(60)


def _respond(folder: Path) -> None:
    from app import postgres

    with postgres.server(folder) as url:
        asyncio.run(_more(url))


async def _more(database_url: str) -> None:
    """As many responses as the article is to have, in threads of three, with words that are there already."""
    from sqlalchemy import func, select

    # Every table, so that foreign keys find theirs.
    import app.tables  # noqa: F401
    from app import db
    from app.articles.models import Article, Comment
    from app.clock import utcnow

    db.open_database(database_url, pool_size=1)
    async with db.transaction() as session:
        article = (await session.scalars(select(Article).where(Article.slug == ARTICLE))).one()
        wanted = (Comment.article_id == article.id, Comment.state == "approved")
        words = (
            await session.scalars(select(Comment).where(*wanted).order_by(Comment.created_at).limit(1))
        ).one()
        there = await session.scalar(select(func.count()).where(*wanted)) or 0
        before = None
        for number in range(RESPONSES - there):
            row = Comment(
                article_id=article.id,
                parent_id=before if number % 3 else None,
                name=words.name,
                email=words.email,
                is_author=number % 3 == 1,
                body_md=words.body_md,
                body_html=words.body_html,
                state="approved",
                created_at=utcnow() - timedelta(hours=1000 - number),
            )
            session.add(row)
            await session.flush()
            before = row.id
        assert await session.scalar(select(func.count()).where(*wanted)) == RESPONSES
    await db.close_database()


def judge(address: str, browser: str) -> dict[str, Any]:
    """Lighthouse's whole report of one page, in the phone profile that is its default.

    Now and then a browser keeps no trace of a load ("Please run Lighthouse again"); then another one is asked.

    Raises:
        RuntimeError: it could not judge the page.
    """
    for _try in range(TRIES - 1):
        try:
            return _judge(address, browser)
        except RuntimeError as error:
            if not any(code in str(error) for code in UNTRACED):
                raise
            print(f"lighthouse: {address}: no trace, once more", file=sys.stderr, flush=True)
    return _judge(address, browser)


def _judge(address: str, browser: str) -> dict[str, Any]:
    node = shutil.which("node", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if node is None or not CLI.is_file():
        raise RuntimeError("Lighthouse is not installed (make .build/tests installs it)")
    ran = subprocess.run(
        [
            node,
            str(CLI),
            address,
            "--quiet",
            "--output=json",
            f"--only-categories={','.join(CATEGORIES)}",
            f"--chrome-flags={FLAGS}",
            "--no-enable-error-reporting",
        ],
        env=os.environ | {"CHROME_PATH": browser},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    if ran.returncode:
        raise RuntimeError(f"Lighthouse failed: {ran.stderr[-1000:]}")
    report: dict[str, Any] = json.loads(ran.stdout)
    if error := report.get("runtimeError"):
        raise RuntimeError(f"Lighthouse could not judge {address}: {error}")
    return report


def scores(report: dict[str, Any]) -> dict[str, int]:
    """0 to 100 in each category."""
    return {name: round(100 * report["categories"][name]["score"]) for name in CATEGORIES}


def complaints(report: dict[str, Any]) -> list[str]:
    """What it would mend, the dearest first: audits that count and are not full."""
    found = []
    for name in CATEGORIES:
        for one in report["categories"][name]["auditRefs"]:
            audit = report["audits"][one["id"]]
            if audit["score"] is not None and audit["score"] < 0.9 and one["weight"]:
                found.append((1 - audit["score"], f"{one['id']} {audit.get('displayValue', '')}".strip()))
    return [said for _lost, said in sorted(found, reverse=True)]


def run(runs: int = RUNS) -> dict[str, Any]:
    """Judge on a demo of its own; about five minutes.

    Raises:
        RuntimeError: no Chromium is installed, or no Lighthouse.
    """
    from tests.machine import browser as browser_path

    browser = browser_path()
    if browser is None:
        raise RuntimeError("no Chromium is installed (python -m tests.machine installs it)")
    found: dict[str, Any] = {}
    load = []
    with demo() as (port, folder), tempfile.TemporaryDirectory(prefix="limber-lighthouse-nginx-") as scratch:
        Path(scratch).chmod(0o755)
        with front_door(Path(scratch), port, folder / "media") as door:
            for name, path in PAGES.items():
                reports = [judge(f"http://127.0.0.1:{door.port}{path}", browser) for _run in range(runs)]
                each = [scores(report) for report in reports]
                found[name] = {c: round(statistics.median(one[c] for one in each)) for c in CATEGORIES}
                load.append(os.getloadavg()[0])
                print(f"lighthouse: {name}: {each}", file=sys.stderr, flush=True)
                for said in complaints(reports[-1]):
                    print(f"lighthouse: {name}: {said}", file=sys.stderr)
    least = min(score for page in found.values() for score in page.values())
    return {
        "score": least,
        "goal": GOAL,
        "met": least >= GOAL,
        "load": round(max(load) / (os.cpu_count() or 1), 1),
        **found,
    }
