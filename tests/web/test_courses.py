"""Course, lesson and library pages: who sees the player, who the wall, and what no page may tell."""

from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select, update

from app import db
from app.accounts.models import User
from app.articles.rules import THROTTLE_LIMIT
from app.catalog.models import Course, Lesson, Section
from app.clock import utcnow
from app.playback.models import Progress
from app.settings import get_settings
from app.video.models import Video
from app.waiting.models import Waiting
from tests import factories
from tests.articles.forms import stamp

SENTENCE = "Please log in to watch the paid videos."


@dataclass
class Site:
    course: Course
    section: Section
    free: Lesson
    paid: Lesson
    soon: Lesson
    draft: Lesson
    videos: list[Video]

    @property
    def paid_url(self) -> str:
        return f"/courses/{self.course.slug}/{self.paid.slug}"

    @property
    def soon_url(self) -> str:
        return f"/courses/{self.course.slug}/{self.soon.slug}"


@pytest.fixture
async def site(client: httpx.AsyncClient) -> Site:
    async with db.transaction() as session:
        course = await factories.course(session, slug="lower-body", title="The lower body")
        section = await factories.section(session, course, title="Outer muscles")
        free = await factories.lesson(session, section, title="First steps", is_free=True, position=0)
        paid = await factories.lesson(
            session,
            section,
            title="Hamstrings",
            position=1,
            needs="A strap",
            transcript_md="Only for members.",
        )
        soon = await factories.lesson(
            session, section, title="Deep rotators", position=2, state="announced", video_id=None
        )
        draft = await factories.lesson(session, section, title="Secret plans", position=3, state="draft")
        videos = list(await session.scalars(select(Video)))
    return Site(course, section, free, paid, soon, draft, videos)


async def member(client: httpx.AsyncClient, **entitlement: object) -> User:
    async with db.transaction() as session:
        user = await factories.user(session)
        if entitlement:
            await factories.entitlement(session, user, **entitlement)
    await factories.sign_in(client, user)
    return user


def assert_tells_no_video(site: Site, answer: httpx.Response) -> None:
    said = answer.text + str(answer.headers)
    for video in site.videos:
        assert str(video.id) not in said
        assert video.id.hex not in said
    for word in ("/media/", ".m3u8", "film.mp4", "sources/"):
        assert word not in said


async def test_anonymous_meets_the_wall_with_three_ways_on(client: httpx.AsyncClient, site: Site) -> None:
    answer = await client.get(site.paid_url)
    assert answer.status_code == 200
    assert SENTENCE in answer.text
    assert "/login?next=%2Fcourses%2Flower-body%2F" in answer.text
    assert f'href="/courses/lower-body/{site.free.slug}"' in answer.text
    assert "A strap" in answer.text
    assert "Deep rotators" in answer.text
    assert "Secret plans" not in answer.text
    assert "data-lesson-id" not in answer.text
    assert "Only for members." not in answer.text
    assert_tells_no_video(site, answer)


@pytest.mark.parametrize("entitled", [False, True])
async def test_no_page_tells_which_video_it_is(client: httpx.AsyncClient, site: Site, entitled: bool) -> None:
    if entitled:
        await member(client, course_id=None)
    for url in ("/courses", "/courses/lower-body", site.paid_url, site.soon_url, "/library"):
        assert_tells_no_video(site, await client.get(url))


async def test_a_free_lesson_plays_without_signing_in(client: httpx.AsyncClient, site: Site) -> None:
    answer = await client.get(f"/courses/lower-body/{site.free.slug}")
    assert f'data-lesson-id="{site.free.id}"' in answer.text
    assert 'data-progress-url=""' in answer.text
    assert SENTENCE not in answer.text.replace("&#34;", "").split("data-words")[0]


async def test_a_member_without_entitlement_is_told_about_the_membership(
    client: httpx.AsyncClient, site: Site
) -> None:
    await member(client)
    answer = await client.get(site.paid_url)
    assert answer.status_code == 200
    assert "This lesson is part of the membership." in answer.text
    assert "data-lesson-id" not in answer.text
    assert "/login?next=" not in answer.text


async def test_a_member_whose_entitlement_ended_is_told_so(client: httpx.AsyncClient, site: Site) -> None:
    await member(client, ends_at=utcnow() - timedelta(hours=1))
    answer = await client.get(site.paid_url)
    assert "Your membership has ended." in answer.text
    assert "data-lesson-id" not in answer.text


async def test_an_entitled_member_gets_player_transcript_and_next_lesson(
    client: httpx.AsyncClient, site: Site
) -> None:
    await member(client, course_id=site.course.id)
    answer = await client.get(site.paid_url)
    assert f'data-lesson-id="{site.paid.id}"' in answer.text
    assert "Only for members." in answer.text
    assert answer.headers["cache-control"] == "private, no-store"
    first = await client.get(f"/courses/lower-body/{site.free.slug}")
    assert f'class="next-lesson" href="{site.paid_url}"' in first.text


async def test_drafts_are_for_staff_alone_and_marked(client: httpx.AsyncClient, site: Site) -> None:
    url = f"/courses/lower-body/{site.draft.slug}"
    assert (await client.get(url)).status_code == 404
    await member(client, course_id=None)
    assert (await client.get(url)).status_code == 404
    async with db.transaction() as session:
        teacher = await factories.staff(session)
    await factories.sign_in(client, teacher)
    preview = await client.get(url)
    assert preview.status_code == 200
    assert "A preview: only staff can see this page." in preview.text
    assert f'data-lesson-id="{site.draft.id}"' in preview.text


async def test_a_draft_course_hides_everything_below_it(client: httpx.AsyncClient, site: Site) -> None:
    async with db.transaction() as session:
        await session.execute(update(Course).values(state="draft"))
    assert "The lower body" not in (await client.get("/courses")).text
    for url in ("/courses/lower-body", site.paid_url, f"/posters/{site.free.id}.jpg"):
        assert (await client.get(url)).status_code == 404
    answer = await client.post(f"/lessons/{site.free.id}/playback", headers={"Accept": "application/json"})
    assert answer.status_code == 404


async def test_a_scheduled_lesson_shows_its_day_and_no_player(client: httpx.AsyncClient, site: Site) -> None:
    later = utcnow() + timedelta(days=9)
    async with db.transaction() as session:
        await session.execute(update(Lesson).where(Lesson.id == site.paid.id).values(available_at=later))
    await member(client, course_id=None)
    answer = await client.get(site.paid_url)
    assert "This lesson is not out yet." in answer.text
    assert f"Out on {later.day} {later:%B %Y}" in answer.text
    assert "data-lesson-id" not in answer.text
    refused = await client.post(f"/lessons/{site.paid.id}/playback", headers={"Accept": "application/json"})
    assert refused.status_code == 409


async def remind(client: httpx.AsyncClient, site: Site, email: str) -> httpx.Response:
    form = {"email": email, "stamp": stamp(f"wait:{site.soon.id}")}
    return await client.post(site.soon_url + "/reminder", data=form)


async def test_tell_me_when_it_is_out_answers_alike_for_known_and_new(
    client: httpx.AsyncClient, site: Site
) -> None:
    first = await remind(client, site, " Ana@Example.com ")
    again = await remind(client, site, "ana@example.com")
    assert (first.status_code, first.headers["location"]) == (303, f"{site.soon_url}?told=1#reminder")
    assert (again.status_code, again.headers["location"]) == (303, first.headers["location"])
    assert "Thank you." in (await client.get(site.soon_url + "?told=1")).text
    async with db.transaction() as session:
        assert list(await session.scalars(select(Waiting.email))) == ["ana@example.com"]


async def test_a_wrong_address_gets_a_sentence_and_stays_in_the_field(
    client: httpx.AsyncClient, site: Site
) -> None:
    answer = await remind(client, site, "ana@@example")
    assert answer.status_code == 422
    assert 'value="ana@@example"' in answer.text
    assert f'id="wait-error-{site.soon.id}"' in answer.text


async def test_reminders_are_slowed_down_and_refused_where_nothing_is_awaited(
    client: httpx.AsyncClient, site: Site
) -> None:
    out = await client.post(site.paid_url + "/reminder", data={"email": "a@example.com"})
    assert (out.status_code, out.headers["location"]) == (303, site.paid_url)
    hidden = f"/courses/lower-body/{site.draft.slug}/reminder"
    assert (await client.post(hidden, data={"email": "a@example.com"})).status_code == 404
    for n in range(THROTTLE_LIMIT):
        await remind(client, site, f"a{n}@example.com")
    late = await remind(client, site, "late@example.com")
    assert late.status_code == 429
    async with db.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(Waiting)) == THROTTLE_LIMIT


async def test_the_library_begins_where_the_member_stopped(client: httpx.AsyncClient, site: Site) -> None:
    user = await member(client, course_id=None)
    async with db.transaction() as session:
        session.add(Progress(user_id=user.id, lesson_id=site.paid.id, position_s=12.0))
        session.add(Progress(user_id=user.id, lesson_id=site.free.id, position_s=0.0, finished_at=utcnow()))
    answer = await client.get("/library")
    assert answer.status_code == 200
    assert "Go on where you stopped" in answer.text
    assert f'<a href="{site.paid_url}">Hamstrings</a>' in answer.text
    assert 'value="50"' in answer.text
    assert "1 of 2 lessons watched" in answer.text
    course = await client.get("/courses/lower-body")
    assert "Go on: Hamstrings" in course.text
    assert "Watched" in course.text


async def test_lessons_are_counted_alike_wherever_a_course_is_named(
    client: httpx.AsyncClient, site: Site
) -> None:
    """Two are out; the third is announced, and nobody can watch it yet."""
    for path in ("/", "/courses", "/courses/lower-body"):
        page = (await client.get(path)).text
        assert "2 lessons" in page, path
        assert "3 lessons" not in page, path
    await member(client, course_id=None)
    assert "2 lessons" in (await client.get("/library")).text


async def test_the_library_needs_a_sign_in_and_leads_back(client: httpx.AsyncClient, site: Site) -> None:
    answer = await client.get("/library")
    assert answer.status_code == 401
    assert SENTENCE in answer.text
    assert '<input type="hidden" name="next" value="/library">' in answer.text


async def test_posters_are_public_for_lessons_in_sight_and_nothing_else(
    client: httpx.AsyncClient, site: Site
) -> None:
    assert site.paid.video_id
    for lesson in (site.paid, site.draft):
        folder = get_settings().media_dir / "videos" / str(lesson.video_id) / "1"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "poster.jpg").write_bytes(b"\xff\xd8large")
        (folder / "poster-small.jpg").write_bytes(b"\xff\xd8small")
    large = await client.get(f"/posters/{site.paid.id}.jpg?v=1")
    assert (large.status_code, large.content) == (200, b"\xff\xd8large")
    assert large.headers["cache-control"] == "public, max-age=86400"
    assert large.headers["content-type"] == "image/jpeg"
    assert (await client.get(f"/posters/{site.paid.id}-small.jpg")).content == b"\xff\xd8small"
    for path in (
        f"{site.draft.id}.jpg",
        f"{site.soon.id}.jpg",
        f"{site.paid.video_id}.jpg",
        "x.jpg",
        "..jpg",
    ):
        assert (await client.get(f"/posters/{path}")).status_code == 404
    async with db.transaction() as session:
        teacher = await factories.staff(session)
    await factories.sign_in(client, teacher)
    preview = await client.get(f"/posters/{site.draft.id}.jpg")
    assert (preview.status_code, preview.headers["cache-control"]) == (200, "private, max-age=86400")
