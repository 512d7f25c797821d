"""Files as they lie in real uploads folders: each is here after an import, or in the report with its reason."""

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.articles import pictures
from tests.moving.wordpress.exports import SITE, Export, Item, picture
from tests.moving.wordpress.running import articles, run

pytestmark = pytest.mark.usefixtures("database")

HERE = "2019/03"


def _saved(width: int, height: int, form: str = "JPEG", **how: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 40)).save(out, form, **how)
    return out.getvalue()


def _moving(form: str) -> bytes:
    others = [Image.new("RGB", (60, 40), (n * 40, 20, 20)) for n in range(3)]
    return _saved(60, 40, form, save_all=True, append_images=others)


PICTURES = {
    "good.jpg": _saved(640, 480),
    "progressive.jpg": _saved(640, 480, progressive=True),
    # 108 million pixels; WordPress made the other one when it came.
    "huge.jpg": _saved(12_000, 9_000, quality=10),
    "huge-scaled.jpg": _saved(2_560, 1_920),
    "cut.jpg": _saved(800, 600),
    "cut-e1234567890123.jpg": _saved(300, 300),
    "left-1024x768.jpg": _saved(1024, 768),
    "moving.gif": _moving("GIF"),
    "moving.webp": _moving("WEBP"),
    "moving.png": _moving("PNG"),
    "dot.png": _saved(1, 1, "PNG"),
}
OTHERS = {
    "paper.pdf": b"%PDF-1.4\n%%EOF\n",
    "voice.mp3": b"ID3\x04" + bytes(90),
    "bare.mp3": b"\xff\xf3\x40\xc4" + bytes(90),
}
REFUSED = {
    "empty.jpg": (b"", "the file is empty"),
    "half.jpg": (_saved(640, 480)[:900], "the picture is damaged, or its end is missing"),
    "page.jpg": (b"\n<!DOCTYPE html>\n<html>", "this is a web page and not the file"),
    "drawing.svg": (
        b"<?xml version='1.0'?><!--" + b"x" * 2000 + b"--><svg/>",
        "an SVG drawing cannot be used",
    ),
    "film.mp4": (b"\0\0\0\x20ftypisom" + bytes(90), "a film; please upload it under Videos"),
    "film.webm": (b"\x1aE\xdf\xa3" + bytes(90), "a film; please upload it under Videos"),
    "voice.wav": (b"RIFF\0\0\0\0WAVEfmt " + bytes(90), "please save it as MP3"),
    "list.docx": (b"PK\x03\x04" + bytes(90), "please save it as PDF"),
    "vast.png": (_saved(9_000, 7_000, "PNG"), "too many pixels"),
    "gone.jpg": (None, "not in the folder"),
}
# Asked for, and not there under that name.
ASKED = {"cut-e1234567890123-150x150.jpg": "300x300", "left.jpg": "1024x768", "huge-300x225.jpg": "2048x1536"}


def _site(folder: Path) -> tuple[Path, str]:
    uploads = folder / "copy" / "wp-content" / "uploads" / HERE
    uploads.mkdir(parents=True)
    stored = {**PICTURES, **OTHERS, **{name: data for name, (data, _why) in REFUSED.items()}}
    for name, data in stored.items():
        if data is not None:
            (uploads / name).write_bytes(data)
    items = []
    for n, name in enumerate([*stored, *ASKED], 1):
        address = f"{SITE}/wp-content/uploads/{HERE}/{name}"
        is_picture = name.endswith(("jpg", "png", "gif", "webp", "svg"))
        body = f'<img src="{address}" alt="A">' if is_picture else f'<a href="{address}">it</a>'
        items.append(Item(n, title=name, body=body, slug=f"s{n}"))
        if name in stored:
            items.append(picture(1000 + n, f"{HERE}/{name}"))
    items.append(picture(5000, f"{HERE}/unused.jpg"))
    return Export(items).write(folder), str(folder / "copy")


async def test_every_file_is_here_or_listed_and_the_counts_add_up(tmp_path: Path) -> None:
    file, media = _site(tmp_path)
    told = await run(file, media=media)
    found = await articles()

    assert all("/pictures/" in found[name].body_md for name in PICTURES)
    assert all("/files/" in found[name].body_md for name in OTHERS)
    for name, size in ASKED.items():
        assert size in found[name].body_md, name
    assert "300x300" in found["cut-e1234567890123.jpg"].body_md
    assert "800x600" in found["cut.jpg"].body_md
    for name, (_data, why) in REFUSED.items():
        assert any(f"{HERE}/{name}: " in line and why in line for line in told.text.splitlines()), name
        assert f"{SITE}/wp-content/uploads/{HERE}/{name}" in found[name].body_md
    here = len(PICTURES) + len(OTHERS)
    assert (
        f"attachment: {here} in articles, and stored here, {len(REFUSED)} in articles, but not to be had,"
        " 1 in no article that is taken over"
    ) in told.text
    assert f"no article taken over shows: left where they are (1):\n  {HERE}/unused.jpg\n" in told.text
    assert f"{HERE}/left.jpg: {HERE}/left-1024x768.jpg" in told.text
    assert f"stands still (2):\n  {HERE}/moving.webp\n  {HERE}/moving.png\n" in told.text
    assert not told.differing
    assert (await run(file, media=media)).changes == 0


async def test_a_second_run_takes_what_has_come_since_and_nothing_else(tmp_path: Path) -> None:
    file, media = _site(tmp_path)
    await run(file, media=media)
    (tmp_path / "copy/wp-content/uploads" / HERE / "gone.jpg").write_bytes(_saved(500, 400))
    assert (await run(file, media=media)).changes > 0
    assert "500x400" in (await articles())["gone.jpg"].body_md
    assert (await run(file, media=media)).changes == 0


async def test_what_moves_is_known_by_its_first_bytes() -> None:
    assert all(pictures.moves(_moving(form)) for form in ("WEBP", "PNG", "AVIF"))
    still = [_saved(60, 40, form) for form in ("WEBP", "PNG", "AVIF", "JPEG", "GIF")]
    assert not any(pictures.moves(data) for data in (*still, b"", b"RIFF\0\0\0\0WEBPVP8X", b"\x89PNGacTL"))
