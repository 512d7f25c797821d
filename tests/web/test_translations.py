"""A translation is a file: in a language that nobody speaks, no page says a word of English."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import httpx
import pytest

from app import db, i18n
from app.accounts.models import AuditEntry, User
from app.articles.models import ArticleRelation, ArticleTag, Comment, ContactMessage, Report, Tag
from app.billing.amounts import CURRENCIES
from app.billing.plan_models import Plan
from app.catalog.models import Course
from app.clock import utcnow, zones
from app.practice.models import Location, Practice
from app.settings import get_settings
from app.video.captions_models import CaptionTrack, Chapter
from app.web.studio.deed_words import SENTENCES
from tests import factories, pseudo

ROOT = Path(__file__).resolve().parent.parent.parent
# Names and technical words that are the same in every language.
_NAMES = """
Limber Stripe Markdown HTML JPEG PNG WebP MP4 WebVTT SRT VTT mailto tel https http USD UTC MB GB kB HD IP PDF com
example English
"""
SAME = {*_NAMES.split(), *(code.upper() for code in CURRENCIES)}
# The names of time zones are the same everywhere.
PLACES = {name.replace("_", " ") for name in zones()}
# What is no sentence: addresses of pages, mail addresses, versions.
PLAIN = re.compile(r"\S+@\S+|(?<![\w/])/[\w/#?=.&-]*|https?://\S*")


@pytest.fixture
def foreign(database_url: str) -> Iterator[str]:
    folder = get_settings().data_dir / "locale"
    path = pseudo.write(folder)
    i18n.look_in(folder)
    yield pseudo.LOCALE
    path.unlink()
    i18n.look_in(folder)
    i18n.use_locale("en")


async def fill(locale: str) -> tuple[User, User]:
    """A site with something of everything, in Greek letters; its teacher and a member."""
    now = utcnow()
    async with db.transaction() as session:
        session.add(
            Practice(id=1, site_name="Ωμέγα", teacher_name="Άλφα", language=locale, contact_email="a@b.gr")
        )
        session.add(Location(city="Πόλη", phone="210 555 01", hours="9–17"))
        teacher = await factories.staff(session, name="Άλφα")
        member = await factories.user(session, name="Βήτα")
        await factories.entitlement(session, member)
        course = await factories.course(session, title="Γάμμα", slug="γ", summary="δ")
        course.slug = "c"
        section = await factories.section(session, course, title="Δέλτα")
        film = await factories.video(session, title="Έψιλον", source_filename="ε")
        lesson = await factories.lesson(
            session, section, title="Ζήτα", slug="l", is_free=True, video_id=film.id
        )
        other_film = await factories.video(session, title="Έψιλον", source_filename="ε")
        await factories.lesson(session, section, title="Ήτα", slug="m", needs="θ", video_id=other_film.id)
        await factories.lesson(session, section, title="Θήτα", slug="n", state="announced", video_id=None)
        await factories.lesson(session, section, title="Ιώτα", slug="o", state="draft", video_id=None)
        session.add(
            CaptionTrack(
                video_id=film.id,
                language="el",
                label="Ελληνικά",
                vtt="WEBVTT\n\n00:00.000 --> 00:01.000\nΑ\n",
            )
        )
        session.add(Chapter(video_id=film.id, at_s=0, title="Κ"))
        for state in ("queued", "encoding", "failed"):
            await factories.video(session, title="Κάππα", source_filename="κ", state=state, version=0)
        article = await factories.article(
            session,
            title="Λάμδα",
            slug="a",
            summary="μ",
            body_html="<h2 id='x'>Μ</h2><p>Ν</p>",
            lesson_id=lesson.id,
        )
        other = await factories.article(session, title="Ξι", slug="b", body_html="<p>Ο</p>")
        await factories.article(session, title="Πι", slug="d", state="draft", body_html="")
        await factories.article(session, title="Ρο", slug="imprint", is_listed=False, body_html="<p>Σ</p>")
        session.add(ArticleRelation(article_id=article.id, related_id=other.id))
        tag = await factories.save(session, Tag(slug="t", name="Ταυ"))
        session.add(ArticleTag(article_id=article.id, tag_id=tag.id))
        for state in ("approved", "pending", "spam"):
            words = {"body_md": "Υ", "body_html": "<p>Υ</p>", "name": "Φι", "email": "f@example.com"}
            row = await factories.save(session, Comment(article_id=article.id, state=state, **words))
        session.add(Report(comment_id=row.id, network="n", reason="Χ"))
        session.add(ContactMessage(name="Ψι", email="p@example.com", body="Ω"))
        plans = (("p", "month", {"trial_days": 7}), ("q", "once", {"is_giftable": True, "lasts_months": 3}))
        for slug, interval, more in plans:
            session.add(Plan(slug=slug, name="Σίγμα", interval=interval, amount_cents=1900, **more))
        for action in SENTENCES:
            kind = action.partition(".")[0]
            detail = {"title": "Τ", "name": "Τ", "city": "Τ", "slug": "τ"}
            session.add(
                AuditEntry(
                    actor_id=teacher.id,
                    action=action,
                    subject_kind=kind,
                    subject_id="1",
                    detail=detail,
                    at=now,
                )
            )
        assert isinstance(course, Course)
        course.published_at = now - timedelta(days=1)
    return teacher, member


def complaints(path: str, text: str) -> list[str]:
    found = []
    for piece in pseudo.read(text).texts:
        if piece in PLACES:
            continue
        words = [word for word in pseudo.untranslated(PLAIN.sub(" ", piece)) if word not in SAME]
        if words:
            found.append(f"{path}: {' '.join(words)} in “{' '.join(piece.split())[:120]}”")
    return found


async def crawl(client: httpx.AsyncClient, begin: tuple[str, ...]) -> tuple[list[str], set[str]]:
    """Every page that links lead to from these: what is said there in English, and which pages they were."""
    waiting, seen, found = list(begin), set(begin), []
    while waiting:
        path = waiting.pop(0)
        answer = await client.get(path, follow_redirects=True)
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        assert answer.status_code in (200, 401, 402, 403, 404, 410), (path, answer.status_code)
        found += complaints(path, answer.text)
        for link in pseudo.read(answer.text).links:
            target = urlsplit(urljoin(str(answer.url), link))
            shape = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "…", f"{target.path}?{target.query}")
            if target.netloc == urlsplit(get_settings().base_url).netloc and shape not in seen:
                seen.add(shape)
                waiting.append(target.path + (f"?{target.query}" if target.query else ""))
    return sorted(set(found)), seen


@pytest.mark.parametrize("who", ["visitor", "member", "teacher"])
async def test_no_page_says_a_word_that_was_not_translated(
    client: httpx.AsyncClient, foreign: str, who: str
) -> None:
    teacher, member = await fill(foreign)
    begin: tuple[str, ...] = (
        "/",
        "/join",
        "/forgot",
        "/plans",
        "/nothing-here",
        "/library",
        "/articles/a?held=1",
    )
    if who != "visitor":
        await factories.sign_in(client, teacher if who == "teacher" else member)
        begin = (
            "/account",
            "/account/streams",
            "/account/cancel",
            "/account/bills",
            "/library",
            "/courses/c/m",
        )
    if who == "teacher":
        begin = ("/studio", "/studio/articles/new?page=1", "/studio/plans/new", "/studio/members/sharing")
    found, seen = await crawl(client, begin)
    assert found == []
    assert len(seen) > {"visitor": 15, "member": 20, "teacher": 60}[who]


async def test_what_forms_refuse_is_said_in_the_sites_language(
    client: httpx.AsyncClient, foreign: str
) -> None:
    teacher, _member = await fill(foreign)
    for path, form in (
        ("/contact", {"name": "", "email": "x"}),
        ("/articles/a/responses", {"body": ""}),
        ("/join", {"email": "x"}),
        ("/login", {"email": "x", "password": "y"}),
    ):
        answer = await client.post(path, data=form)
        assert answer.status_code in (401, 422), (path, answer.status_code)
        assert complaints(path, answer.text) == []
    await factories.sign_in(client, teacher)
    for path in (
        "/studio/settings",
        "/studio/settings/locations",
        "/studio/plans",
        "/studio/articles",
        "/studio/courses",
    ):
        answer = await client.post(path, data={})
        assert answer.status_code == 422, path
        assert complaints(path, answer.text) == []


async def test_a_program_is_answered_in_the_sites_language(client: httpx.AsyncClient, foreign: str) -> None:
    await fill(foreign)
    await client.get("/")
    answer = await client.get("/nothing", headers={"Accept": "application/json"})
    assert "⟦" in answer.json()["detail"]


async def test_pages_tell_their_language_and_its_direction(client: httpx.AsyncClient, foreign: str) -> None:
    await fill(foreign)
    assert '<html lang="el">' in (await client.get("/")).text
    (get_settings().data_dir / "locale/he.po").write_bytes(
        (get_settings().data_dir / "locale/el.po").read_bytes().replace(b"Language: el", b"Language: he")
    )
    i18n.look_in(get_settings().data_dir / "locale")
    async with db.transaction() as session:
        (await session.get_one(Practice, 1)).language = "he"
    try:
        assert '<html lang="he" dir="rtl">' in (await client.get("/")).text
    finally:
        (get_settings().data_dir / "locale/he.po").unlink()


async def test_the_teacher_chooses_among_the_languages_that_are_there(
    client: httpx.AsyncClient, foreign: str
) -> None:
    teacher, _member = await fill("en")
    await factories.sign_in(client, teacher)
    page = (await client.get("/studio/settings")).text
    assert '<option value="en" selected>English</option>' in page
    assert '<option value="el">Ελληνικά</option>' in page
    facts = {"site_name": "Ωμέγα", "contact_email": "a@example.com"}
    refused = await client.post("/studio/settings", data={**facts, "language": "tlh"})
    assert refused.status_code == 422
    assert "Please choose one of the languages." in refused.text
    await client.post("/studio/settings", data={**facts, "language": "el"})
    assert '<html lang="el">' in (await client.get("/studio/settings")).text


def test_an_unknown_language_is_english() -> None:
    i18n.use_locale("tlh")
    assert i18n.current_locale() == "en"


# How scripts could say something of their own; what they say comes with the page, in data-words and data-labels.
SPEAKS = (
    re.compile(
        r"""\.(?:textContent|innerText|innerHTML|title|ariaLabel|placeholder|alt)\s*=\s*["'`][^"'`$]*[A-Za-z]{2}"""
    ),
    re.compile(
        r"""setAttribute\(\s*["'](?:aria-label|title|alt|placeholder)["']\s*,\s*["'`][^"'`$]*[A-Za-z]{2}"""
    ),
    re.compile(r"""\b(?:alert|confirm|prompt|createTextNode)\(\s*["'`]"""),
    re.compile(r"""["'`][A-Z][a-z]+(?: [a-z]+)+[.?…]?["'`]"""),
)


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "frontend").rglob("*.ts")),
    ids=lambda path: str(path.relative_to(ROOT / "frontend")),
)
def test_scripts_say_nothing_of_their_own(path: Path) -> None:
    code = re.sub(r"^\s*(?://|\*|/\*).*$", "", path.read_text("utf-8"), flags=re.MULTILINE)
    assert [found for pattern in SPEAKS for found in pattern.findall(code)] == []


@pytest.mark.parametrize(("script", "part"), [("player", "player"), ("upload", "uploader")])
def test_every_word_that_a_script_asks_for_comes_with_the_page(script: str, part: str) -> None:
    code = (ROOT / f"frontend/{script}/words.ts").read_text("utf-8")
    asked = set(re.findall(r'\|\s*"(\w+)"', code[: code.index("string")]))
    template = (ROOT / f"templates/_parts/{part}.html").read_text("utf-8")
    given = set(re.findall(r'"(\w+)":', template))
    assert len(asked) > 15
    assert asked <= given
