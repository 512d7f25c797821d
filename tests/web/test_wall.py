"""The wall, as one table tested on every route: status, sentence and a safe way back for each of five viewers."""

import re
import time
from collections.abc import Iterator
from functools import cache
from html import unescape
from itertools import product
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import update

from app import db
from app.access.models import Entitlement
from app.accounts.models import User, UserSession
from app.accounts.permissions import Permission
from app.clock import utcnow
from app.playback import tokens
from app.playback.standing import standing
from app.playback.starting import media_ring
from app.settings import get_settings
from app.web.guard import cookie_name
from tests.conftest import application
from tests.routes import Walked, walk
from tests.web.viewers import ORIGIN, Scene, Visitor, Who, ask, build, entitled, sell, visitor
from tests.web.wall import (
    ACCEPTS,
    DOORS,
    ENDED,
    LOG_IN,
    MEMBERSHIP,
    SIGN_IN,
    THROUGH,
    WATCHED_BY,
    WATCHING,
    Caller,
    Met,
    assert_refused,
    expected,
)

PASSWORD = "three quiet hips"
TUS = {"Tus-Resumable": "1.0.0", "Accept": "*/*"}
UPLOADS = "/studio/uploads"
ENDS_SIGN_IN = {"/logout", "/account/sign-out-everywhere"}


@pytest.fixture
async def scene(client: httpx.AsyncClient) -> Scene:
    return await build()


@cache
def routes() -> tuple[Walked, ...]:
    return tuple(walk(application()))


def address(route: Walked, scene: Scene, visitor: Visitor) -> str:
    """The route's path with parts that lead somewhere, where that matters: a permission is asked before the rest."""
    parts = {
        "course_slug": scene.course.slug,
        "lesson_slug": scene.paid.slug,
        "lesson_id": scene.paid.id,
        "course_id": scene.course.id,
        "slug": scene.article_slug,
        "playback_id": visitor.playback_id,
        "deed": "publish",
        "version": 1,
        "name": "some.file",
        "rest": "some/file",
        "form": "rss",
        "turn": 1,
        "size": "400.avif",
        "kind": "articles",
        "number": 1,
    }

    def fill(found: re.Match[str]) -> str:
        name = found[1]
        assert name in parts or name.endswith("_id"), f"{route.path}: what stands for {name}?"
        return str(parts.get(name) or uuid4())

    return re.sub(r"\{(\w+)(?::\w+)?\}", fill, route.path)


def test_the_table_has_an_answer_for_every_permission_and_every_viewer() -> None:
    assert set(DOORS) == set(Permission)
    for row in (*DOORS.values(), WATCHING):
        assert set(row) == set(Who)


def test_the_walk_finds_bare_routes_too_and_nothing_stands_outside_it() -> None:
    walked = routes()
    paths = {route.path for route in walked}
    assert {
        "/media/{rest:path}",
        "/media-auth",
        UPLOADS,
        UPLOADS + "/{upload_id}",
        "/static/{name:path}",
    } <= paths
    assert paths >= WATCHED_BY
    assert all(route.methods and route.permission in DOORS for route in walked)
    # Everything that can answer is a route: a mounted application would have doors of its own.
    assert {type(route).__name__ for route in application().router.routes} <= {
        "_IncludedRouter",
        "APIRoute",
        "Route",
    }


@pytest.mark.parametrize("permission", list(Permission))
async def test_the_wall_stands_on_every_route(
    client: httpx.AsyncClient, scene: Scene, permission: Permission
) -> None:
    ours = [route for route in routes() if route.permission is permission]
    assert ours
    for who in Who:
        one = await visitor(who, scene)
        for turn, route in enumerate(ours):
            for method, caller in requests_of(route, who, turn):
                answer = await ask(client, scene, one, method, address(route, scene, one), ACCEPTS[caller])
                assert_as_the_table_says(route, one, caller, scene, answer)
                if route.path in ENDS_SIGN_IN:
                    await one.sign_in_again()


def requests_of(route: Walked, who: Who, turn: int) -> Iterator[tuple[str, Caller]]:
    """Every method, in shapes: all three for one viewer of each sort of answer; the others take turns, by route."""
    is_open = expected(route, who) is THROUGH and route.permission is Permission.PUBLIC
    in_all = route.path in WATCHED_BY or who is Who.ANONYMOUS or (who is Who.NOT_ENTITLED and not is_open)
    shapes = list(Caller) if in_all else [list(Caller)[turn % len(Caller)]]
    yield from product(sorted(route.methods), shapes)


def assert_as_the_table_says(
    route: Walked, one: Visitor, caller: Caller, scene: Scene, answer: httpx.Response
) -> None:
    met = expected(route, one.who)
    said = f"{answer.request.method} {answer.request.url} for {one.who}, {caller}: {answer.status_code}"
    if met.status == 0:
        # 503: what is not set up in a test (Stripe, a worker) says so.
        assert answer.status_code < 500 or answer.status_code == 503, said
        assert answer.status_code not in (401, 402, 403), said
    elif route.permission is Permission.MEDIA_TOKEN:
        assert answer.status_code == 403, said
        is_for_people = route.path != "/media-auth" and answer.request.method != "HEAD"
        assert answer.text == (SIGN_IN if is_for_people else ""), said
    elif route.permission is Permission.WEBHOOK_SIGNATURE:
        assert answer.status_code == met.status, said
    elif route.permission is Permission.SIGNED_LINK:
        assert (answer.status_code, met.sentence in unescape(answer.text)) == (met.status, True), said
    else:
        speaks = Caller.JSON if route.path.startswith(UPLOADS) and caller is Caller.HTML else caller
        is_page = speaks is Caller.HTML and answer.request.method == "GET"
        back = answer.request.url.path if is_page else scene.paid_url
        assert_refused(answer, met, speaks, back)
        if met.status == 401 and one.cookie:
            assert f'{cookie_name()}=""' in answer.headers["set-cookie"], said


LESSON_PAGE = {
    Who.ANONYMOUS: SIGN_IN,
    Who.EXPIRED: SIGN_IN,
    Who.NOT_ENTITLED: MEMBERSHIP,
    Who.ENDED: ENDED,
    Who.BANNED: SIGN_IN,
}


async def test_a_paid_lessons_page_is_there_for_everybody_without_its_film(
    client: httpx.AsyncClient, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sell(monkeypatch)
    for who, sentence in LESSON_PAGE.items():
        one = await visitor(who, scene)
        for caller in Caller:
            answer = await ask(client, scene, one, "GET", scene.paid_url, ACCEPTS[caller])
            page = unescape(answer.text)
            said = f"{who}, {caller}"
            assert answer.status_code == 200, said
            assert [one for one in {*LESSON_PAGE.values()} if one in page] == [sentence], said
            assert "data-lesson-id" not in page, said
            # Outline, poster, offer, the lesson that costs nothing, and the ways back to this one.
            back = quote(scene.paid_url, safe="")
            for shown in (
                "First steps",
                "Hamstrings",
                "Rotators",
                f"/posters/{scene.paid.id}.jpg?v=1",
                "$18.50",
                f'href="/courses/lower-body/{scene.free.slug}"',
                f'href="/plans?next={back}"',
            ):
                assert shown in page, said
            assert (f'href="/login?next={back}"' in page) is (WATCHING[who] is LOG_IN), said
        poster = await ask(client, scene, one, "GET", f"/posters/{scene.paid.id}.jpg?v=1")
        assert (poster.status_code, poster.content) == (200, b"\xff\xd8picture"), who


async def test_the_films_words_would_be_noticed(client: httpx.AsyncClient, scene: Scene) -> None:
    """The search for what leaks finds it where it is rightly told."""
    await entitled(client)
    page = await client.get(scene.paid_url)
    granted = await client.post(f"/lessons/{scene.paid.id}/playback")
    assert granted.status_code == 201
    for answer in (page, granted):
        with pytest.raises(AssertionError, match="tells"):
            scene.assert_untold(answer)


async def test_what_is_not_out_and_what_is_hidden_tell_nothing_either(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    for who in Who:
        one = await visitor(who, scene)
        if WATCHING[who] is not LOG_IN:
            # Someone who guessed the hidden lesson's id, and says that they watched it.
            place = {"position_s": 5, "duration_s": 20}
            cookie = {"Cookie": f"{cookie_name()}={one.cookie}"}
            saved = await client.post(f"/lessons/{scene.draft.id}/progress", json=place, headers=cookie)
            assert saved.status_code in (204, 404)
            await ask(client, scene, one, "GET", "/library")
        for method, path, status in (
            ("POST", f"/lessons/{scene.soon.id}/playback", 409),
            ("POST", f"/lessons/{scene.draft.id}/playback", 404),
            ("GET", f"/lessons/{scene.paid.id}/playback", 405),
            ("GET", f"/courses/lower-body/{scene.soon.slug}", 200),
            ("GET", f"/posters/{scene.draft.id}.jpg", 404),
            ("GET", f"/posters/{scene.paid.video_id}.jpg", 404),
            ("GET", "/sitemap.xml", 200),
            ("GET", "/feed.xml", 200),
            ("GET", "/courses?page=2", 200),
        ):
            answer = await ask(client, scene, one, method, path, ACCEPTS[Caller.JSON])
            assert answer.status_code == status, f"{path} for {who}"


async def test_nobody_learns_whether_an_id_is_a_films(client: httpx.AsyncClient, scene: Scene) -> None:
    for who in Who:
        one = await visitor(who, scene)
        cookie = {"Cookie": f"{cookie_name()}={one.cookie}"} if one.cookie else {}
        for path in (
            "/studio/videos/{}",
            "/studio/videos/{}/poster.jpg",
            "/studio/videos/{}/stream/1/master.m3u8",
            "/media/x/{}/1/master.m3u8",
            "/posters/{}.jpg",
        ):
            seen = []
            for video_id in (scene.paid.video_id, uuid4()):
                answer = await client.get(path.format(video_id), headers={**ACCEPTS[Caller.HTMX], **cookie})
                seen.append((answer.status_code, answer.text))
            assert seen[0] == seen[1], f"{path} for {who}"


# What each of the five gets from tus. The header that says so may be missing: the answer is the same.
UPLOAD = [
    ("POST", ""),
    ("OPTIONS", ""),
    *((m, "/{id}") for m in ("HEAD", "PATCH", "DELETE", "POST", "OPTIONS")),
]


async def test_uploads_answer_in_words_that_tus_clients_read(client: httpx.AsyncClient, scene: Scene) -> None:
    for who in Who:
        one = await visitor(who, scene)
        for (method, rest), headers in product(UPLOAD, (TUS, {"Accept": "*/*"})):
            path = UPLOADS + rest.format(id=uuid4())
            sent = {**headers, "Upload-Length": "5", "Upload-Offset": "0"}
            answer = await ask(client, scene, one, method, path, sent)
            assert_refused(answer, DOORS[Permission.STAFF][who], Caller.JSON, scene.paid_url)
            assert answer.headers["tus-resumable"] == "1.0.0"
            assert "location" not in answer.headers


async def test_an_event_stream_ends_before_it_begins(client: httpx.AsyncClient, scene: Scene) -> None:
    for who in Who:
        one = await visitor(who, scene)
        stream = {"Accept": "text/event-stream"}
        answer = await ask(client, scene, one, "GET", "/studio/videos/events", stream)
        assert_refused(answer, DOORS[Permission.STAFF][who], Caller.JSON, scene.paid_url)


def assert_closed(answer: httpx.Response) -> None:
    assert answer.status_code == 403, answer.request.url
    assert "no-store" in answer.headers["cache-control"]
    if answer.request.method == "GET":
        assert answer.text == SIGN_IN
        assert answer.headers["content-type"].startswith("text/plain")


async def test_media_without_a_valid_token_is_closed_whoever_asks(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    user = await entitled(client)
    paid = (await client.post(f"/lessons/{scene.paid.id}/playback")).json()["playlist_url"]
    free = (await client.post(f"/lessons/{scene.free.id}/playback")).json()["playlist_url"]
    token, video, version = paid.split("/")[2:5]
    verified = tokens.verify(media_ring(), token, video, version, time.time())
    assert verified is not None
    old = tokens.sign(media_ring(), verified.playback_id, UUID(video), 1, int(time.time()) - 1)
    unknown = tokens.sign(media_ring(), uuid4(), UUID(video), 1, int(time.time()) + 300)
    closed = [
        "/media/",
        "/media/some/thing",
        f"/media/{video}/1/master.m3u8",
        paid.replace(token, old),
        paid.replace(token, unknown),
        paid.replace(token, token[:-2] + ("AA" if token[-2:] != "AA" else "BB")),
        paid.replace(token, free.split("/")[2]),
        paid.replace("/1/master", "/2/master"),
    ]
    assert (await client.get(paid)).status_code == 200
    member = Visitor(Who.NOT_ENTITLED, user, client.cookies[cookie_name()], verified.playback_id)
    for one in (member, *[await visitor(who, scene) for who in Who]):
        client.cookies.clear()
        cookie = {"Cookie": f"{cookie_name()}={one.cookie}"} if one.cookie else {}
        for path in closed:
            for method in ("GET", "HEAD"):
                for caller in Caller:
                    headers = {**ACCEPTS[caller], **cookie}
                    assert_closed(await client.request(method, path, headers=headers))


async def test_a_token_closes_with_what_it_was_given_for(client: httpx.AsyncClient, scene: Scene) -> None:
    now = utcnow()
    ends: list[tuple[type[Any], dict[str, Any], int]] = [
        (Entitlement, {"ends_at": now}, 402),
        (Entitlement, {"revoked_at": now}, 402),
        (UserSession, {"expires_at": now}, 401),
        (UserSession, {"revoked_at": now}, 401),
        (User, {"banned_at": now}, 401),
    ]
    for table, values, status in ends:
        user = await entitled(client)
        answer = await client.post(f"/lessons/{scene.paid.id}/playback")
        playlist, renewal = answer.json()["playlist_url"], answer.json()["renew_url"]
        assert (await client.get(playlist)).status_code == 200
        owner = table.id if table is User else table.user_id
        async with db.transaction() as session:
            await session.execute(update(table).where(owner == user.id).values(**values))
        standing.forget()
        assert_closed(await client.get(playlist))
        grant = {"grant": answer.json()["grant"]}
        refused = await client.post(renewal, json=grant, headers=ACCEPTS[Caller.JSON])
        assert refused.status_code == status, values
        scene.assert_untold(refused)


def test_the_sentences_of_the_table_are_the_issues() -> None:
    assert Met(401, "Please log in to watch the paid videos.") == LOG_IN
    assert get_settings().base_url == ORIGIN
