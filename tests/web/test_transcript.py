"""What a film says, on its lesson's page: for those who may watch, and not a word of it for others."""

from dataclasses import dataclass

import httpx
import pytest

from app import db
from app.catalog.models import Lesson
from app.video.captions_models import CaptionTrack, Chapter
from tests import factories
from tests.web.viewers import Who, build, visitor

GERMAN = "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\nAuf den Rücken.\n"
ENGLISH = """WEBVTT

00:00:01.500 --> 00:00:02.500
<v Ann>Lie on your <i>back</i> &amp; breathe &lt;out&gt;.</v>

00:01:05.000 --> 00:01:06.000
Kneel.
"""
WORDS = ("Lie on your back", "Kneel.", "Auf den Rücken", "Deep rotators", "#t=65")


@dataclass(frozen=True)
class Scene:
    lesson: Lesson
    url: str


async def build_lesson(*, is_free: bool = False) -> Scene:
    async with db.transaction() as session:
        course = await factories.course(session)
        film = await factories.video(session, duration_s=90.0)
        section = await factories.section(session, course)
        lesson = await factories.lesson(
            session, section, video_id=film.id, is_free=is_free, transcript_md="Written by hand."
        )
        for language, label, vtt in (("de", "Deutsch", GERMAN), ("en", "English", ENGLISH)):
            session.add(CaptionTrack(video_id=film.id, language=language, label=label, vtt=vtt))
        session.add(Chapter(video_id=film.id, at_s=30, title="Deep rotators"))
    return Scene(lesson, f"/courses/{course.slug}/{lesson.slug}")


async def enter(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        member = await factories.user(session)
        await factories.entitlement(session, member)
    await factories.sign_in(client, member)


async def test_a_member_reads_it_and_each_line_leads_to_its_moment(client: httpx.AsyncClient) -> None:
    scene = await build_lesson()
    await enter(client)
    page = (await client.get(scene.url)).text
    assert "Lie on your back &amp; breathe &lt;out&gt;." in page
    assert 'href="#t=1"' in page
    assert 'href="#t=65"' in page
    assert '<ol class="transcript-lines" lang="de">' in page
    assert page.index("Transcript: English") < page.index("Transcript: Deutsch")
    assert 'href="#t=30"' in page
    assert "Deep rotators" in page
    assert "Written by hand." not in page


@pytest.mark.parametrize("is_signed_in", [False, True])
async def test_who_may_not_watch_gets_not_a_word_of_it(client: httpx.AsyncClient, is_signed_in: bool) -> None:
    scene = await build_lesson()
    if is_signed_in:
        async with db.transaction() as session:
            other = await factories.user(session)
        await factories.sign_in(client, other)
    answer = await client.get(scene.url)
    assert answer.status_code == 200
    for words in (*WORDS, "Written by hand.", "data-transcript", "Deutsch"):
        assert words not in answer.text


async def test_none_of_the_five_at_the_wall_reads_a_word(client: httpx.AsyncClient) -> None:
    scene = await build()
    for who in Who:
        one = await visitor(who, scene)
        headers = {"Cookie": f"__Host-limber={one.cookie}"} if one.cookie else {}
        answer = await client.get(scene.paid_url, headers=headers)
        assert answer.status_code == 200
        assert "Words that were said." not in answer.text
        assert "A part of it." not in answer.text


async def test_of_a_free_lesson_everybody_reads_it(client: httpx.AsyncClient) -> None:
    scene = await build_lesson(is_free=True)
    page = (await client.get(scene.url)).text
    assert "Kneel." in page
    assert "Deep rotators" in page


async def test_without_captions_what_the_teacher_wrote_is_shown(client: httpx.AsyncClient) -> None:
    async with db.transaction() as session:
        course = await factories.course(session)
        section = await factories.section(session, course)
        lesson = await factories.lesson(session, section, is_free=True, transcript_md="Written by hand.")
    page = (await client.get(f"/courses/{course.slug}/{lesson.slug}")).text
    assert "Written by hand." in page
    assert "data-transcript" not in page
    assert "jump-list" not in page
