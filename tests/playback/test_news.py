"""What nginx was not told yet: each once, while it is young, and no more than an answer has room for."""

import time

from app.playback.news import ROOM, News

FILM = "0b5b1f6e-0000-4000-8000-00000000000{}"


def viewing(number: int, film: str = FILM.format(0)) -> tuple[str, str, str]:
    return f"{number:022}", film, "1"


def test_each_is_told_once_the_longest_waiting_first() -> None:
    news, now = News(6), time.monotonic()
    for number in (1, 2, 1):
        news.put(viewing(number), now)
    news.put(viewing(3, FILM.format(1)), now)
    assert news.take() == {
        f"{FILM.format(0)}/1": [f"{2:022}", f"{1:022}"],
        f"{FILM.format(1)}/1": [f"{3:022}"],
    }
    assert news.take() == {}


def test_who_stands_no_longer_and_what_is_old_is_not_told() -> None:
    news, now = News(6), time.monotonic()
    news.put(viewing(1), now - 7)
    news.put(viewing(2), now - 5)
    news.put(viewing(3), now)
    news.drop(viewing(3))
    assert news.take() == {f"{FILM.format(0)}/1": [f"{2:022}"]}


def test_what_nobody_comes_for_is_not_kept() -> None:
    news = News(6)
    for second in range(100):
        news.put(viewing(second), float(second))
    assert len(news) == 6


def test_an_answer_has_room_for_so_many_and_the_next_for_others() -> None:
    news, now = News(6), time.monotonic()
    for number in range(2_000):
        news.put(viewing(number, f"{number:036}"), now)
    told: list[str] = []
    while films := news.take():
        head = ";".join(f"{film}:{','.join(sids)}" for film, sids in films.items())
        assert len(head) < ROOM + 100
        told += [sid for sids in films.values() for sid in sids]
    assert told == [f"{number:022}" for number in range(2_000)]
