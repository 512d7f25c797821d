"""Where a rehearsal plays: a business of its own, with its own database and folder, that is thrown away afterwards."""

import asyncio
import hashlib
import hmac
import json
import os
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import httpx
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from app import db, postgres
from app.accounts.joining import add_user
from app.billing import plans, stripe_api
from app.billing.models import StripeCustomer
from app.billing.plan_models import PlanPrice
from app.billing.stripe_api import rehearsing
from app.catalog import arranging, editing, publishing
from app.clock import utcnow
from app.demo import visitors
from app.demo.processes import Fault, stop
from app.demo.supervisor import CannotStart, Ports, children_of, environment, until_ready
from app.errors import LimberError
from app.settings import get_settings
from app.video.models import Video

PASSWORD = "rehearsal-only"  # noqa: S105 (of accounts that live for a minute, on this machine)
COURSE, LESSON = "rehearsal", "first-lesson"
MONTHLY, ONCE, GIFT = "rehearsal-monthly", "rehearsal-course", "rehearsal-gift"
PLANS = 3
RELAY_EVERY_S = 2.0


@dataclass
class Person:
    """Somebody with a browser. `customer_id` and `clock_id`: who they are at Stripe, and the time that they live in."""

    user_id: UUID
    email: str
    browser: httpx.AsyncClient
    customer_id: str = ""
    clock_id: str = ""


@dataclass
class Stage:
    """The running business. `patience_s`: how long something may take to arrive."""

    environment: dict[str, str]
    ports: Ports
    patience_s: float
    began_at: int = field(default_factory=lambda: int(time.time()))
    people: list[Person] = field(default_factory=list)
    heard: set[str] = field(default_factory=set)
    relaying: asyncio.Task[None] | None = None

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.ports.web}"

    async def person(self, name: str, role: str = "member", *, pays: bool = False) -> Person:
        """A new account, signed in; who pays is a customer at Stripe, on a clock of their own."""
        email = f"{name.lower()}@rehearsal.example"
        async with db.transaction() as session:
            user = await add_user(session, email=email, name=name, password=PASSWORD, now=utcnow(), role=role)
        if user is None:
            raise Fault(f"{email} is there already.")
        one = Person(user.id, email, visitors.browser(self.site))
        self.people.append(one)
        await visitors.sign_in(one.browser, email, PASSWORD)
        if pays:
            one.clock_id = await rehearsing.create_clock(int(time.time()), f"Limber rehearsal: {name}")
            one.customer_id = await rehearsing.create_customer_on(one.clock_id, user.id, email)
            async with db.transaction() as session:
                # The worker may have heard of the customer already, and have adopted it.
                await session.execute(
                    insert(StripeCustomer)
                    .values(id=one.customer_id, user_id=user.id, livemode=False, created_at=utcnow())
                    .on_conflict_do_nothing()
                )
        return one

    async def mails(self) -> list[tuple[str, str, str]]:
        """(address, subject, text) of every mail that went out, oldest first."""
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            told = (await client.get(f"http://127.0.0.1:{self.ports.outbox}/messages.json")).json()
        return [(str(one["to"][0]), str(one["subject"]), str(one["text"])) for one in reversed(told)]

    async def relay(self) -> None:
        """Where Stripe cannot reach this machine: ask for its events, and hand them to the site as it would."""
        while True:
            with suppress(LimberError, httpx.HTTPError):
                for event in await rehearsing.events_since(self.began_at):
                    if event["id"] not in self.heard:
                        await self._hand_over(json.dumps(event).encode())
                        self.heard.add(event["id"])
            await asyncio.sleep(RELAY_EVERY_S)

    def check(self) -> None:
        """Raises: Fault when Stripe's events are no longer handed over, so that nothing else is waited for in vain."""
        if self.relaying is not None and self.relaying.done() and (fault := self.relaying.exception()):
            raise Fault(f"Stripe's events could not be handed over: {fault!r}") from fault

    async def _hand_over(self, body: bytes) -> None:
        at = int(time.time())
        secret = self.environment["STRIPE_WEBHOOK_SECRET"].encode()
        mac = hmac.new(secret, f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            answer = await client.post(
                f"{self.site}/webhooks/stripe",
                content=body,
                headers={"Stripe-Signature": f"t={at},v1={mac}", "Content-Type": "application/json"},
            )
        answer.raise_for_status()


def free_ports() -> Ports:
    """Four ports in a row that nobody uses.

    Raises:
        CannotStart: there are none.
    """
    for _try in range(50):
        ports = Ports(20_000 + 4 * secrets.randbelow(10_000))
        with suppress(CannotStart):
            ports.check()
            return ports
    raise CannotStart("No four free ports in a row were found on this machine.")


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder that is gone afterwards; PostgreSQL, under a user of its own, may enter it."""
    with tempfile.TemporaryDirectory(prefix="limber-rehearsal-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@contextmanager
def own_settings(values: dict[str, str]) -> Iterator[None]:
    """This process's settings are the rehearsal's for as long as the block lasts, none of the business's among them."""
    before = dict(os.environ)
    for name in [one for one in os.environ if one.startswith(("LIMBER_", "STRIPE_", "SMTP_", "DATABASE_"))]:
        del os.environ[name]
    os.environ.update(values)
    get_settings.cache_clear()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        get_settings.cache_clear()


@asynccontextmanager
async def stage(*, at_stripe: bool) -> AsyncIterator[Stage]:
    """A business with three plans and a paid lesson; `at_stripe`: Stripe's test mode, by the settings' own key.

    Raises:
        CannotStart: a part of it does not answer.
        Conflict: `at_stripe` without a test key.
    """
    theirs: dict[str, str] = {}
    if at_stripe:
        stripe_api.require_test_key()
        settings = get_settings()
        theirs = {
            "STRIPE_SECRET_KEY": settings.stripe_secret_key,
            "STRIPE_API_BASE": settings.stripe_api_base,
        }
    with ExitStack() as held:
        folder = held.enter_context(own_folder())
        url = held.enter_context(postgres.server(folder))
        ports = free_ports()
        env = environment(ports, folder, url) | theirs
        await asyncio.to_thread(postgres.migrate, url)
        held.enter_context(own_settings(env))
        children = children_of(ports, folder, env)
        held.callback(stop, children)
        for child in children:
            child.start()
        await until_ready(ports, children)
        db.open_database(url, pool_size=4)
        made = Stage(env, ports, 90.0 if at_stripe else 45.0)
        made.relaying = asyncio.create_task(made.relay()) if at_stripe else None
        try:
            await _furnish()
            await _until_on_sale(made.patience_s)
            yield made
        finally:
            if made.relaying is not None:
                made.relaying.cancel()
                await asyncio.gather(made.relaying, return_exceptions=True)
            await _leave(made)


async def _leave(made: Stage) -> None:
    for person in made.people:
        await person.browser.aclose()
        with suppress(LimberError):
            if person.clock_id:
                await rehearsing.delete_clock(person.clock_id)
    await stripe_api.close()
    await db.close_database()


async def _furnish() -> None:
    """A course with a paid lesson, and what can be bought."""
    now = utcnow()
    async with db.transaction() as session:
        video = Video(
            title="Rehearsal", source_filename="rehearsal.mp4", source_key="rehearsal", source_bytes=1,
            state="ready", version=1, ready_at=now,
        )  # fmt: skip
        session.add(video)
        course = await editing.create_course(
            session, editing.CourseForm(title="Rehearsal", slug=COURSE, summary="To rehearse with.")
        )
        section = await arranging.add_section(session, course.id, "Rehearsal")
        form = editing.LessonForm(
            title="First lesson", slug=LESSON, section_id=str(section.id), video_id=str(video.id)
        )
        lesson = await editing.create_lesson(session, course.id, form)
        await publishing.publish_lesson(session, course.id, lesson.id, now)
        await publishing.publish_course(session, course.id, now)
        for draft in (
            plans.PlanDraft(name="Monthly membership", slug=MONTHLY, amount_cents=1900),
            plans.PlanDraft(
                name="The course", slug=ONCE, amount_cents=4900, interval="once", course_ids=(course.id,)
            ),
            plans.PlanDraft(
                name="Three months", slug=GIFT, amount_cents=5400, interval="once", lasts_months=3,
                is_giftable=True,
            ),
        ):  # fmt: skip
            await plans.create(session, None, draft)


async def _until_on_sale(patience_s: float) -> None:
    """Raises: Fault when the plans do not come to Stripe."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        async with db.transaction() as session:
            if await session.scalar(select(func.count()).select_from(PlanPrice)) == PLANS:
                return
        await asyncio.sleep(0.2)
    raise Fault("The plans did not come to Stripe.")
