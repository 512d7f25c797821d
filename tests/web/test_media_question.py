"""nginx's question, answered before uvicorn's parser sees it: only when it is one, and only with what is known."""

import time

import pytest
from sqlalchemy import delete

from app import db
from app.playback.models import Playback
from app.playback.standing import standing
from app.settings import get_settings
from app.web.media_question import QUESTION
from bench.front_door import IN_MEMORY, SHIPPED
from tests.playback.scene import device, sid_of, start
from tests.web.line import Line, question


def is_short(head: bytes) -> bool:
    """Whether it is the short answer, which lacks what the application says about keeping it."""
    return head.startswith(b"HTTP/1.1 204 ") and b"cache-control:" not in head.lower()


async def test_what_is_known_is_answered_at_once_and_what_is_not_by_the_application(line: Line) -> None:
    first, second = await line.ask(line.address), await line.ask(line.address)
    assert (first[0], second[0]) == (204, 204)
    assert [is_short(first[1]), is_short(second[1])] == [False, True]
    left = int(second[1].lower().partition(b"x-media-max-age: ")[2].split()[0])
    assert 280 <= left <= 300
    # The same connection goes on to be anybody's.
    await line.say(b"GET /healthz HTTP/1.1\r\nHost: limber.test\r\n\r\n")
    assert (await line.answer())[0] == 200
    assert is_short((await line.ask(line.address))[1])


async def test_our_nginx_is_told_beside_the_short_answer_and_nobody_else_is(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "short-edge-secret-" * 2
    monkeypatch.setenv("LIMBER_EDGE_KEY", key)
    get_settings.cache_clear()
    try:
        async with device() as browser:
            other = (await start(browser, line.scene.free))["playlist_url"].split("/")[2].split(".")[2]
        # The first whom it asks about; beside the answer all others are told who are looked up along.
        await line.say(question(line.address, key))
        assert other.encode() in (await line.answer())[1]
        standing.news.put((other, *line.address.split("/")[3:5]), time.monotonic())
        for said in (None, key[:-1]):
            await line.say(question(line.address, said))
            head = (await line.answer())[1]
            assert is_short(head)
            assert b"x-media-stands" not in head.lower()
        await line.say(question(line.address, key))
        head = (await line.answer())[1]
        assert is_short(head)
        assert f"/1:{other}\r\n".encode() in head
        assert b"x-media-keys: " in head
        # Told once; the line goes on.
        await line.say(question(line.address, key))
        assert b"x-media-stands" not in (await line.answer())[1].lower()
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()


async def test_nobody_is_let_in_whom_the_application_refuses(line: Line) -> None:
    await line.known()
    token, video, version = line.address.split("/")[2:5]
    for wrong in (
        line.address.replace(video, str(line.scene.paid.video_id)),
        line.address.replace(f"/{version}/", "/2/"),
        line.address.replace(token, token[:-1] + ("A" if token[-1] != "A" else "B")),
        line.address.replace("/media/", "/media//"),
        line.address + "/..",
        "",
    ):
        assert (await line.ask(wrong))[0] in (400, 403), wrong
    async with db.transaction() as session:
        await session.execute(delete(Playback).where(Playback.id == sid_of(line.address)))
    standing.forget()
    assert (await line.ask(line.address))[0] == 403


async def test_other_spellings_of_the_question_are_the_parsers(line: Line) -> None:
    await line.known()
    asked = question(line.address)
    for spelled in (
        asked.replace(b"X-Original-URI", b"x-original-uri"),
        asked.replace(b"Host:", b"Cookie: a=b\r\nHost:"),
        asked.replace(b"/media-auth", b"/media-auth?"),
    ):
        await line.say(spelled)
        status, head, _body = await line.answer()
        assert (status, is_short(head)) == (204, False), spelled


async def test_a_body_that_looks_like_a_question_is_none(line: Line) -> None:
    """It would be an answer too many on a connection that a proxy shares among people."""
    await line.known()
    body = question(line.address)
    head = b"POST /login HTTP/1.1\r\nHost: limber.test\r\nContent-Length: %d\r\n\r\n" % len(body)
    await line.say(head, body)
    status, told, _body = await line.answer()
    assert status >= 300
    assert not is_short(told)
    # Where the application answered before the body came, it is a body all the same.
    await line.say(head.replace(b"/login", b"/media-auth"), body)
    assert (await line.answer())[0] == 405
    await line.say(b"GET /healthz HTTP/1.1\r\nHost: limber.test\r\n\r\n")
    assert (await line.answer())[2].startswith(b"{")


async def test_a_head_that_goes_on_with_a_question_is_none(line: Line) -> None:
    await line.known()
    await line.say(b"GET /healthz HTTP/1.1\r\nHost: limber.test\r\nX-More: ", question(line.address))
    status, head, body = await line.answer()
    assert (status, is_short(head)) == (200, False)
    assert body.startswith(b"{")


async def test_several_questions_at_once_are_answered_in_their_order(line: Line) -> None:
    await line.known()
    other = line.address.replace("/1/", "/2/")
    await line.say(question(line.address) + question(other) + question(line.address))
    assert [(await line.answer())[0] for _ in range(3)] == [204, 403, 204]


def test_nginx_asks_in_just_these_words() -> None:
    """One more header in the configuration, and every question would take the long way."""
    both = (SHIPPED / "question.conf", SHIPPED / IN_MEMORY / "question.conf")
    lines = [line for one in both for line in one.read_text("utf-8").splitlines()]
    sent = [words.split()[1:] for words in lines if words.startswith("proxy_set_header")]
    assert [name for name, value in sent if value != '"";'] == ["X-Original-URI", "X-Limber-Edge"]
    asked = question("/media/" + "x" * 80 + "/master.m3u8")
    assert QUESTION.fullmatch(asked)
    assert QUESTION.fullmatch(asked.replace(b"Host:", b"X-Limber-Edge: " + b"k" * 40 + b"\r\nHost:"))
