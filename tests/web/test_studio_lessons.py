"""The studio's lessons: written, given a video, scheduled in the practice's zone, moved, published and deleted."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from app import db
from app.accounts.models import User
from app.clock import utcnow
from tests import factories
from tests.articles.forms import words_of
from tests.web.studio_course import (
    OTHER,
    chosen,
    error,
    field,
    lessons,
    new_course,
    new_lesson,
    new_section,
    practise_in,
    sections,
    titles,
    trail,
)

TYPED = {
    "title": "Hamstrings",
    "summary": "The back of the thigh.",
    "needs": "A strap",
    "body_md": "Lie down.\n\n- Breathe.",
    "transcript_md": "And lift.",
    "slug": "hamstrings",
    "available_at": "2031-02-03T18:30",
}


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session, name="Leilani")
    await factories.sign_in(client, user)
    return user


@pytest.fixture
async def course(client: httpx.AsyncClient, teacher: User) -> str:
    """The address of a draft course in the studio."""
    return await new_course(client)


@pytest.fixture
async def section(client: httpx.AsyncClient, course: str) -> str:
    return await new_section(client, course)


async def film(**values: object) -> str:
    async with db.transaction() as session:
        return str((await factories.video(session, **values)).id)


async def test_a_course_without_sections_says_where_to_begin(client: httpx.AsyncClient, course: str) -> None:
    page = (await client.get(f"{course}/lessons/new")).text
    assert f'<a href="{course}#new-section">Add the first section</a>' in page
    assert "There is no video yet." in page


async def test_all_that_is_typed_about_a_lesson_is_kept(
    client: httpx.AsyncClient, course: str, section: str
) -> None:
    video = await film(title="Strap", duration_s=245.0)
    assert chosen((await client.get(f"{course}/lessons/new?section={section}")).text, "section_id") == section
    address = await new_lesson(client, course, section, **TYPED, video_id=video, is_free="true")
    (row,) = await lessons()
    assert (row.state, row.slug, row.is_free, str(row.video_id)) == ("draft", "hamstrings", True, video)
    page = (await client.get(f"{address}?did=create")).text
    assert "The draft is there. Publish it when it is ready." in words_of(page)
    assert {name: field(page, name) for name in TYPED} == TYPED
    assert (chosen(page, "section_id"), chosen(page, "video_id")) == (section, video)
    assert 'name="is_free" value="true" checked' in page
    assert "Strap (4:05)" in page
    assert (await trail())[-1] == "lesson.create"
    unticked = {**TYPED, "section_id": section, "video_id": ""}
    assert (await client.post(address, data=unticked)).status_code == 303
    (row,) = await lessons()
    assert (row.is_free, row.video_id) == (False, None)
    assert (await trail())[-1] == "lesson.edit"


async def test_a_lesson_leads_to_the_free_clips_of_its_film(
    client: httpx.AsyncClient, course: str, section: str
) -> None:
    ready, waits = await film(title="Strap", duration_s=245.0), await film(title="New", version=0)
    address = await new_lesson(client, course, section, **TYPED)
    link = re.compile(r'<a href="(/studio/videos/[^"]*/clips)">Make a free clip</a>')
    for video, leads in ((ready, [f"/studio/videos/{ready}/clips"]), (waits, []), ("", [])):
        await client.post(address, data={**TYPED, "section_id": section, "video_id": video})
        found = link.findall((await client.get(address)).text)
        assert found == leads, video
        for there in found:
            assert (await client.get(there)).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "at", "sentence"),
    [
        ({"title": "  "}, "title", "Give the lesson a title."),
        ({"title": "T" * 161}, "title", "This is too long by 1 character."),
        ({"summary": "s" * 700}, "summary", "This is too long by 100 characters."),
        ({"needs": "n" * 302}, "needs", "This is too long by 2 characters."),
        ({"body_md": "b" * 60_003}, "body_md", "This is too long by 3 characters."),
        ({"transcript_md": "t" * 60_003}, "transcript_md", "This is too long by 3 characters."),
        ({"slug": "-hips"}, "slug", "Use small letters, digits and single hyphens, like hip-rotators."),
        ({"slug": "taken"}, "slug", "Another page has this address already. Choose a different one."),
        ({"available_at": "tomorrow"}, "available_at", "Write the day and time like 2027-01-31 09:00."),
        (
            {"available_at": "2031-02-30T09:00"},
            "available_at",
            "Write the day and time like 2027-01-31 09:00.",
        ),
        (
            {"available_at": "20227-01-31T09:00"},
            "available_at",
            "Write the day and time like 2027-01-31 09:00.",
        ),
        ({"available_at": "9999-12-31T23:59"}, "available_at", "Choose a day between 2000 and 2099."),
        ({"available_at": "0001-01-01T00:00"}, "available_at", "Choose a day between 2000 and 2099."),
        ({"section_id": ""}, "section_id", "Choose one of the sections."),
        ({"section_id": "a section"}, "section_id", "Choose one of the sections."),
        ({"section_id": str(OTHER)}, "section_id", "Choose one of the sections."),
        ({"video_id": "film.mp4"}, "video_id", "Choose one of the videos."),
        ({"video_id": str(OTHER)}, "video_id", "This video has been removed. Choose another one."),
    ],
)
async def test_a_refused_lesson_keeps_what_was_typed_and_says_why_beside_the_field(
    client: httpx.AsyncClient, course: str, section: str, wrong: dict[str, str], at: str, sentence: str
) -> None:
    await practise_in("Pacific/Honolulu")
    await film()
    address = await new_lesson(client, course, section, title="Hips")
    await new_lesson(client, course, section, title="Taken")
    before, trail_before = await lessons(), await trail()
    for url in (f"{course}/lessons", address):
        sent = {**TYPED, "section_id": section, "is_free": "true", **wrong}
        answer = await client.post(url, data=sent)
        assert answer.status_code == 422, url
        assert error(answer.text, at) == sentence
        for name in TYPED:
            assert field(answer.text, name) == sent[name], name
        assert 'name="is_free" value="true" checked' in answer.text
    assert [(row.title, row.slug) for row in await lessons()] == [(row.title, row.slug) for row in before]
    assert await trail() == trail_before


async def test_several_faults_are_told_at_once(client: httpx.AsyncClient, course: str, section: str) -> None:
    wrong = {**TYPED, "title": "", "slug": "UP_", "available_at": "soon", "section_id": ""}
    page = (await client.post(f"{course}/lessons", data=wrong)).text
    for at in ("title", "slug", "available_at", "section_id"):
        assert error(page, at)


async def test_control_characters_do_not_reach_the_page(
    client: httpx.AsyncClient, course: str, section: str
) -> None:
    await new_lesson(
        client, course, section, title="Ham\x00strings\nlong", needs="A\x1b\nmat", body_md="a\x00\r\nb"
    )
    (row,) = await lessons()
    assert (row.title, row.needs, row.body_md, row.slug) == (
        "Hamstrings long",
        "A mat",
        "a\nb",
        "hamstrings-long",
    )


async def test_addresses_are_made_of_titles_and_stay(
    client: httpx.AsyncClient, course: str, section: str
) -> None:
    address = await new_lesson(client, course, section)
    await new_lesson(client, course, section)
    await new_lesson(client, course, section, title="股関節")
    assert [row.slug for row in await lessons()] == ["hamstrings", "hamstrings-2", "lesson"]
    await client.post(address, data={"title": "Thighs", "section_id": section, "slug": ""})
    assert (await lessons())[0].slug == "hamstrings"
    other = await new_course(client)
    await new_lesson(client, other, await new_section(client, other))
    assert sorted(row.slug for row in await lessons()).count("hamstrings") == 2, "each course has its own"


@pytest.mark.parametrize(
    ("zone", "typed", "instant"),
    [
        ("Pacific/Honolulu", "2031-02-03T18:30", datetime(2031, 2, 4, 4, 30, tzinfo=UTC)),
        ("Europe/Berlin", "2031-07-03T00:00", datetime(2031, 7, 2, 22, 0, tzinfo=UTC)),
        ("Europe/Berlin", "2031-01-03T00:00", datetime(2031, 1, 2, 23, 0, tzinfo=UTC)),
        ("UTC", "2031-01-03T00:00", datetime(2031, 1, 3, tzinfo=UTC)),
        ("Pacific/Honolulu", "2099-12-31T23:59", datetime(2100, 1, 1, 9, 59, tzinfo=UTC)),
        ("Asia/Tokyo", "2000-01-01T00:00", datetime(1999, 12, 31, 15, tzinfo=UTC)),
    ],
)
async def test_the_day_is_read_and_shown_as_the_clock_tells_it_at_the_practice(
    client: httpx.AsyncClient, course: str, section: str, zone: str, typed: str, instant: datetime
) -> None:
    await practise_in(zone)
    address = await new_lesson(client, course, section, available_at=typed)
    (row,) = await lessons()
    assert row.available_at == instant
    page = (await client.get(address)).text
    assert field(page, "available_at") == typed
    assert zone in page


async def test_a_scheduled_lesson_says_when_it_comes_out_and_is_not_out_before(
    client: httpx.AsyncClient, course: str, section: str
) -> None:
    await practise_in("Pacific/Honolulu")
    address = await new_lesson(
        client, course, section, available_at="2031-02-03T18:30", video_id=await film()
    )
    await client.post(f"{course}/do/publish")
    answer = await client.post(f"{address}/do/publish")
    page = words_of((await client.get(answer.headers["location"])).text)
    assert "Published: it comes out on 3 Feb 2031, 18:30, and is shown as coming until then." in page
    assert "Its course is still a draft, so nobody sees this lesson yet." in page
    await client.post(f"{course}/do/publish")
    assert "Out on 3 Feb 2031, 18:30" in words_of((await client.get(course)).text)
    assert "0 of 1" in words_of((await client.get("/studio/courses")).text)
    client.cookies.clear()
    assert "Out on 3 February 2031" in words_of((await client.get("/courses/lower-body/hamstrings")).text)


async def test_a_lesson_is_published_only_with_a_video_that_is_ready(
    client: httpx.AsyncClient, course: str, section: str
) -> None:
    address = await new_lesson(client, course, section)
    for video, sentence in (
        ("", "It needs a video."),
        (await film(state="encoding", version=0), "Its video is still being prepared."),
        (await film(state="failed", version=0), "Its video could not be prepared."),
    ):
        saved = await client.post(address, data={"title": "Hips", "section_id": section, "video_id": video})
        assert saved.status_code == 303
        assert chosen((await client.get(address)).text, "video_id") == video, "the form still shows it"
        refused = await client.post(f"{address}/do/publish")
        assert refused.status_code == 422
        assert sentence in words_of(refused.text)
    assert [row.state for row in await lessons()] == ["draft"]
    ready = await film(title="Ready")
    await client.post(address, data={"title": "Hips", "section_id": section, "video_id": ready})
    assert (await client.post(f"{address}/do/publish")).status_code == 303
    kept = await client.post(address, data={"title": "Hips", "section_id": section, "video_id": ""})
    assert error(kept.text, "video_id") == "A published lesson keeps a video that is ready."
    assert [str(row.video_id) for row in await lessons()] == [ready]


async def test_what_failed_is_offered_to_no_other_lesson(
    client: httpx.AsyncClient, course: str, section: str
) -> None:
    await film(title="Broken", state="failed", version=0)
    await film(title="Halfway", state="encoding", version=0)
    page = (await client.get(f"{course}/lessons/new")).text
    assert "Broken" not in page
    assert "Halfway (still being prepared)" in page


async def test_announce_publish_take_back_and_delete_leave_their_entries(
    client: httpx.AsyncClient, course: str, section: str
) -> None:
    address = await new_lesson(client, course, section, video_id=await film(title="Strap"))
    for deed, says in (
        ("announce", "visitors see it in the outline"),
        ("publish", "Published. Everybody can see it now."),
    ):
        answer = await client.post(f"{address}/do/{deed}")
        assert says in words_of((await client.get(answer.headers["location"])).text)
    refused = await client.post(f"{address}/do/delete")
    assert refused.status_code == 422
    assert "Take it back to draft first, then delete it." in words_of(refused.text)
    await client.post(f"{address}/do/unpublish")
    answer = await client.post(f"{address}/do/delete")
    assert "The lesson was deleted." in words_of((await client.get(answer.headers["location"])).text)
    assert await lessons() == []
    assert (await client.get(address)).status_code == 404
    assert "Strap" in (await client.get("/studio/videos")).text
    deeds = ["lesson.announce", "lesson.publish", "lesson.unpublish", "lesson.delete"]
    assert await trail() == ["course.create", "section.create", "lesson.create", *deeds]


async def test_lessons_move_within_their_section_and_on_into_the_next(
    client: httpx.AsyncClient, course: str, section: str
) -> None:
    deep = await new_section(client, course, "Deep")
    a, b = [await new_lesson(client, course, section, title=title) for title in ("A", "B")]
    await new_lesson(client, course, deep, title="C")
    entries = len(await trail())
    for lesson, way, order in (
        (b, "up", {"Outer muscles": ["B", "A"], "Deep": ["C"]}),
        (b, "up", {"Outer muscles": ["B", "A"], "Deep": ["C"]}),
        (a, "down", {"Outer muscles": ["B"], "Deep": ["A", "C"]}),
        (a, "down", {"Outer muscles": ["B"], "Deep": ["C", "A"]}),
        (a, "down", {"Outer muscles": ["B"], "Deep": ["C", "A"]}),
        (b, "down", {"Outer muscles": [], "Deep": ["B", "C", "A"]}),
        (b, "up", {"Outer muscles": ["B"], "Deep": ["C", "A"]}),
    ):
        answer = await client.post(f"{lesson}/do/{way}")
        assert answer.status_code == 303
        assert answer.headers["location"].endswith(f"#row-{lesson.rpartition('/')[2]}")
        assert await titles() == order
    assert (await trail())[entries:] == ["lesson.move"] * 5, "at the ends nothing moves"
    page = (await client.get(answer.headers["location"])).text
    assert "“B” is now in “Outer muscles”, lesson 1 of 1." in words_of(page)
    assert page.count('aria-disabled="true"') == 4, "Up of the first, Down of the last: section and lesson"


async def test_another_section_is_chosen_in_the_form_and_the_lesson_goes_to_its_end(
    client: httpx.AsyncClient, course: str, section: str
) -> None:
    deep = await new_section(client, course, "Deep")
    a = await new_lesson(client, course, section, title="A")
    await new_lesson(client, course, deep, title="C")
    await client.post(a, data={"title": "A", "section_id": deep})
    assert await titles() == {"Outer muscles": [], "Deep": ["C", "A"]}


async def test_a_section_deleted_in_another_tab_loses_nothing_that_was_typed(
    client: httpx.AsyncClient, course: str, section: str
) -> None:
    await new_section(client, course, "Deep")
    await client.post(f"{course}/sections/{section}/do/delete")
    answer = await client.post(f"{course}/lessons", data={**TYPED, "section_id": section})
    assert answer.status_code == 422
    assert error(answer.text, "section_id") == "Choose one of the sections."
    assert field(answer.text, "body_md") == TYPED["body_md"]
    assert [row.title for row in await sections()] == ["Deep"]


async def test_the_second_of_two_tabs_is_told_before_it_overwrites(
    client: httpx.AsyncClient, course: str, section: str
) -> None:
    await practise_in("Pacific/Honolulu")
    address = await new_lesson(client, course, section, **TYPED)
    sent = {**TYPED, "section_id": section, "seen": field((await client.get(address)).text, "seen")}
    assert (await client.post(address, data={**sent, "needs": "A chair"})).status_code == 303
    late = {**sent, "title": "Thighs"}
    answer = await client.post(address, data=late)
    assert answer.status_code == 422
    assert "This was changed after you opened it" in words_of(answer.text)
    assert field(answer.text, "title") == "Thighs"
    assert [(row.title, row.needs) for row in await lessons()] == [("Hamstrings", "A chair")]
    late["seen"] = field(answer.text, "seen")
    assert (await client.post(address, data=late)).status_code == 303
    assert [(row.title, row.needs) for row in await lessons()] == [("Thighs", "A strap")]


async def test_a_lesson_of_another_course_is_out_of_reach(
    client: httpx.AsyncClient, course: str, section: str
) -> None:
    lesson = (await new_lesson(client, course, section)).rpartition("/")[2]
    other = await new_course(client)
    await new_section(client, other)
    for path in ("", "/do/publish", "/do/delete", "/do/up"):
        sent = {"title": "Stolen", "section_id": section}
        assert (await client.post(f"{other}/lessons/{lesson}{path}", data=sent)).status_code == 404, path
    assert (await client.get(f"{other}/lessons/{lesson}")).status_code == 404
    assert [row.title for row in await lessons()] == ["Hamstrings"]


async def test_who_waits_is_counted_in_the_outline(
    client: httpx.AsyncClient, course: str, section: str
) -> None:
    soon = (utcnow() + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M")
    address = await new_lesson(client, course, section, available_at=soon)
    await client.post(f"{address}/do/announce")
    await client.post(f"{course}/do/publish")
    async with db.transaction() as session:
        member = await factories.user(session)
    studio = dict(client.cookies)
    # A member's own address needs no confirmation.
    await factories.sign_in(client, member)
    answer = await client.post("/courses/lower-body/hamstrings/reminder", data={"email": member.email})
    client.cookies.update(studio)
    assert answer.status_code < 400, answer.text
    page = words_of((await client.get(course)).text)
    assert "1 person waits" in page
    assert "Announced for " in page
