"""An hour of film, sought through while everything goes wrong once."""

import time
from collections.abc import Iterator

import pytest

from tests.web.player.stage import MEMBERS, Stage, log_in, staged
from tests.web.player.test_going_on import lose_the_session, play, seek, shows, tokens

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("player-hour")]

HOUR_S = 3600


@pytest.fixture
def hour(worker_database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(worker_database_url, tmp_path_factory.mktemp("stage"), HOUR_S, whole=True) as opened:
        yield opened


@pytest.mark.long
def test_an_hours_seeking_goes_through_renewal_rotation_an_ended_session_and_a_lost_network(
    hour: Stage,
) -> None:
    """Back, forth and over the whole film; each trouble comes in the middle of it, and no place is lost."""
    pattern = (1500, 300, 3300, 1050, 2400, 150, 1950, 3000, 600, 2700)
    with hour.page(hour.paid, who=MEMBERS[0], clock=True) as page:
        used = tokens(page)
        page.evaluate("() => { window.sameDocument = true; }")
        play(page)

        def wander() -> None:
            for second in pattern:
                seek(page, second)
                shows(page, second)

        wander()
        page.clock.fast_forward("04:30")
        wander()
        assert {token.split(".")[0] for token in used} == {"m1"}

        old = hour.server.environment["LIMBER_MEDIA_KEYS"]
        hour.server.stop()
        hour.server.environment["LIMBER_MEDIA_KEYS"] = "m2:" + "another-media-secret-" * 3 + "," + old
        hour.server.start()
        wander()
        page.clock.fast_forward("04:30")
        wander()
        assert used[-1].split(".")[0] == "m2"

        lose_the_session(page, 3420)
        other = page.context.new_page()
        log_in(other, MEMBERS[0])
        other.close()
        page.get_by_role("button", name="Go on").click()
        shows(page, 3420)
        wander()

        page.context.set_offline(True)
        seek(page, 3360)
        time.sleep(12)
        page.context.set_offline(False)
        shows(page, 3360)
        wander()
        assert page.evaluate("() => window.sameDocument")
        assert page.locator(".player-error").count() == 0
