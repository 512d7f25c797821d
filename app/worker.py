"""The worker process: starts the durable-work engine, registers every handler, and keeps its heartbeat."""

import asyncio
import logging
import os
import signal
from typing import Any

from app import db, i18n, mail
from app.billing import notice_letters
from app.clock import use_zone
from app.jobs import engine, lifeline
from app.practice.queries import language, letterhead
from app.settings import get_settings

log = logging.getLogger("limber.worker")
DRAIN_S = 5


@engine.step(tries=8, first_wait_s=5.0)
async def _deliver(template: str, to: str, context: dict[str, Any], cause: str | None = None) -> None:
    async with db.transaction() as session:
        if cause is not None and await notice_letters.is_withdrawn(session, cause):
            log.info("the mail %s is not true any more and is not sent", cause)
            return
        site_name, locale, zone = await letterhead(session)
        use_zone(zone)
        i18n.use_locale(locale)
    await mail.deliver(mail.render(template, to, context, site_name))


@engine.workflow("send_mail")
async def send_mail(template: str, to: str, context: dict[str, Any], cause: str | None = None) -> None:
    """One mail; its workflow id is its cause, so that one cause sends one mail.

    With `cause`, a notice about money: not sent when it was withdrawn while it waited.
    """
    await _deliver(template, to, context, cause)


def register_handlers() -> None:
    """Import every module that declares workflows, steps or schedules."""
    import app.accounts.sweep
    import app.articles.picture_sizes
    import app.articles.sweep
    import app.billing.catching_up
    import app.billing.customer_words
    import app.billing.gifts
    import app.billing.plan_work
    import app.billing.price_moves
    import app.billing.reconciling
    import app.billing.rehearsals
    import app.billing.reminding
    import app.billing.sync
    import app.billing.unpaid_gifts
    import app.billing.watch
    import app.earning.visits
    import app.moving.run_work
    import app.playback.sweep
    import app.video.captions_files
    import app.video.clip_work
    import app.video.drafting
    import app.video.originals
    import app.video.removal
    import app.video.stranded
    import app.video.transcode
    import app.video.uploads_sweep
    import app.waiting.telling  # noqa: F401


async def run(stop: asyncio.Event) -> None:
    """Work until `stop` is set. What is unfinished then is continued by the next worker.

    Raises:
        lifeline.TakenOver: when this process was paused so long that another one has its work.
    """
    settings = get_settings()
    if settings.database_url is None:
        raise RuntimeError("the worker needs DATABASE_URL")
    register_handlers()
    i18n.look_in(settings.data_dir / "locale")
    db.open_database(settings.database_url)
    async with db.transaction() as session:
        i18n.use_locale(await language(session))
    executor_id = lifeline.new_executor_id()
    await lifeline.register(executor_id)
    engine.start(settings.database_url, executor_id)
    await engine.register_queues(encode_concurrency=settings.encode_concurrency)
    log.info("worker %s is ready", executor_id)
    await lifeline.keep_alive(executor_id, stop)
    await asyncio.to_thread(engine.stop, DRAIN_S)
    await lifeline.unregister(executor_id)
    await db.close_database()


async def main() -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    try:
        await run(stop)
    except lifeline.TakenOver:
        log.error("another worker took this one's work over; ending at once")
        # No clean-up: a step still running here must not write anything more.
        os._exit(75)
