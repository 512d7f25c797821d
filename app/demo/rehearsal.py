"""A member's life, played before going live: what the member sees, which mails go out, what the ledger says.

Everything is what the business itself will be: web and worker as processes, Stripe's own answers or the stand-in's,
mails over SMTP. Only the database and the folder are others, and gone afterwards.
"""

import asyncio
import re
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import httpx
from sqlalchemy import select

from app import db
from app.access.queries import LedgerEntry, ledger_for
from app.access.why import why
from app.billing import sync
from app.billing.models import CheckoutAttempt, StripeCharge
from app.billing.stripe_api import rehearsing
from app.clock import utcnow
from app.demo.processes import Fault
from app.demo.rehearsal_stage import COURSE, GIFT, LESSON, MONTHLY, ONCE, Person, Stage, stage
from app.demo.rehearsal_words import Told, Wanted, ledger_words, section_of
from app.demo.visitors import Refused
from app.errors import LimberError

DAY_S = 86400
MONTH_S = 32 * DAY_S
AFTER_FAULT_S = 15.0
LESSON_PATH = f"{COURSE}/{LESSON}"


@dataclass
class Rehearsal:
    """One run; `tell` gets each step as soon as it is over."""

    stage: Stage
    tell: Callable[[Told], None]
    wrong: list[str] = field(default_factory=list)
    mails_seen: int = 0

    async def step(self, title: str, who: Person, act: Callable[[], Awaitable[None]], wanted: Wanted) -> bool:
        """Act, wait until everything is as it should be or patience ends, and tell. False: something is wrong."""
        before = len(await _ledger(who))
        refusal = ""
        try:
            await act()
        except (LimberError, Fault) as fault:
            refusal = fault.sentence if isinstance(fault, LimberError) else str(fault)
        except httpx.HTTPError as fault:
            refusal = f"the site did not answer ({type(fault).__name__})"
        # What follows a fault mostly goes wrong by it, and is not waited for as long.
        patience_s = AFTER_FAULT_S if self.wrong else self.stage.patience_s
        deadline = time.monotonic() + (0 if refusal else patience_s)
        while True:
            self.stage.check()
            told = await self._look(title, who, before, wanted, refusal)
            if not told.wrong or time.monotonic() > deadline:
                break
            await asyncio.sleep(0.3)
        self.mails_seen += len(told.mails)
        self.wrong += [f"{title}: {words}" for words in told.wrong]
        self.tell(told)
        return not told.wrong

    async def _look(self, title: str, who: Person, before: int, wanted: Wanted, refusal: str) -> Told:
        saw = section_of((await who.browser.get("/account")).text, "membership")
        async with db.transaction() as session:
            may_watch = (await why(session, who.email, LESSON_PATH, utcnow())).may_watch
        mails = (await self.stage.mails())[self.mails_seen :]
        entries = (await _ledger(who))[before:]
        wrong = [refusal] if refusal else []
        if may_watch is not wanted.may_watch:
            wrong.append(f"the lesson should be {'open' if wanted.may_watch else 'closed'}")
        if wanted.page not in saw:
            wrong.append(f"the account page should say “{wanted.page}”")
        if wanted.mail is not None and not any(wanted.mail in subject for _to, subject, _text in mails):
            wrong.append(f"a mail about “{wanted.mail}” should have gone out")
        if wanted.ledger is not None and tuple(one.change for one in entries) != wanted.ledger:
            wrong.append(f"the ledger should have: {', '.join(wanted.ledger) or 'nothing new'}")
        return Told(
            title,
            saw,
            may_watch,
            tuple(f"“{subject}” to {to}" for to, subject, _text in mails),
            tuple(ledger_words(one) for one in entries),
            tuple(wrong),
        )


async def _ledger(who: Person) -> list[LedgerEntry]:
    """The person's lines, oldest first."""
    async with db.transaction() as session:
        return (await ledger_for(session, who.user_id))[::-1]


async def buy(who: Person, plan: str, card: str) -> None:
    """Press the plan's button, pay on Stripe's page, and come back.

    Raises:
        Refused: the site does not lead there.
    """
    started = await who.browser.post("/checkout", data={"plan": plan, "next": f"/courses/{LESSON_PATH}"})
    await _pay(who, started.status_code, card)


async def _pay(who: Person, status: int, card: str) -> None:
    if status != 303:
        raise Refused(f"The site did not lead to Stripe's page: {status}")
    async with db.transaction() as session:
        session_id = await session.scalar(
            select(CheckoutAttempt.stripe_session_id)
            .where(CheckoutAttempt.user_id == who.user_id, CheckoutAttempt.state == "open")
            .order_by(CheckoutAttempt.created_at.desc())
        )
    await rehearsing.pay_page(str(session_id), card, who.email)
    back = await who.browser.get("/billing/return", params={"session_id": str(session_id)})
    if back.status_code >= 400:
        raise Refused(f"The way back from Stripe's page leads nowhere: {back.status_code}")


async def charge_of(who: Person, *, disputed: bool = False) -> str:
    """The person's charge that stands, or the one that is disputed.

    Raises:
        Refused: there is none.
    """
    async with db.transaction() as session:
        found = await session.scalar(
            select(StripeCharge.id).where(
                StripeCharge.customer_id == who.customer_id,
                StripeCharge.dispute_status.is_not(None) if disputed else StripeCharge.refunded_cents == 0,
            )
        )
    if found is None:
        raise Refused("No dispute is known here." if disputed else "No payment is known here.")
    return str(found)


async def until_disputed(who: Person, patience_s: float) -> None:
    """Raises: Refused when the dispute does not become known in time."""
    deadline = time.monotonic() + patience_s
    while True:
        try:
            await charge_of(who, disputed=True)
        except Refused:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.3)
        else:
            return


async def membership(play: Rehearsal) -> None:
    """Subscribe, renew, decline, recover, cancel, and the end."""
    one = await play.stage.person("Noelani", pays=True)

    async def subscribe() -> None:
        await buy(one, MONTHLY, "tok_visa")

    async def a_month() -> None:
        await rehearsing.advance(one.clock_id, MONTH_S)

    async def decline() -> None:
        await rehearsing.use_card(one.customer_id, "pm_card_chargeCustomerFail")
        await a_month()

    async def recover() -> None:
        await rehearsing.use_card(one.customer_id, "pm_card_visa")
        await rehearsing.pay_what_is_owed(one.customer_id)

    async def cancel() -> None:
        await rehearsing.end_with_period(one.customer_id)

    next_payment = "The next payment is on"
    failed, ending = "The last payment did not go through.", "You have cancelled."
    await play.step("Subscribe", one, subscribe, Wanted(True, next_payment, "", ("given",)))
    await play.step("Renew, a month later", one, a_month, Wanted(True, next_payment, None, ("extended",)))
    # A period's three days of slack become fourteen days of grace.
    await play.step("Decline: the next payment fails", one, decline, Wanted(True, failed, "", ("extended",)))
    await play.step("Recover: another card pays", one, recover, Wanted(True, next_payment, "", ("extended",)))
    await play.step("Cancel for the end of the month", one, cancel, Wanted(True, ending, "", ("shortened",)))
    await play.step(
        "The month is over", one, a_month, Wanted(False, "You have no membership.", "", ("ended",))
    )


async def single_sales(play: Rehearsal) -> None:
    """Buy once, give it back; buy again, disputed and won; a gift."""
    one = await play.stage.person("Keoni", pays=True)
    staff = await play.stage.person("Malia", "staff")
    friend = await play.stage.person("Leilani")

    async def purchase() -> None:
        await buy(one, ONCE, "tok_visa")

    async def give_back() -> None:
        form = {"amount": "49", "already": "0"}
        place = f"/studio/money/payments/{await charge_of(one)}/refund"
        sent = await staff.browser.post(place, data=form)
        if sent.status_code != 303:
            raise Refused(f"The studio did not give the money back: {sent.status_code}")

    async def disputed() -> None:
        await buy(one, ONCE, "tok_createDispute")
        await until_disputed(one, play.stage.patience_s)

    async def win() -> None:
        await rehearsing.win_dispute(await charge_of(one, disputed=True))
        await rehearsing.advance(one.clock_id, DAY_S)

    async def give() -> None:
        form = {"plan": GIFT, "to_name": "Leilani", "to_email": friend.email, "from_name": "Keoni"}
        started = await one.browser.post("/gifts", data=form)
        await _pay(one, started.status_code, "tok_visa")
        await _claim(play.stage, friend)

    mine, none = "You have no membership, and keep what you bought.", "You have no membership."
    await play.step("Buy a course once", one, purchase, Wanted(True, mine, "", ("given",)))
    await play.step("Refund, from the studio", one, give_back, Wanted(False, none, "", ("ended",)))
    await play.step(
        "Dispute: bought again, and the bank asks for its money",
        one,
        disputed,
        Wanted(False, none, None, None),
    )
    await play.step("The dispute is won", one, win, Wanted(True, mine, None, None))
    await play.step("Gift: paid by one, claimed by another", friend, give, Wanted(True, "", "", ("given",)))


async def _claim(made: Stage, friend: Person) -> None:
    """Open the link of the gift's mail, and press its button.

    Raises:
        Refused: no such mail comes.
    """
    deadline = time.monotonic() + made.patience_s
    while time.monotonic() < deadline:
        for to, _subject, text in await made.mails():
            found = re.search(r"/gifts/claim\?token=([^\s&]+)", text)
            if to == friend.email and found:
                claimed = await friend.browser.post("/gifts/claim", data={"token": found.group(1)})
                if claimed.status_code != 303:
                    raise Refused(f"The gift could not be claimed: {claimed.status_code}")
                return
        await asyncio.sleep(0.3)
    raise Refused("The gift's mail did not come.")


async def ask_again(play: Rehearsal) -> None:
    """Ask Stripe about everybody once more: nothing may change by it.

    Not by a reconciliation: Stripe leaves what lives by a test clock out of the lists of a whole account.
    """
    for who in play.stage.people:
        if who.customer_id:
            before = await _ledger(who)
            await sync.sync(who.customer_id)
            if await _ledger(who) != before:
                play.wrong.append(
                    f"asked once more about {who.email}, Stripe told something else than before"
                )


async def rehearse(tell: Callable[[Told], None], *, at_stripe: bool = False) -> list[str]:
    """Play it; answers in words what is wrong, nothing when all is as it should be.

    Raises:
        CannotStart: the stage does not stand.
        Conflict: `at_stripe` without a key of test mode.
    """
    # Told to stop, it still takes its database, its processes and Stripe's clocks with it.
    if (task := asyncio.current_task()) is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with stage(at_stripe=at_stripe) as made:
        play = Rehearsal(made, tell)
        await membership(play)
        await single_sales(play)
        await ask_again(play)
    return play.wrong
