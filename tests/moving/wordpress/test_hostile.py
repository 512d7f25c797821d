"""Broken and hostile files: one clear sentence, and nothing that was imported is lost."""

import codecs
from pathlib import Path

import pytest

from app.errors import BadInput
from tests.moving.wordpress.exports import Comment as Said
from tests.moving.wordpress.exports import Export, Item
from tests.moving.wordpress.running import articles, responses, run

pytestmark = pytest.mark.usefixtures("database")

BOMB = """<?xml version="1.0"?>
<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>"""


def two() -> Export:
    return Export(items=[Item(1, "First", body="one"), Item(2, "Second", body="two", comments=[Said(7)])])


async def test_a_document_type_with_entities_is_refused(tmp_path: Path) -> None:
    export = two()
    export.head = BOMB
    with pytest.raises(BadInput, match="document type"):
        await run(export.write(tmp_path))
    assert await articles() == {}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04zip", "cannot be unpacked"),
        (b"\x1f\x8bgz", "cannot be unpacked"),
        (b"", "is empty"),
        (b"<!doctype html><html><body>Log in</body></html>", "a web page and not an export"),
        (b"<html><body>Not found</body></html>", "not a WordPress export"),
        (
            b'<?xml version="1.0"?><rss><channel><item><title>x</title></item></channel></rss>',
            "not a WordPress",
        ),
        (b"\x00" * 5000, "not a WordPress export"),
    ],
)
async def test_what_is_no_export_is_said_in_a_sentence(data: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_bytes(data)
    with pytest.raises(BadInput, match=words):
        await run(path)


async def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no file"):
        await run(tmp_path / "none.xml")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.7, 0.9, 0.99])
async def test_a_file_cut_off_anywhere_gives_what_is_whole(share: float, tmp_path: Path) -> None:
    text = Export(items=[Item(n, f"Title {n}") for n in range(20)]).text()
    path = tmp_path / "cut.xml"
    path.write_text(text[: int(len(text) * share)], encoding="utf-8")
    told = await run(path)
    assert len(await articles()) == text[: int(len(text) * share)].count("</item>")
    assert "cut.xml ends in the middle" in told.text
    assert told.differing == []


async def test_one_item_that_is_no_xml_costs_no_other(tmp_path: Path) -> None:
    export = Export(items=[Item(1, "A"), Item(2, "B", raw="\n<wp:broken></wp:other>"), Item(3, "C")])
    told = await run(export.write(tmp_path))
    assert set(await articles()) == {"A", "C"}
    assert "1 could not be read" in told.text
    assert told.differing == []


async def test_control_characters_of_real_exports_are_left_out(tmp_path: Path) -> None:
    text = Export(items=[Item(1, "Hi\x10p\x00", body="a\x0bb\x08c\x1fd\ufffe")]).text()
    path = tmp_path / "x.xml"
    path.write_text(text, encoding="utf-8")
    told = await run(path)
    assert (await articles())["Hip"].body_md == "a bcd"
    assert "6 control characters that XML forbids were left out." in told.text


async def test_the_end_of_a_section_inside_of_it_is_mended(tmp_path: Path) -> None:
    text = Export(items=[Item(1, "A", body="before HERE after <b>bold</b>"), Item(2, "B")]).text()
    path = tmp_path / "x.xml"
    path.write_text(text.replace("HERE", "]]> &nbsp;"), encoding="utf-8")
    told = await run(path)
    found = await articles()
    assert found["A"].body_md == "before \\]\\]> \u00a0 after **bold**"
    assert "B" in found
    assert "were no proper XML and were mended" in told.text


async def test_a_split_section_is_one_text(tmp_path: Path) -> None:
    await run(Export(items=[Item(1, "A", body="x ]]> y ]]]> z")]).write(tmp_path))
    assert "x ]]&gt; y ]]]&gt; z" in (await articles())["A"].body_html


async def test_bare_ampersands_and_named_references_outside_of_sections_are_read(tmp_path: Path) -> None:
    text = (
        Export(items=[Item(1, "TITLE")])
        .text()
        .replace("<![CDATA[TITLE]]>", "Hip & knee&nbsp;&eacute;&bogus;&#11;")
    )
    path = tmp_path / "x.xml"
    path.write_text(text, encoding="utf-8")
    await run(path)
    assert set(await articles()) == {"Hip & knee é&bogus;"}


@pytest.mark.parametrize(
    ("encoding", "declared", "bom"),
    [
        ("utf-8", "UTF-8", codecs.BOM_UTF8),
        ("cp1252", "UTF-8", b""),
        ("iso-8859-1", "ISO-8859-1", b""),
        ("utf-8", "ISO-8859-1", b""),
        ("utf-16-le", "UTF-16", codecs.BOM_UTF16_LE),
        ("utf-8", "utf-16", b""),
        ("utf-8", "klingon", b""),
        ("utf-8", "rot13", b""),
    ],
)
async def test_every_encoding_is_read_right_or_wrong_declaration(
    encoding: str, declared: str, bom: bytes, tmp_path: Path
) -> None:
    export = Export(items=[Item(1, "Hüfte", body="Schmerz – nein, Größe é")])
    export.head = f'<?xml version="1.0" encoding="{declared}" ?>'
    if encoding == "iso-8859-1":
        export.items[0].body = "Schmerz - nein, Größe é"
    path = tmp_path / "x.xml"
    path.write_bytes(bom + export.text().encode(encoding))
    told = await run(path)
    (article,) = (await articles()).values()
    assert article.title == "Hüfte"
    assert "Größe é" in article.body_md
    assert told.differing == []


async def test_line_ends_of_windows_are_line_ends(tmp_path: Path) -> None:
    text = Export(items=[Item(1, "A", body="one\ntwo\n\nthree")]).text().replace("\n", "\r\n")
    path = tmp_path / "x.xml"
    path.write_bytes(text.encode())
    await run(path)
    assert (await articles())["A"].body_md == "one\\\ntwo\n\nthree"


async def test_markup_that_nests_without_end_and_rings_of_answers_are_survived(tmp_path: Path) -> None:
    ring = [Said(1, parent=2), Said(2, "b", parent=3), Said(3, "c", parent=1), Said(4, "self", parent=4)]
    export = Export(items=[Item(1, "A", body="<div>" * 3000 + "deep" + "<b>" * 3000 + "er", comments=ring)])
    told = await run(export.write(tmp_path))
    assert "deep" in (await articles())["A"].body_md
    assert len(await responses()) == 4
    assert told.differing == []


async def test_numbers_and_dates_that_are_none_are_survived(tmp_path: Path) -> None:
    items = [
        Item(1, "Old", gmt="-0001-11-30 00:00:00", local="0000-00-00 00:00:00"),
        Item(2, "Far", gmt="9999-99-99 99:99:99", local="9999-12-31 23:59:59"),
        Item(1, "Twice"),
    ]
    told = await run(Export(items=items).write(tmp_path))
    assert set(await articles()) == {"Old", "Far"}
    assert "with the number of another item" in told.text
    assert told.differing == []


async def test_scripts_never_reach_a_page(tmp_path: Path) -> None:
    body = (
        '<script>alert(1)</script><p onclick="x()">a <a href="javascript:alert(2)">b</a>'
        '<img src="data:text/html,x" alt=""><a href=" jAvAsCrIpT:x">c</a></p><iframe src="javascript:3"></iframe>'
    )
    said = Said(1, 'x <a href="javascript:alert(1)">y</a><img src=x onerror=alert(1)> <script>z</script>')
    told = await run(Export(items=[Item(1, "A", body=body, comments=[said])]).write(tmp_path))
    shown = (await articles())["A"].body_html + (await responses())[0].body_html
    assert "script" not in shown.lower()
    assert "onerror" not in shown
    assert "1 × script" in told.text


async def test_markup_that_is_the_files_own_is_text(tmp_path: Path) -> None:
    text = Export([Item(1, "One", body="BODY")]).text()
    path = tmp_path / "x.xml"
    path.write_text(text.replace("<![CDATA[BODY]]>", "<p>a <b>b</b> &amp; c</p><p>d]]&gt;</p>"))
    told = await run(path)
    assert (await articles())["One"].body_md == "a **b** & c\n\nd\\]\\]>"
    assert not told.differing


async def test_signs_of_windows_that_somebody_took_for_latin_are_read(tmp_path: Path) -> None:
    told = await run(Export([Item(1, "One", body="\x93Hip\x94 \x96 it\x92s\x81 well\x85")]).write(tmp_path))
    assert (await articles())["One"].body_md == "“Hip” – it’s well…"
    assert "6 bytes are no UTF-8" in told.text
