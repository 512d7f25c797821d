"""An export of five thousand articles and fifty thousand comments: its memory, and what a kill in the middle leaves."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from sqlalchemy import func, select

from app import db
from app.articles.models import Article, ArticleTag, Comment, OldAddress
from app.moving.models import Arrival
from tests.moving.wordpress.exports import SITE, Export, Item, picture
from tests.moving.wordpress.exports import Comment as Said

pytestmark = pytest.mark.usefixtures("database")

WORDS = (
    "hip",
    "knee",
    "pain",
    "stretch",
    "slowly",
    "breathe",
    "floor",
    "hold",
    "release",
    "muscle",
    "rest",
    "again",
)


def items(articles: int, comments_each: int) -> Iterator[Item]:
    """Articles of about 4 kB in both editors' dialects, each with a picture of its own and threaded comments."""
    dice = random.Random(7)
    said = 0
    for n in range(1, articles + 1):
        paragraphs = [" ".join(dice.choices(WORDS, k=60)) for _ in range(8)]
        other = dice.randint(1, articles)
        paragraphs[3] += f' <a href="{SITE}/2019/05/post-{other}/">more</a>'
        paragraphs[5] = "<ul>\n<li>one <b>two</b></li>\n<li>three</li>\n</ul>"
        paragraphs[7] = (
            f'[caption id="attachment_{n + 10**6}" align="alignleft"]'
            f'<img src="{SITE}/wp-content/uploads/2019/05/{n}-300x200.jpg" alt="" /> Words[/caption]'
        )
        if n % 2:
            body = "\n\n".join(paragraphs)
        else:
            body = "\n".join(f"<!-- wp:paragraph -->\n<p>{p}</p>\n<!-- /wp:paragraph -->" for p in paragraphs)
        first = said + 1
        comments = []
        for step in range(comments_each):
            said += 1
            parent = dice.randint(first, said - 1) if step and step % 3 else 0
            comments.append(
                Said(said, " ".join(dice.choices(WORDS, k=40)), parent=parent, name=f"Reader {said}")
            )
        yield Item(
            n, f"Title {n}", body=body, comments=comments, terms=[("category", f"c{n % 40}", f"C {n % 40}")]
        )
        yield picture(n + 10**6, f"2019/05/{n}.jpg", alt="A picture", parent=n)


def write(path: Path, articles: int, comments_each: int) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(Export().pieces(items(articles, comments_each)))
    return path


def begin(file: Path, folder: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "app",
        "import",
        "wordpress",
        str(file),
        "--report",
        str(folder / "report.txt"),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(os.environ))


def watched(process: subprocess.Popen[bytes]) -> tuple[int, float]:
    """Peak memory in bytes and seconds of a process that must succeed."""
    began, peak = time.monotonic(), 0
    while process.poll() is None:
        try:
            peak = max(peak, psutil.Process(process.pid).memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.05)
    out, _err = process.communicate()
    assert process.returncode == 0, out.decode()[-3000:]
    return peak, time.monotonic() - began


async def counts() -> list[int]:
    async with db.transaction() as session:
        return [
            await session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Article, Comment, ArticleTag, OldAddress, Arrival)
        ]


async def fingerprint() -> list[tuple[str, ...]]:
    """Everything that was imported, without the ids, which are random."""
    async with db.transaction() as session:
        rows = await session.execute(
            select(Article.slug, Article.title, Article.body_md, Article.state).order_by(Article.slug)
        )
        found = [tuple(row) for row in rows]
        parent = Comment.__table__.alias("parent")
        said = await session.execute(
            select(Comment.name, Comment.body_md, parent.c.name)
            .outerjoin(parent, parent.c.id == Comment.parent_id)
            .order_by(Comment.name)
        )
        return found + [tuple(str(part) for part in row) for row in said]


async def killed_and_run_again(folder: Path, articles: int, comments_each: int) -> None:
    file = write(folder / "export.xml", articles, comments_each)
    process = begin(file, folder)
    for share in (0.2, 0.6):
        while process.poll() is None and (await counts())[0] < articles * share:
            await asyncio.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        found, said, *_rest = await counts()
        assert found < articles
        assert said == found * comments_each, "an article without its responses was left behind"
        process = begin(file, folder)
    watched(process)
    assert (await counts())[:2] == [articles, articles * comments_each]
    once = await fingerprint()
    before = await counts()
    watched(begin(file, folder))
    assert "Nothing changed" in (folder / "report.txt").read_text()
    assert await counts() == before
    assert await fingerprint() == once


@pytest.mark.long
async def test_killed_twice_and_run_again_it_is_whole(tmp_path: Path) -> None:
    await killed_and_run_again(tmp_path, 80, 4)


@pytest.mark.long
@pytest.mark.timeout(1200)
async def test_five_thousand_articles_need_no_more_memory_than_five_hundred(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    small = write(tmp_path / "small.xml", 500, 10)
    few, _seconds = watched(begin(small, tmp_path))
    large = write(tmp_path / "large.xml", 5000, 10)
    many, seconds = watched(begin(large, tmp_path))
    assert (await counts())[:2] == [5000, 50_000]
    report = (tmp_path / "report.txt").read_text()
    assert "The numbers add up to the file’s" in report
    megabytes = large.stat().st_size / 1e6
    record_property(
        "note",
        f"{megabytes:.0f} MB, 5,000 articles, 50,000 comments: {seconds:.0f} s, {many / 1e6:.0f} MB at most"
        f" (500 articles: {few / 1e6:.0f} MB)",
    )
    assert many < few * 1.25 + 20e6
