"""The studio's courses and their outline: written, arranged, published and deleted, and who may not."""

import httpx
import pytest

from app import db
from app.accounts.models import User
from app.catalog.models import Course
from tests import factories
from tests.articles.forms import words_of
from tests.web.studio_course import (
    COURSE,
    ID,
    OTHER,
    courses,
    error,
    field,
    lessons,
    new_course,
    new_lesson,
    new_section,
    sections,
    titles,
    trail,
)

PAGES = [
    "/studio/courses",
    "/studio/courses/new",
    f"/studio/courses/{ID}",
    f"/studio/courses/{ID}/lessons/new",
    f"/studio/courses/{ID}/lessons/{OTHER}",
]
POSTS = [
    "/studio/courses",
    f"/studio/courses/{ID}",
    *(
        f"/studio/courses/{ID}/do/{deed}"
        for deed in ("publish", "unpublish", "delete", "up", "down", "paint")
    ),
    f"/studio/courses/{ID}/sections",
    f"/studio/courses/{ID}/sections/{OTHER}",
    *(f"/studio/courses/{ID}/sections/{OTHER}/do/{deed}" for deed in ("up", "down", "delete", "paint")),
    f"/studio/courses/{ID}/lessons",
    f"/studio/courses/{ID}/lessons/{OTHER}",
    *(
        f"/studio/courses/{ID}/lessons/{OTHER}/do/{deed}"
        for deed in ("publish", "announce", "unpublish", "delete", "up", "down", "paint")
    ),
]


@pytest.fixture
async def teacher(client: httpx.AsyncClient) -> User:
    async with db.transaction() as session:
        user = await factories.staff(session, name="Leilani")
    await factories.sign_in(client, user)
    return user


@pytest.mark.parametrize(
    ("method", "path"), [*(("GET", path) for path in PAGES), *(("POST", path) for path in POSTS)]
)
async def test_visitors_are_asked_to_sign_in_and_members_refused(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    assert (await client.request(method, path)).status_code == 401
    async with db.transaction() as session:
        await factories.course(session, id=ID, slug="here")
        member = await factories.user(session)
    await factories.sign_in(client, member)
    data = {**COURSE, "title": "Mine"} if method == "POST" else None
    assert (await client.request(method, path, data=data)).status_code == 403
    assert [(row.slug, row.state) for row in await courses()] == [("here", "published")]
    assert await trail() == []


@pytest.mark.parametrize("path", [*PAGES[2:], *POSTS[1:]])
async def test_what_is_not_there_is_not_found(client: httpx.AsyncClient, teacher: User, path: str) -> None:
    method = "GET" if path in PAGES[2:] and path not in POSTS else "POST"
    answer = await client.request(method, path, data={"title": "Words"} if method == "POST" else None)
    assert answer.status_code == 404
    assert await trail() == []


async def test_an_empty_list_names_the_next_step(client: httpx.AsyncClient, teacher: User) -> None:
    page = (await client.get("/studio/courses")).text
    assert "No courses yet" in page
    assert page.count('href="/studio/courses/new"') == 1


async def test_a_new_course_is_a_draft_that_visitors_do_not_find(
    client: httpx.AsyncClient, teacher: User
) -> None:
    address = await new_course(client)
    (row,) = await courses()
    assert (row.slug, row.state, row.title, row.published_at) == ("lower-body", "draft", "Lower body", None)
    page = (await client.get(f"{address}?did=create")).text
    assert "The draft is there. Add sections and lessons, then publish it." in words_of(page)
    assert (field(page, "title"), field(page, "summary")) == (COURSE["title"], COURSE["summary"])
    assert field(page, "body_md") == COURSE["body_md"]
    assert await trail() == ["course.create"]
    client.cookies.clear()
    assert (await client.get("/courses/lower-body")).status_code == 404


@pytest.mark.parametrize(
    ("wrong", "at", "sentence"),
    [
        ({"title": ""}, "title", "Give the course a title."),
        ({"title": " \t\x07 "}, "title", "Give the course a title."),
        ({"title": "T" * 163}, "title", "This is too long by 3 characters."),
        ({"summary": "s" * 601}, "summary", "This is too long by 1 character."),
        ({"body_md": "b" * 60_002}, "body_md", "This is too long by 2 characters."),
        ({"slug": "Lower_Body"}, "slug", "Use small letters, digits and single hyphens, like hip-rotators."),
        ({"slug": "a/../b"}, "slug", "Use small letters, digits and single hyphens, like hip-rotators."),
        ({"slug": "x" * 81}, "slug", "Use small letters, digits and single hyphens, like hip-rotators."),
        ({"slug": "taken"}, "slug", "Another page has this address already. Choose a different one."),
    ],
)
async def test_a_refused_course_keeps_what_was_typed_and_says_why_beside_the_field(
    client: httpx.AsyncClient, teacher: User, wrong: dict[str, str], at: str, sentence: str
) -> None:
    async with db.transaction() as session:
        await factories.course(session, slug="taken", position=-1)
    address = await new_course(client)
    for url in ("/studio/courses", address):
        answer = await client.post(url, data={**COURSE, **wrong})
        assert answer.status_code == 422, url
        assert error(answer.text, at) == sentence
        assert f'<a href="#{at}">{sentence}</a>' in answer.text
        for name, value in {**COURSE, **wrong}.items():
            assert field(answer.text, name) == value, (url, name)
    assert [row.slug for row in await courses()] == ["taken", "lower-body"]
    assert await trail() == ["course.create"]


async def test_control_characters_do_not_reach_the_page(client: httpx.AsyncClient, teacher: User) -> None:
    await new_course(client, title="Lower\x00\x1b\nbody", summary="One\x00\r\ntwo", body_md="a\x07\r\n\r\nb")
    (row,) = await courses()
    assert (row.title, row.summary, row.body_md) == ("Lower body", "One\ntwo", "a\n\nb")


async def test_the_same_title_twice_gets_another_address(client: httpx.AsyncClient, teacher: User) -> None:
    for _n in range(3):
        await new_course(client)
    assert [row.slug for row in await courses()] == ["lower-body", "lower-body-2", "lower-body-3"]


async def test_the_address_stays_when_the_title_changes_and_changes_when_it_is_typed(
    client: httpx.AsyncClient, teacher: User
) -> None:
    address = await new_course(client)
    await client.post(address, data={**COURSE, "title": "Legs", "slug": ""})
    assert [(row.slug, row.title) for row in await courses()] == [("lower-body", "Legs")]
    answer = await client.post(address, data={**COURSE, "title": "Legs", "slug": " Legs "})
    assert answer.status_code == 303
    assert [row.slug for row in await courses()] == ["legs"]
    assert (await client.get("/courses/legs")).status_code == 200, "staff see drafts"
    assert (await client.get("/courses/lower-body")).status_code == 404
    assert await trail() == ["course.create", "course.edit", "course.edit"]


async def test_the_second_of_two_tabs_is_told_before_it_overwrites(
    client: httpx.AsyncClient, teacher: User
) -> None:
    address = await new_course(client)
    seen = field((await client.get(address)).text, "seen")
    first = {**COURSE, "slug": "lower-body", "seen": seen, "summary": "From the first tab."}
    assert (await client.post(address, data=first)).status_code == 303
    second = {**first, "summary": "From the second tab."}
    answer = await client.post(address, data=second)
    assert answer.status_code == 422
    assert "This was changed after you opened it" in words_of(answer.text)
    assert field(answer.text, "summary") == "From the second tab."
    assert [row.summary for row in await courses()] == ["From the first tab."]
    again = {**second, "seen": field(answer.text, "seen")}
    assert (await client.post(address, data=again)).status_code == 303
    assert [row.summary for row in await courses()] == ["From the second tab."]
    assert (await client.post(address, data=second)).status_code == 303, "the same words twice are no quarrel"
    assert await trail() == ["course.create", *["course.edit"] * 3]


async def test_publishing_names_all_that_is_missing(client: httpx.AsyncClient, teacher: User) -> None:
    address = await new_course(client, summary="")
    answer = await client.post(f"{address}/do/publish")
    assert answer.status_code == 422
    page = words_of(answer.text)
    assert "It needs a summary" in page
    assert "It needs at least one lesson that is published or announced." in page
    assert [row.state for row in await courses()] == ["draft"]
    assert await trail() == ["course.create"]


async def test_publish_take_back_and_publish_again_keep_the_first_day(
    client: httpx.AsyncClient, teacher: User
) -> None:
    address = await new_course(client)
    lesson = await new_lesson(client, address, await new_section(client, address))
    await client.post(f"{lesson}/do/announce")
    assert (await client.post(f"{address}/do/publish")).status_code == 303
    (row,) = await courses()
    first = row.published_at
    assert first is not None
    answer = await client.post(address, data={**COURSE, "summary": " "})
    assert error(answer.text, "summary") == "A published course keeps its summary."
    refused = await client.post(f"{address}/do/delete")
    assert refused.status_code == 422
    assert "Take it back to draft first" in words_of(refused.text)
    await client.post(f"{lesson}/do/unpublish")
    assert "visitors find it empty" in words_of((await client.get(address)).text)
    await client.post(f"{address}/do/unpublish")
    await client.post(f"{lesson}/do/announce")
    await client.post(f"{address}/do/publish")
    (row,) = await courses()
    assert (row.state, row.published_at) == ("published", first)
    assert (await trail())[3:] == [
        "lesson.announce",
        "course.publish",
        "lesson.unpublish",
        "course.unpublish",
        "lesson.announce",
        "course.publish",
    ]


async def test_a_deleted_course_takes_its_lessons_along_and_leaves_the_video(
    client: httpx.AsyncClient, teacher: User
) -> None:
    async with db.transaction() as session:
        video = await factories.video(session, title="Strap")
    address = await new_course(client)
    await new_lesson(client, address, await new_section(client, address), video_id=str(video.id))
    answer = await client.post(f"{address}/do/delete")
    assert (answer.status_code, answer.headers["location"]) == (303, "/studio/courses?did=delete")
    assert "The course was deleted." in (await client.get(answer.headers["location"])).text
    assert (await courses(), await sections(), await lessons()) == ([], [], [])
    assert "Strap" in (await client.get("/studio/videos")).text
    assert (await trail())[-1] == "course.delete"
    assert (await client.get(address)).status_code == 404


async def test_courses_are_moved_and_the_ends_hold_them(client: httpx.AsyncClient, teacher: User) -> None:
    first, _second, third = [await new_course(client, title=title) for title in ("A", "B", "C")]

    async def order() -> list[str]:
        return [row.title for row in await courses()]

    await client.post(f"{third}/do/up")
    assert await order() == ["A", "C", "B"]
    await client.post(f"{first}/do/down")
    assert await order() == ["C", "A", "B"]
    before = await trail()
    assert before[3:] == ["course.move", "course.move"]
    await client.post(f"{third}/do/up")
    assert (await order(), await trail()) == (["C", "A", "B"], before), "at the top nothing moves"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("  ", "Give the section a title."), ("S" * 161, "Keep the title to 160 characters.")],
)
async def test_a_refused_section_keeps_what_was_typed_and_says_why_beside_the_field(
    client: httpx.AsyncClient, teacher: User, typed: str, sentence: str
) -> None:
    address = await new_course(client)
    section = await new_section(client, address)
    for url, at in (
        (f"{address}/sections", "new-section"),
        (f"{address}/sections/{section}", f"section-{section}"),
    ):
        answer = await client.post(url, data={"title": typed})
        assert answer.status_code == 422
        assert error(answer.text, at) == sentence
        assert f'id="{at}" name="title" value="{typed}"' in answer.text
    assert [row.title for row in await sections()] == ["Outer muscles"]


async def test_sections_are_added_renamed_moved_and_deleted_while_empty(
    client: httpx.AsyncClient, teacher: User
) -> None:
    address = await new_course(client)
    outer, deep = [await new_section(client, address, title) for title in ("Outer", "Deep")]
    await client.post(f"{address}/sections/{outer}", data={"title": " The\x00 outer\n ones "})
    await client.post(f"{address}/sections/{outer}/do/up")
    answer = await client.post(f"{address}/sections/{deep}/do/up")
    assert list(await titles()) == ["Deep", "The outer ones"]
    assert answer.headers["location"].endswith(f"#row-{deep}")
    page = (await client.get(answer.headers["location"])).text
    assert "“Deep” is now section 1 of 2." in words_of(page)
    await new_lesson(client, address, outer)
    refused = await client.post(f"{address}/sections/{outer}/do/delete")
    assert refused.status_code == 422
    assert "still holds lessons" in words_of(refused.text)
    await client.post(f"{address}/sections/{deep}/do/delete")
    assert await titles() == {"The outer ones": ["Hamstrings"]}
    assert await trail() == [
        "course.create",
        "section.create",
        "section.create",
        "section.rename",
        "section.move",
        "lesson.create",
        "section.delete",
    ]


async def test_a_section_of_another_course_is_out_of_reach(client: httpx.AsyncClient, teacher: User) -> None:
    mine, other = await new_course(client), await new_course(client)
    section = await new_section(client, other)
    for path in ("", "/do/up", "/do/delete"):
        answer = await client.post(f"{mine}/sections/{section}{path}", data={"title": "Stolen"})
        assert answer.status_code == 404, path
    assert [row.title for row in await sections()] == ["Outer muscles"]


async def test_the_trail_tells_each_deed_in_words(client: httpx.AsyncClient, teacher: User) -> None:
    address = await new_course(client)
    await new_section(client, address, "Outer")
    section = await new_section(client, address, "Deep")
    await client.post(f"{address}/sections/{section}/do/up")
    lesson = await new_lesson(client, address, section)
    await client.post(f"{lesson}/do/down")
    page = (await client.get("/studio/activity")).text
    words = words_of(page)
    for sentence in (
        "began the course “Lower body”",
        "moved the section “Deep”",
        "moved the lesson “Hamstrings”",
    ):
        assert f"Leilani {sentence}" in words
    assert f'href="{lesson}"' in page


async def test_two_courses_made_at_once_do_not_share_an_address(
    client: httpx.AsyncClient, teacher: User
) -> None:
    async with db.transaction() as session:
        # Another request has written the address but not committed: ours sees it only when it writes.
        session.add(Course(slug="lower-body", title="First", position=5))
        await session.flush()
        slugs = [row.slug for row in await courses()]
    assert slugs == []
    assert await new_course(client)
    assert sorted(row.slug for row in await courses()) == ["lower-body", "lower-body-2"]
