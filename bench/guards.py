"""`guards`: each guard of billing taken out, one at a time, of a copy of the code; its named tests must notice."""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("app", "bench", "frontend", "locale", "migrations", "sandbox", "static", "templates", "tests")
FILES = ("alembic.ini", "pyproject.toml", "README.md")
LIMIT_S = 300


@dataclass(frozen=True)
class Guard:
    """`before` stands once in `file`; with `after` in its place the guard is gone. `tests`: those that must notice."""

    name: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]


SYNC, RULES = "tests/billing/test_sync.py", "tests/billing/test_rules.py"
WEBHOOKS = "tests/web/test_webhooks.py"
ASIDE = f"{WEBHOOKS}::test_what_is_not_for_us_is_kept_aside_answered_and_not_acted_on"
GUARDS = (
    Guard(
        "dedupe of deliveries that are covered",
        "app/billing/sync.py",
        "if row.done_seq >= row.wanted_seq:",
        "if False:",
        (f"{SYNC}::test_a_burst_costs_one_fetch_when_the_work_comes_after_it",),
    ),
    Guard(
        "dedupe of mails by their cause",
        "app/billing/letters.py",
        "workflow_id=cause_of(letter, facts),",
        "workflow_id=None,",
        (f"{SYNC}::test_a_mail_is_enqueued_once_for_its_cause",),
    ),
    Guard(
        "fence",
        "app/billing/sync.py",
        "if row.applied_fence > fence.number:",
        "if False:",
        (f"{SYNC}::test_an_answer_that_comes_late_never_overwrites_a_newer_one",),
    ),
    Guard(
        "livemode",
        "app/billing/inbox.py",
        'if bool(event.get("livemode")) != live:',
        "if False:",
        (ASIDE,),
    ),
    Guard("account of an event", "app/billing/inbox.py", 'if event.get("account"):', "if False:", (ASIDE,)),
    Guard(
        "account of the key",
        "app/billing/our_account.py",
        "elif known.id != found:",
        "elif False:",
        ("tests/billing/test_reconcile.py::test_another_accounts_key_takes_nothing",),
    ),
    Guard(
        "signature",
        "app/billing/stripe_api/signatures.py",
        "        except stripe.SignatureVerificationError:\n            continue",
        "        except stripe.SignatureVerificationError:\n            pass",
        (f"{WEBHOOKS}::test_what_stripe_did_not_sign_just_now_is_refused_and_leaves_no_row",),
    ),
    Guard(
        "signatures of the future",
        "app/billing/stripe_api/signatures.py",
        "if signed_at > now.timestamp() + TOLERANCE_S:",
        "if False:",
        (f"{WEBHOOKS}::test_what_stripe_did_not_sign_just_now_is_refused_and_leaves_no_row",),
    ),
    Guard(
        "union of all subscriptions",
        "app/billing/rules.py",
        "    for facts in mirror:\n        try:",
        "    for facts in list(mirror)[:1]:\n        try:",
        (f"{RULES}::test_one_that_ended_takes_nothing_from_one_that_runs",),
    ),
    Guard(
        "amount of a purchase",
        "app/billing/sold.py",
        'if raw["currency"] != sold.currency or raw["amount_subtotal"] != sold.amount_cents:',
        "if False:",
        (f"{RULES}::test_a_purchase_is_held_against_what_we_sold",),
    ),
    Guard(
        "breaker",
        "app/billing/reconciling.py",
        "if report.takes > limit:",
        "if False:",
        ("tests/billing/test_reconcile.py::test_a_run_that_would_take_more_than_its_share_changes_nothing",),
    ),
)


def copied(place: Path) -> Path:
    """The code and its tests, apart from the checkout: what is taken out of it is out of nothing else."""
    for name in NEEDED:
        shutil.copytree(
            ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules")
        )
    for name in FILES:
        shutil.copy2(ROOT / name, place / name)
    return place


def fails(place: Path, tests: tuple[str, ...]) -> bool:
    """Whether any of the tests fails in the copy.

    Raises:
        RuntimeError: they could not be run, which proves nothing.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-x", *tests]
    ran = subprocess.run(
        command,
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    if ran.returncode not in (0, 1) or "passed" not in ran.stdout + "passed" * ran.returncode:
        raise RuntimeError(f"pytest ended with {ran.returncode}: {ran.stdout[-500:]}{ran.stderr[-500:]}")
    return ran.returncode == 1


def noticed(place: Path, guard: Guard) -> bool:
    """Whether the guard's tests fail without it."""
    file = place / guard.file
    whole = file.read_text()
    if whole.count(guard.before) != 1:
        raise RuntimeError(f"{guard.name}: what is to be taken out does not stand once in {guard.file}")
    file.write_text(whole.replace(guard.before, guard.after))
    try:
        return fails(place, guard.tests)
    finally:
        file.write_text(whole)


def run() -> dict[str, Any]:
    """About four minutes; the tests first with every guard in its place, where they must pass."""
    with tempfile.TemporaryDirectory(prefix="limber-bench-") as scratch:
        place = copied(Path(scratch) / "copy")
        every = tuple(dict.fromkeys(test for guard in GUARDS for test in guard.tests))
        if fails(place, every):
            raise RuntimeError("the tests fail with every guard in its place")
        found = {guard.name: noticed(place, guard) for guard in GUARDS}
    unnoticed = [name for name, is_noticed in found.items() if not is_noticed]
    ratio = 1 - len(unnoticed) / len(found)
    return {
        "ratio": round(ratio, 3),
        "goal": 1.0,
        "met": not unnoticed,
        "guards": len(found),
        "unnoticed": unnoticed,
    }
