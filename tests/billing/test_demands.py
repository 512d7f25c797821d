"""What can go wrong with money, line by line, and which tests show that it does not: none may be lost by renaming."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CRASHES, MISHAPS, SYNC, RULES = "test_crashes", "test_mishaps", "test_sync", "test_rules"
# What happens → {file: its tests}. A file is in tests/billing, unless it names its folder.
DEMANDS: dict[str, dict[str, tuple[str, ...]]] = {
    "the same event a hundred times, eight workers: one line, one mail": {
        SYNC: (
            "test_one_event_a_hundred_times_is_one_row_and_one_mail",
            "test_workers_side_by_side_write_once",
            "test_a_mail_is_enqueued_once_for_its_cause",
        ),
        MISHAPS: ("test_one_event_a_hundred_times_while_eight_workers_are_at_it_is_one_row_and_one_mail",),
    },
    "the checkout burst in every order: the same rights": {
        SYNC: (
            "test_a_checkout_burst_in_any_order_gives_the_same_rights",
            "test_every_permutation_of_a_checkout_burst_gives_the_same_rights",
        ),
    },
    "two changes in one second, reversed: the newest wins": {
        SYNC: ("test_two_changes_in_one_second_reversed_end_with_the_newest",),
    },
    "kill -9 after T1, after the claim, during the fetch, before and after T3's commit: it converges, one mail": {
        CRASHES: (
            "test_a_web_process_killed_while_it_takes_an_event_loses_and_doubles_nothing",
            "test_a_worker_killed_at_any_point_leaves_one_right_and_one_mail",
            "test_a_worker_killed_while_stripe_is_asked_leaves_one_right_and_one_mail",
        ),
        "test_converge": (
            "test_lives_in_any_order_end_as_the_oracle_says",
            "test_a_fifth_of_all_events_lost_is_healed_by_one_reconciliation",
        ),
    },
    "a fetch answers late, with older facts: the fence refuses them": {
        SYNC: (
            "test_an_answer_that_comes_late_never_overwrites_a_newer_one",
            "test_an_event_that_comes_during_a_fetch_is_not_marked_as_covered",
        ),
    },
    "429, 500, timeout, connection reset: asked again, never marked done": {
        "test_outages": ("test_a_bad_answer_marks_nothing_done_and_takes_nothing_away",),
        SYNC: ("test_an_outage_of_stripe_marks_nothing_done_and_is_healed_after_it",),
        MISHAPS: (
            "test_an_answer_that_does_not_come_marks_nothing_done_and_takes_nothing_away",
            "test_a_connection_that_is_reset_marks_nothing_done_and_takes_nothing_away",
        ),
    },
    "signatures: wrong, empty secret, v0, two secrets, old, future, re-serialised, no UTF-8, [], 5 MB, no type": {
        "web/test_webhooks": (
            "test_what_stripe_did_not_sign_just_now_is_refused_and_leaves_no_row",
            "test_signed_nonsense_is_refused_and_leaves_no_row",
            "test_five_megabytes_are_refused_before_they_are_read_to_the_end",
            "test_both_secrets_count_while_they_are_rolled",
            "test_without_a_secret_nothing_is_believed",
            "test_the_content_type_does_not_matter",
        ),
    },
    "another account, the other mode, a thin event, another version: set aside, 200, no change, told to staff": {
        "web/test_webhooks": (
            "test_what_is_not_for_us_is_kept_aside_answered_and_not_acted_on",
            "test_with_a_live_key_test_events_are_set_aside",
        ),
        "test_refunds": ("test_a_dead_letter_is_seen_and_asked_again",),
    },
    "an event of 90 days ago again: no change": {SYNC: ("test_an_old_event_replayed_changes_nothing",)},
    "a clock ten minutes wrong, summer time, a leap day: nobody loses early": {
        RULES: (
            "test_ten_minutes_of_clock_error_revoke_nobody",
            "test_no_day_is_lost_to_summer_time_or_a_leap_day",
            "test_a_clock_that_lags_behind_stripes_begins_no_right_in_the_future",
        ),
        "web/test_webhooks": ("test_five_minutes_of_difference_between_clocks_are_allowed",),
    },
    "unknown price, status, type; two items; a customer whose row is not committed yet: no crash, then set aside": {
        RULES: (
            "test_an_unknown_status_keeps_what_was_and_is_reported",
            "test_an_unknown_price_gives_nothing_and_touches_no_other",
            "test_a_subscription_of_two_items_gives_both_courses",
        ),
        SYNC: (
            "test_a_plan_that_is_unknown_for_a_while_gives_its_right_when_it_is_known",
            "test_a_customer_of_nobody_is_set_aside_and_adopted_when_it_is_ours",
        ),
        "web/test_webhooks": ("test_an_event_of_an_unknown_type_is_taken",),
    },
    "subscription A deleted while B runs: access stays": {
        SYNC: ("test_one_subscription_that_is_deleted_leaves_the_other_ones_access",),
        RULES: ("test_one_that_ended_takes_nothing_from_one_that_runs",),
    },
    "back before the webhook, the webhook before our commit, somebody else's session": {
        "test_checkout": (
            "test_a_buyer_is_on_the_lesson_before_any_webhook_came",
            "test_a_webhook_that_comes_first_leaves_the_return_page_nothing_to_do",
            "test_somebody_elses_session_is_not_found",
        ),
        SYNC: ("test_a_customer_of_nobody_is_set_aside_and_adopted_when_it_is_ours",),
    },
    "a bank that takes days, 3-D Secure abandoned, a price archived meanwhile, a code for all of it": {
        "test_codes_tax_and_banks": (
            "test_a_bank_that_takes_days_gives_when_it_has_paid",
            "test_a_code_for_all_of_it_counts_as_paid",
        ),
        MISHAPS: (
            "test_who_leaves_the_banks_page_has_bought_nothing_and_can_pay_later",
            "test_a_page_that_nobody_paid_ends_by_itself_and_gives_nothing",
        ),
        "test_checkout": ("test_a_price_archived_while_the_page_is_open_is_still_what_was_bought",),
    },
    "two partial refunds that make the whole; one that fails; a dispute lost after a partial refund, and won": {
        "test_purchases": ("test_two_partial_refunds_that_make_the_whole_end_it_and_the_first_does_not",),
        MISHAPS: (
            "test_a_refund_that_the_bank_sends_back_gives_the_right_again",
            "test_a_dispute_after_a_part_was_given_back_decides_about_all_of_it",
        ),
        "test_disputes": ("test_a_dispute_suspends_and_its_end_decides", "test_an_inquiry_takes_nothing"),
    },
    "past due and paid after all, or exhausted; in the portal: cancelled, resumed, a change that fails, 3-D Secure": {
        "test_life": (
            "test_paying_after_a_failure_restores_everything_at_once",
            "test_retries_that_are_exhausted_end_the_membership_with_one_mail",
            "test_cancelling_keeps_what_is_paid_and_can_be_undone",
            "test_ending_now_ends_access_now",
        ),
        "test_changing": ("test_a_card_that_refuses_changes_nothing",),
        MISHAPS: (
            "test_a_change_of_plan_in_the_portal_that_the_card_declines_changes_nothing_here",
            "test_a_change_of_plan_in_the_portal_that_is_paid_is_known_here",
            "test_a_new_card_in_the_portal_that_the_bank_asks_about_pays_when_it_is_proven",
            "test_a_renewal_that_the_bank_asks_about_is_a_failed_payment_until_it_is_proven",
        ),
    },
    "every webhook lost for a week, then one reconciliation: no difference": {
        "test_reconcile": ("test_a_week_without_any_webhook_is_made_good_by_one_run",),
        "test_converge": ("test_a_fifth_of_all_events_lost_is_healed_by_one_reconciliation",),
    },
    "a wrong key or another account's in a reconciliation: the breaker, nothing taken": {
        "test_reconcile": (
            "test_another_accounts_key_takes_nothing",
            "test_a_run_that_would_take_more_than_its_share_changes_nothing",
            "test_customers_whom_stripe_does_not_know_lose_nothing",
        ),
        MISHAPS: ("test_a_key_that_stripe_refuses_takes_nothing_in_a_reconciliation",),
    },
    "an account deleted while past due, trialing or paused; Stripe away: cancelled, or refused": {
        "test_leaving": (
            "test_whatever_runs_ends_before_the_account_goes",
            "test_without_stripe_the_account_stays_as_it_was",
        ),
    },
}


def names_in(file: str) -> set[str]:
    """The names of the tests in a file below tests/."""
    path = ROOT / (f"{file}.py" if "/" in file else f"billing/{file}.py")
    return {
        node.name
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef) and node.name.startswith("test_")
    }


@pytest.mark.parametrize("line", DEMANDS)
def test_each_thing_that_can_go_wrong_has_a_test(line: str) -> None:
    named = DEMANDS[line]
    assert named
    missing = {file: set(tests) - names_in(file) for file, tests in named.items()}
    assert not any(missing.values()), missing
