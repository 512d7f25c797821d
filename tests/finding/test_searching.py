"""The search finds what is there for this reader, whatever they type, and nothing else."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app import db
from app.articles import writing as articles
from app.articles.rules import ArticleDraft
from app.catalog import editing, publishing
from app.finding import rebuilding
from app.finding import writing as terms
from app.finding.rules import Part, TermDraft
from app.video import captioning
from tests import factories
from tests.finding.scene import NOW, ask, make, urls, viewer


async def test_each_kind_of_thing_is_found_with_its_words_marked(database: db.Database) -> None:
    async with db.transaction() as session:
        scene = await make(session)
    found = await ask("sitting day")
    assert urls(found) == ["/articles/hip-pain-from-running#why-it-tightens"]
    assert [part.words for part in found.hits[0].excerpt if part.is_hit] == ["sit", "day"]
    assert urls(await ask("hip pain"))[0] == "/articles/hip-pain-from-running"
    assert urls(await ask("lower body")) == ["/courses/lower-body"]
    (lesson,) = (await ask("face")).hits
    assert (lesson.url, lesson.note, lesson.course) == (
        "/courses/lower-body/rotators",
        "members",
        "Lower body",
    )
    (said,) = (await ask("lift leg", kind="spoken")).hits
    assert (said.url, said.at_s, said.note) == ("/courses/lower-body/hamstrings#t=12", 12, "free")
    assert urls(await ask("piriformis")) == ["/conditions/sciatica"]
    assert scene.term.slug == "sciatica"


async def test_a_synonym_finds_the_condition_first_and_what_helps_with_it(database: db.Database) -> None:
    async with db.transaction() as session:
        await make(session)
    found = await ask("ISCHIAS")
    assert urls(found)[0] == "/conditions/sciatica"
    assert set(urls(found)[1:]) == {"/articles/hip-pain-from-running", "/courses/lower-body/rotators"}
    assert found.counts == {"term": 1, "article": 1, "lesson": 1}
    assert urls(await ask("ischias", kind="article")) == ["/articles/hip-pain-from-running"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("pirifomis", "piriformis"), ("scaitica", "sciatica"), ("piri", "piriformis"), ("hpi", "hip")],
)
async def test_slips_and_beginnings_find_what_was_meant(
    database: db.Database, typed: str, meant: str
) -> None:
    async with db.transaction() as session:
        await make(session)
    found = await ask(typed)
    assert found.spelling == meant
    assert urls(found) == urls(await ask(meant)) != []


async def test_where_nothing_has_all_words_some_are_found_and_it_is_said(database: db.Database) -> None:
    async with db.transaction() as session:
        await make(session)
    found = await ask("sciatica zeppelin")
    assert found.is_partial
    assert urls(found)[0] == "/conditions/sciatica"
    assert not (await ask("sciatica nerve")).is_partial


async def test_what_is_said_in_a_paid_lesson_is_for_those_who_may_watch(database: db.Database) -> None:
    async with db.transaction() as session:
        scene = await make(session)
        member = viewer(user := await factories.user(session))
        ended = viewer(past := await factories.user(session))
        other = viewer(elsewhere := await factories.user(session))
        await factories.entitlement(session, user)
        await factories.entitlement(session, past, ends_at=datetime.now(UTC) - timedelta(hours=1))
        another = await factories.course(session)
        await factories.entitlement(session, elsewhere, course_id=another.id)
    for who in (None, ended, other):
        for words in ("obturator", "hidden obturator", "obturatr", "obtur", "shin zeppelin"):
            found = await ask(words, who)
            # Neither a hit, nor a count, nor a spelling that only stands there.
            assert (found.hits, found.counts, found.spelling) == ((), {}, ""), (words, found)
    for who in (member, scene.teacher):
        (hit,) = (await ask("obturator", who)).hits
        assert (hit.url, hit.at_s) == ("/courses/lower-body/rotators#t=83", 83)
        assert (await ask("obturatr", who)).spelling == "obturator"


async def test_a_transcript_written_by_hand_is_behind_the_same_wall(database: db.Database) -> None:
    async with db.transaction() as session:
        scene = await make(session)
        section = await factories.section(session, scene.course)
        row = await factories.lesson(session, section, transcript_md="Now the *gemelli* let go.", slug="told")
        form = editing.LessonForm.of(row, UTC)
        await editing.edit_lesson(session, scene.course.id, row.id, form)
    assert (await ask("gemelli")).hits == ()
    (hit,) = (await ask("gemelli", scene.teacher)).hits
    assert (hit.kind, hit.url, hit.at_s) == ("spoken", "/courses/lower-body/told", None)
    async with db.transaction() as session:
        # Captions take its place on the page, and here.
        assert row.video_id
        await captioning.add(
            session,
            scene.teacher.user_id,
            row.video_id,
            "en",
            "",
            b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n",
            NOW,
        )
    assert (await ask("gemelli", scene.teacher)).hits == ()


async def test_chapters_lead_to_their_second_and_those_of_a_paid_film_only_who_may_watch(
    database: db.Database,
) -> None:
    async with db.transaction() as session:
        scene = await make(session)
        member = viewer(user := await factories.user(session))
        stranger = viewer(await factories.user(session))
        await factories.entitlement(session, user)
        for lesson, typed in (
            (scene.free, "0:00 Setting up\n0:40 Calves, slowly"),
            (scene.paid, "0:00 Setting up\n1:40 Quadratus femoris"),
        ):
            assert lesson.video_id
            await captioning.set_chapters(session, scene.teacher.user_id, lesson.video_id, typed)
    for who in (None, stranger):
        for words in ("quadratus", "quadratus femoris", "quadrats", "quad", "femoris zeppelin"):
            found = await ask(words, who)
            assert (found.hits, found.counts, found.spelling) == ((), {}, ""), (words, found)
        (hit,) = (await ask("calves", who)).hits
        assert (hit.url, hit.at_s, hit.is_chapter) == ("/courses/lower-body/hamstrings#t=40", 40, True)
        assert urls(await ask("setting up", who)) == ["/courses/lower-body/hamstrings#t=0"]
    for who in (member, scene.teacher):
        (hit,) = (await ask("quadratus", who)).hits
        assert (hit.title, hit.url) == ("Deep rotators", "/courses/lower-body/rotators#t=100")
        assert [part.words for part in hit.excerpt if part.is_hit] == ["Quadratus"]
        assert len((await ask("setting up", who)).hits) == 2
    async with db.transaction() as session:
        assert scene.paid.video_id
        await captioning.set_chapters(session, scene.teacher.user_id, scene.paid.video_id, "0:10 Gemelli")
    assert urls(await ask("gemelli", member)) == ["/courses/lower-body/rotators#t=10"]
    assert urls(await ask("quadratus", member)) == [], "nor what was called so before"
    async with db.transaction() as session:
        await captioning.set_chapters(session, scene.teacher.user_id, scene.paid.video_id, "")
    assert urls(await ask("gemelli", member)) == []


async def test_drafts_and_what_was_taken_back_are_nobodys_to_find(database: db.Database) -> None:
    async with db.transaction() as session:
        scene = await make(session)
        hidden = ArticleDraft(title="Zeppelin", body_md="About zeppelins.")
        await articles.create(session, scene.teacher, hidden, NOW)
    for who in (None, scene.teacher):
        assert (await ask("zeppelin", who)).hits == ()
        assert (await ask("zepelin", who)).spelling == ""
    async with db.transaction() as session:
        row = await session.merge(scene.article)
        articles.unpublish(session, scene.teacher, row)
        await publishing.unpublish_lesson(session, scene.course.id, scene.free.id)
    assert urls(await ask("running")) == []
    assert urls(await ask("strap", scene.teacher)) == []
    async with db.transaction() as session:
        await publishing.unpublish_course(session, scene.course.id)
    for words in ("rotators", "lower body", "obturator"):
        assert (await ask(words, scene.teacher)).hits == ()


async def test_a_lesson_that_is_not_out_is_found_and_what_is_said_in_it_is_not(database: db.Database) -> None:
    async with db.transaction() as session:
        scene = await make(session)
        free = await session.merge(scene.free)
        free.available_at = datetime.now(UTC) + timedelta(days=3)
    found = await ask("strap")
    assert [(hit.kind, hit.note) for hit in found.hits] == [("lesson", "soon")]


async def test_what_changes_is_found_in_the_same_breath_and_what_it_was_is_not(database: db.Database) -> None:
    async with db.transaction() as session:
        scene = await make(session)
    async with db.transaction() as session:
        row = await session.merge(scene.article)
        await articles.save(
            session, scene.teacher, row, ArticleDraft("Knees", row.slug, "", "Of kneecaps."), NOW
        )
        term = await session.merge(scene.term)
        await terms.save(session, scene.teacher, term, TermDraft("condition", "Meralgia", "meralgia"), NOW)
        track = (
            await session.execute(text("SELECT id, video_id FROM caption_track WHERE vtt LIKE '%strap%'"))
        ).one()
        vtt = "WEBVTT\n\n00:09.000 --> 00:10.000\nBreathe out\n"
        await captioning.edit(session, scene.teacher.user_id, track.video_id, track.id, "", vtt, NOW)
    assert urls(await ask("kneecap")) == ["/articles/hip-pain-from-running"]
    for words in ("running", "ischias", "mat"):
        assert urls(await ask(words)) == []
    assert urls(await ask("breathe")) == ["/courses/lower-body/hamstrings#t=9"]
    async with db.transaction() as session:
        await terms.remove(session, scene.teacher, await session.merge(term))
    assert urls(await ask("meralgia")) == []


async def test_a_change_that_is_rolled_back_leaves_the_index_as_it_was(database: db.Database) -> None:
    async with db.transaction() as session:
        scene = await make(session)

    async def begun() -> None:
        async with db.transaction() as session:
            await articles.create(session, scene.teacher, ArticleDraft("Zeppelin", body_md="x"), NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await begun()
    async with db.transaction() as session:
        assert await session.scalar(text("SELECT count(*) FROM search_word WHERE word = 'zeppelin'")) == 0


async def test_the_index_made_anew_is_the_index_that_was(database: db.Database) -> None:
    async with db.transaction() as session:
        scene = await make(session)
        assert scene.free.video_id
        await captioning.set_chapters(session, scene.teacher.user_id, scene.free.video_id, "0:00 Setting up")
    look = text(
        "SELECT d.kind, d.title, d.about, d.headings, d.lead, d.whole, (SELECT json_agg(json_build_array(p.position,"
        " p.words, p.at_s, p.anchor, p.marks, p.lexemes) ORDER BY p.position)"
        " FROM search_passage p WHERE p.document_id = d.id)"
        " FROM search_document d ORDER BY d.kind, d.title, d.whole::text"
    )
    words = text("SELECT array_agg(word ORDER BY word) FROM search_word")
    async with db.transaction() as session:
        before = [tuple(row) for row in await session.execute(look)]
        known = await session.scalar(words)
        await session.execute(text("DELETE FROM search_document"))
        await session.execute(text("INSERT INTO search_word VALUES ('zeppelin')"))
        assert await rebuilding.missing(session) == 8
    assert (await rebuilding.rebuild())["articles"] == 1
    async with db.transaction() as session:
        assert [tuple(row) for row in await session.execute(look)] == before
        assert await session.scalar(words) == known
        assert await rebuilding.missing(session) == 0


NASTY = (
    "'",
    "\\",
    "a & | ! b",
    "((((",
    ":*",
    "hip:*A",
    "<-> <2> hip",
    "'hip' || '",
    "%",
    "_",
    "%%%hip%%%",
    "\x00",
    "hip\x00flexor",
    "\ud83d",
    "🦵" * 50,
    "the of and",
    "’’’’",
    "--",
    "/* hip */",
    "$1 $$ {} %s %(q)s :q",
    "腰痛 허리 поясница ظهر πλάτη हिंदी",
    "a" * 10_000,
    "hip " * 2_500,
    "<script>alert(1)</script>",
    "https://example.com/hip?x=1&y=2",
    "user@example.com",
    "-5.3e10 1/2 v1.2.3",
    "x" * 39 + "é" * 3,
)


async def test_whatever_is_typed_is_a_question(database: db.Database) -> None:
    dice = random.Random(11)
    signs = "hip flexor'\"\\&|!:*()<->@#%_\u0301\u202e\u00df\u0130\uffff\U0001f9b5 \t"
    async with db.transaction() as session:
        await make(session)
    for typed in (*NASTY, *("".join(dice.choices(signs, k=dice.randrange(1, 40))) for _number in range(60))):
        await ask(typed)


async def test_an_excerpt_is_text_whatever_stands_in_it(database: db.Database) -> None:
    async with db.transaction() as session:
        scene = await make(session)
        nasty = "Code: `<img src=x onerror=alert(1)>` zeppelin & `</mark><script>`"
        article = await articles.create(session, scene.teacher, ArticleDraft("Signs", body_md=nasty), NOW)
        articles.publish(session, scene.teacher, article, NOW)
    (hit,) = (await ask("zeppelin")).hits
    assert hit.excerpt == (
        Part("Code: <img src=x onerror=alert(1)> "),
        Part("zeppelin", is_hit=True),
        Part(" & </mark><script>"),
    )
