"""How the site looks, set in the studio: looked at before it is saved, refused with sentences, served by its hash."""

import io
import re

import httpx
import pytest
from PIL import Image
from sqlalchemy import select

from app import db
from app.accounts.models import AuditEntry, User
from app.practice.models import Practice
from tests import factories

REQUESTS = [
    ("GET", "/studio/look"),
    ("POST", "/studio/look"),
    ("GET", "/studio/look/preview"),
    ("POST", "/studio/look/preview"),
]
FORM: dict[str, str | list[str]] = {
    "colour": "#1f6470",
    "is_name_shown": "1",
    "header_to": ["/articles", "/plans", ""],
    "header_label": ["Read", "", ""],
    "footer_to": [""],
    "footer_label": [""],
    "footer_own": "https://example.com/shop",
    "footer_own_label": "Shop",
}
THEME = re.compile(r'<link rel="stylesheet" href="(/theme/[^"]+)">')


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session)
    await factories.sign_in(client, user)
    return user


def logo(kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (900, 300), "#1f6470").save(out, kind)
    return out.getvalue()


async def kept() -> Practice | None:
    async with db.transaction() as session:
        return await session.get(Practice, 1)


@pytest.mark.parametrize(("method", "path"), REQUESTS)
async def test_only_staff_change_how_the_site_looks(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    form = FORM if method == "POST" else None
    assert (await client.request(method, path, data=form)).status_code == 401
    async with db.transaction() as session:
        member = await factories.user(session)
    await factories.sign_in(client, member)
    assert (await client.request(method, path, data=form)).status_code == 403
    assert await kept() is None


async def test_a_preview_shows_the_first_page_as_it_would_be_and_saves_nothing(
    client: httpx.AsyncClient, teacher: User
) -> None:
    answer = await client.post("/studio/look/preview", data={**FORM, "scheme": "dark"})
    assert answer.status_code == 200
    assert 'data-theme="limber-dark"' in answer.text
    assert '<a href="/articles">Read</a>' in answer.text
    assert '<a href="https://example.com/shop">Shop</a>' in answer.text
    assert THEME.findall(answer.text)[0].startswith("/theme/1f6470-")
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert await kept() is None
    assert not THEME.findall((await client.get("/")).text)
    form = await client.get("/studio/look")
    assert "frame-src 'self'" in form.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in form.headers["content-security-policy"]
    assert (await client.get("/studio/look/preview")).status_code == 200


async def test_what_is_saved_is_on_every_page_and_in_the_trail(
    client: httpx.AsyncClient, teacher: User
) -> None:
    answer = await client.post("/studio/look", data=FORM)
    assert answer.headers["location"] == "/studio/look?did=save"
    assert "Saved." in (await client.get(answer.headers["location"])).text
    client.cookies.clear()
    for path in ("/", "/contact", "/nothing-here"):
        page = (await client.get(path)).text
        assert '<a href="/plans">Plans</a>' in page
        assert '<a href="https://example.com/shop">Shop</a>' in page
        assert THEME.findall(page)
    async with db.transaction() as session:
        assert list(await session.scalars(select(AuditEntry.action))) == ["practice.look"]


async def test_the_stylesheet_is_kept_for_ever_and_its_address_tells_what_it_holds(
    client: httpx.AsyncClient, teacher: User
) -> None:
    await client.post("/studio/look", data=FORM)
    address = THEME.findall((await client.get("/")).text)[0]
    sheet = await client.get(address)
    assert sheet.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert sheet.headers["content-type"].startswith("text/css")
    assert "--color-primary:#1f6470" in sheet.text
    for wrong in (address.replace("1f6470", "1f6471"), "/theme/1f6470-00000000.css", "/theme/x.css"):
        assert (await client.get(wrong)).status_code == 404


async def test_the_built_in_colour_needs_no_stylesheet_of_its_own(
    client: httpx.AsyncClient, teacher: User
) -> None:
    await client.post("/studio/look", data={**FORM, "colour": "#9a4424"})
    assert not THEME.findall((await client.get("/")).text)


async def test_a_pale_colour_is_told_to_be_darkened(client: httpx.AsyncClient, teacher: User) -> None:
    await client.post("/studio/look", data={**FORM, "colour": "own", "own_colour": "#FFD400"})
    page = (await client.get("/studio/look")).text
    assert "too pale for text" in page
    assert 'id="colour-own" name="colour" value="own" checked' in page


async def test_a_logo_is_made_small_and_stands_for_the_name(client: httpx.AsyncClient, teacher: User) -> None:
    form = {name: value for name, value in FORM.items() if name != "is_name_shown"}
    answer = await client.post("/studio/look", data=form, files={"logo_file": ("a.png", logo(), "image/png")})
    assert answer.status_code == 303
    row = await kept()
    assert row is not None
    assert re.fullmatch(r"/pictures/[0-9a-f]{32}-640x213-[\w-]{24}\.png", row.logo)
    assert (await client.get(row.logo)).headers["content-type"] == "image/png"
    home = (await client.get("/")).text
    assert f'<img class="site-logo" src="{row.logo}" alt="Limber" width="640" height="213"></a>' in home
    await client.post("/studio/look", data={**form, "logo": row.logo})
    assert row.logo in (await client.get("/")).text
    await client.post("/studio/look", data={**form, "logo": row.logo, "no_logo": "1"})
    assert row.logo not in (await client.get("/")).text


@pytest.mark.parametrize("data", [b"no picture", b"%PDF-1.7 a hand-out", logo()[:200]])
@pytest.mark.parametrize("path", ["/studio/look", "/studio/look/preview"])
async def test_what_is_no_picture_is_no_logo(
    client: httpx.AsyncClient, teacher: User, data: bytes, path: str
) -> None:
    answer = await client.post(path, data=FORM, files={"logo_file": ("a.png", data, "image/png")})
    assert answer.status_code == 422
    assert "This file is no picture." in answer.text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"colour": "own", "own_colour": "red;}"}, "Please choose a colour"),
        (
            {"header_own": "javascript:alert(1)", "header_own_label": "Me"},
            "An address of your own begins with",
        ),
        ({"header_own": "https://example.com"}, "Please give a name"),
        ({"logo": "https://elsewhere.example/logo.png"}, "Please choose the picture again."),
    ],
)
async def test_wrong_looks_get_a_sentence_and_are_neither_saved_nor_shown(
    client: httpx.AsyncClient, teacher: User, change: dict[str, str], sentence: str
) -> None:
    answer = await client.post("/studio/look", data={**FORM, **change})
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'value="Read"' in answer.text
    assert await kept() is None
    preview = await client.post("/studio/look/preview", data={**FORM, **change})
    assert preview.status_code == 422
    assert sentence in preview.text


async def test_a_link_moves_up_without_being_saved(client: httpx.AsyncClient, teacher: User) -> None:
    page = (await client.post("/studio/look", data={**FORM, "do": "up:header:1"})).text
    assert page.index('<option value="/plans" selected>') < page.index('<option value="/articles" selected>')
    assert await kept() is None
    assert (await client.post("/studio/look", data={**FORM, "do": "up:header:x"})).status_code == 200


async def test_a_link_goes_below_another_is_previewed_saved_and_taken_out(
    client: httpx.AsyncClient, teacher: User
) -> None:
    page = (await client.post("/studio/look", data={**FORM, "do": "in:header:1"})).text
    assert 'name="header_below" value="1"' in page
    assert 'value="out:header:1"' in page
    assert await kept() is None
    form = {**FORM, "header_below": ["", "1", ""]}
    preview = (await client.post("/studio/look/preview", data=form)).text
    assert '<button type="button" popovertarget="menu-1">Read</button>' in preview
    await client.post("/studio/look", data=form)
    row = await kept()
    assert row is not None
    assert row.navigation is not None
    assert row.navigation["header"] == [
        {"to": "/articles", "label": "Read", "items": [{"to": "/plans", "label": ""}]}
    ]
    home = (await client.get("/")).text
    menu = home.partition('id="menu-1" popover>')[2].partition("</ul>")[0]
    assert menu.index('<a href="/articles">Read</a>') < menu.index('<a href="/plans">Plans</a>')
    assert (
        '<button type="button" popovertarget="menu-1" aria-current="true">'
        in (await client.get("/plans")).text
    )
    page = (await client.post("/studio/look", data={**form, "do": "out:header:1"})).text
    assert 'name="header_below" value="1"' not in page


async def test_a_heading_without_links_is_not_saved_and_one_with_links_stands_at_the_foot(
    client: httpx.AsyncClient, teacher: User
) -> None:
    footer = {"footer_to": ["#", "/plans"], "footer_label": ["Small print", ""]}
    alone = await client.post("/studio/look", data={**FORM, **footer})
    assert alone.status_code == 422
    assert "A heading needs links below it" in alone.text
    await client.post("/studio/look", data={**FORM, **footer, "footer_below": ["", "1"]})
    foot = (await client.get("/")).text.partition('<ul class="footer-links">')[2]
    assert '<span class="footer-heading">Small print</span>' in foot
    assert '<li><a href="/plans">Plans</a></li>' in foot


async def test_a_page_can_be_linked_and_its_link_goes_with_it(
    client: httpx.AsyncClient, teacher: User
) -> None:
    async with db.transaction() as session:
        row = await factories.article(session, slug="prices", title="Prices", is_listed=False)
    form = {**FORM, "header_to": [f"page:{row.id}"], "header_label": [""]}
    assert 'href="/prices">Prices</a>' in (await client.post("/studio/look/preview", data=form)).text
    await client.post("/studio/look", data=form)
    assert '<a href="/prices">Prices</a>' in (await client.get("/")).text
    async with db.transaction() as session:
        (await session.get_one(type(row), row.id)).state = "draft"
    assert "/prices" not in (await client.get("/")).text
