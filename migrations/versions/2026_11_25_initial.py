"""The first schema.

Schema only, or data only, never both; no import from `app`, whose code moves on. Locks: env.py sets lock_timeout,
so build indexes on large tables with `postgresql_concurrently=True` inside `autocommit_block()`.

Revision: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    # For what is mistyped; a trusted extension: the owner of the database may have it without being superuser.
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_table(
        "attempt",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("bucket", sa.String(length=120), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    op.create_index("ix_attempt_bucket_at", "attempt", ["bucket", "at"], unique=False)
    op.create_table(
        "contact_message",
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_held", sa.Boolean(), nullable=False),
        sa.Column("is_trapped", sa.Boolean(), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_message")),
    )
    op.create_index(op.f("ix_contact_message_created_at"), "contact_message", ["created_at"], unique=False)
    op.create_table(
        "course",
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("body_md", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('draft', 'published')", name=op.f("ck_course_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course")),
        sa.UniqueConstraint("slug", name=op.f("uq_course_slug")),
    )
    op.create_table(
        "entitlement_entry",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entitlement_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("change", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entitlement_entry")),
    )
    op.create_index(
        op.f("ix_entitlement_entry_entitlement_id"), "entitlement_entry", ["entitlement_id"], unique=False
    )
    op.create_index(op.f("ix_entitlement_entry_user_id"), "entitlement_entry", ["user_id"], unique=False)
    op.create_table(
        "location",
        sa.Column("city", sa.String(length=80), nullable=False),
        sa.Column("street", sa.String(length=160), nullable=False),
        sa.Column("postal_code", sa.String(length=20), nullable=False),
        sa.Column("region", sa.String(length=80), nullable=False),
        sa.Column("phone", sa.String(length=40), nullable=False),
        sa.Column("hours", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_location")),
    )
    op.create_table(
        "practice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_name", sa.String(length=120), nullable=False),
        sa.Column("tagline", sa.String(length=200), nullable=False),
        sa.Column("teacher_name", sa.String(length=120), nullable=False),
        sa.Column("teacher_role", sa.String(length=200), nullable=False),
        sa.Column("teacher_bio", sa.Text(), nullable=False),
        sa.Column("contact_email", sa.String(length=254), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("is_marking", sa.Boolean(), nullable=False),
        sa.Column("streams_at_once", sa.Integer(), nullable=False),
        sa.Column("most_links", sa.Integer(), nullable=False),
        sa.Column("held_words", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.Column("accent", sa.String(length=7), nullable=False),
        sa.Column("logo", sa.String(length=120), nullable=False),
        sa.Column("is_name_shown", sa.Boolean(), nullable=False),
        sa.Column("navigation", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_practice_single")),
        sa.CheckConstraint("streams_at_once BETWEEN 1 AND 9", name=op.f("ck_practice_streams_at_once")),
        sa.CheckConstraint("most_links BETWEEN 0 AND 99", name=op.f("ck_practice_most_links")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practice")),
    )
    op.create_table(
        "stripe_account",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("endpoint_problem", sa.Text(), nullable=True),
        sa.Column("endpoint_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_run", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("last_run_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_account")),
    )
    op.create_table(
        "stripe_event",
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("api_version", sa.String(length=40), nullable=True),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("customer_id", sa.String(length=64), nullable=True),
        sa.Column("object_id", sa.String(length=64), nullable=True),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('received', 'applied', 'ignored', 'quarantined')", name=op.f("ck_stripe_event_state")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_stripe_event")),
    )
    op.create_index(op.f("ix_stripe_event_customer_id"), "stripe_event", ["customer_id"], unique=False)
    op.create_index(op.f("ix_stripe_event_type"), "stripe_event", ["type"], unique=False)
    op.create_table(
        "stripe_sync",
        sa.Column("customer_id", sa.String(length=64), nullable=False),
        sa.Column("wanted_seq", sa.BigInteger(), nullable=False),
        sa.Column("done_seq", sa.BigInteger(), nullable=False),
        sa.Column("queued_seq", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("applied_fence", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_stripe_sync")),
    )
    op.create_index(
        "ix_stripe_sync_behind",
        "stripe_sync",
        ["customer_id"],
        unique=False,
        postgresql_where=sa.text("wanted_seq > done_seq"),
    )
    op.create_table(
        "user_account",
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("email_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("banned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ban_reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("came_from", sa.String(length=100), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("role IN ('member', 'staff')", name=op.f("ck_user_account_role")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_user_account_email_lower")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email", name=op.f("uq_user_account_email")),
    )
    op.create_table(
        "worker_heartbeat",
        sa.Column("executor_id", sa.String(length=80), nullable=False),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_over_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("executor_id", name=op.f("pk_worker_heartbeat")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("subject_kind", sa.String(length=40), nullable=False),
        sa.Column("subject_id", sa.String(length=64), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["user_account.id"], name=op.f("fk_audit_entry_actor_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
    )
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"], unique=False)
    op.create_table(
        "entitlement",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=True),
        sa.Column("source_kind", sa.String(length=20), nullable=False),
        sa.Column("source_id", sa.String(length=255), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("ends_at IS NULL OR ends_at >= starts_at", name=op.f("ck_entitlement_span")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name=op.f("fk_entitlement_course_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_entitlement_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entitlement")),
        sa.UniqueConstraint(
            "source_kind",
            "source_id",
            "course_id",
            name=op.f("uq_entitlement_source_kind_source_id_course_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index("ix_entitlement_user_id", "entitlement", ["user_id"], unique=False)
    op.create_table(
        "plan",
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("interval", sa.String(length=8), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("trial_days", sa.Integer(), nullable=False),
        sa.Column("trial_needs_card", sa.Boolean(), nullable=False),
        sa.Column("after_trial", sa.String(length=8), nullable=False),
        sa.Column("lasts_months", sa.Integer(), nullable=True),
        sa.Column("is_giftable", sa.Boolean(), nullable=False),
        sa.Column("pause_months", sa.Integer(), nullable=False),
        sa.Column("stay_offer", sa.String(length=8), nullable=False),
        sa.Column("stay_percent", sa.Integer(), nullable=False),
        sa.Column("stay_months", sa.Integer(), nullable=False),
        sa.Column("covers_everything", sa.Boolean(), nullable=False),
        sa.Column("is_offered", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("stripe_product_id", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("interval IN ('month', 'year', 'once')", name=op.f("ck_plan_interval")),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_plan_amount")),
        sa.CheckConstraint(
            "lasts_months IS NULL OR (interval = 'once' AND lasts_months > 0)",
            name=op.f("ck_plan_lasts_months"),
        ),
        sa.CheckConstraint("NOT is_giftable OR interval = 'once'", name=op.f("ck_plan_is_giftable")),
        sa.CheckConstraint("currency = lower(currency)", name=op.f("ck_plan_currency")),
        sa.CheckConstraint(
            "pause_months = 0 OR (interval = 'month' AND pause_months > 0)",
            name=op.f("ck_plan_pause_months"),
        ),
        sa.CheckConstraint("after_trial IN ('cancel', 'pause')", name=op.f("ck_plan_after_trial")),
        sa.CheckConstraint("stay_offer IN ('none', 'pause', 'discount')", name=op.f("ck_plan_stay_offer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan")),
        sa.UniqueConstraint("slug", name=op.f("uq_plan_slug")),
    )
    op.create_table(
        "plan_course",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name=op.f("fk_plan_course_course_id"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plan.id"], name=op.f("fk_plan_course_plan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_id", "course_id", name=op.f("pk_plan_course")),
    )
    op.create_index(op.f("ix_plan_course_course_id"), "plan_course", ["course_id"], unique=False)
    op.create_table(
        "section",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name=op.f("fk_section_course_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_section")),
    )
    op.create_index(op.f("ix_section_course_id"), "section", ["course_id"], unique=False)
    op.create_table(
        "stripe_customer",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("livemode", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_stripe_customer_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_customer")),
        sa.UniqueConstraint("user_id", name=op.f("uq_stripe_customer_user_id")),
    )
    op.create_table(
        "user_session",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_agent", sa.String(length=300), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_user_session_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_user_session_token_hash")),
    )
    op.create_index(op.f("ix_user_session_user_id"), "user_session", ["user_id"], unique=False)
    op.create_table(
        "video",
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("source_filename", sa.String(length=255), nullable=False),
        sa.Column("source_key", sa.String(length=300), nullable=False),
        sa.Column("source_bytes", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.String(length=80), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("failure_words", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("begun_version", sa.Integer(), nullable=False),
        sa.Column("begun_s", sa.Float(), nullable=False),
        sa.Column("parts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=True),
        sa.Column("width_px", sa.Integer(), nullable=True),
        sa.Column("height_px", sa.Integer(), nullable=True),
        sa.Column("renditions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("poster_times", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("poster_choice", sa.String(length=8), nullable=False),
        sa.Column("poster_at_ms", sa.Integer(), nullable=True),
        sa.Column("poster_own", sa.String(length=32), nullable=False),
        sa.Column("poster_version", sa.Integer(), nullable=False),
        sa.Column("uploaded_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'checking', 'encoding', 'packaging', 'verifying', 'ready', 'failed')",
            name=op.f("ck_video_state"),
        ),
        sa.CheckConstraint("percent BETWEEN 0 AND 100", name=op.f("ck_video_percent")),
        sa.CheckConstraint("poster_choice IN ('auto', 'time', 'own')", name=op.f("ck_video_poster_choice")),
        sa.ForeignKeyConstraint(
            ["uploaded_by"], ["user_account.id"], name=op.f("fk_video_uploaded_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_video")),
    )
    op.create_index(op.f("ix_video_changed_at"), "video", ["changed_at"], unique=False)
    op.create_index(op.f("ix_video_created_at"), "video", ["created_at"], unique=False)
    op.create_index(op.f("ix_video_state"), "video", ["state"], unique=False)
    op.create_table(
        "gift",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("giver_id", sa.Uuid(), nullable=True),
        sa.Column("to_email", sa.String(length=254), nullable=False),
        sa.Column("to_name", sa.String(length=120), nullable=False),
        sa.Column("from_name", sa.String(length=120), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("deliver_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_by", sa.Uuid(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'paid', 'void')", name=op.f("ck_gift_state")),
        sa.ForeignKeyConstraint(
            ["claimed_by"], ["user_account.id"], name=op.f("fk_gift_claimed_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["giver_id"], ["user_account.id"], name=op.f("fk_gift_giver_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["plan.id"], name=op.f("fk_gift_plan_id"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gift")),
    )
    op.create_index(op.f("ix_gift_claimed_by"), "gift", ["claimed_by"], unique=False)
    op.create_index(
        "ix_gift_due",
        "gift",
        ["deliver_at"],
        unique=False,
        postgresql_where=sa.text("state = 'paid' AND delivered_at IS NULL"),
    )
    op.create_index(op.f("ix_gift_giver_id"), "gift", ["giver_id"], unique=False)
    op.create_table(
        "checkout_attempt",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("stripe_session_id", sa.String(length=120), nullable=True),
        sa.Column("stripe_price_id", sa.String(length=64), nullable=False),
        sa.Column("gift_id", sa.Uuid(), nullable=True),
        sa.Column("return_to", sa.Text(), nullable=False),
        sa.Column("came_from", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'completed', 'expired')", name=op.f("ck_checkout_attempt_state")
        ),
        sa.ForeignKeyConstraint(
            ["gift_id"], ["gift.id"], name=op.f("fk_checkout_attempt_gift_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plan.id"], name=op.f("fk_checkout_attempt_plan_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_checkout_attempt_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkout_attempt")),
        sa.UniqueConstraint("stripe_session_id", name=op.f("uq_checkout_attempt_stripe_session_id")),
    )
    op.create_index(op.f("ix_checkout_attempt_gift_id"), "checkout_attempt", ["gift_id"], unique=False)
    op.create_index(op.f("ix_checkout_attempt_user_id"), "checkout_attempt", ["user_id"], unique=False)
    op.create_index(
        "uq_checkout_attempt_open",
        "checkout_attempt",
        ["user_id", "plan_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open' AND gift_id IS NULL"),
    )
    op.create_table(
        "lesson",
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("section_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("body_md", sa.Text(), nullable=False),
        sa.Column("needs", sa.String(length=300), nullable=False),
        sa.Column("transcript_md", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("is_free", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("video_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('draft', 'announced', 'published')", name=op.f("ck_lesson_state")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name=op.f("fk_lesson_course_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["section_id"], ["section.id"], name=op.f("fk_lesson_section_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_lesson_video_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lesson")),
        sa.UniqueConstraint("course_id", "slug", name=op.f("uq_lesson_course_id_slug")),
    )
    op.create_index(op.f("ix_lesson_course_id"), "lesson", ["course_id"], unique=False)
    op.create_index(op.f("ix_lesson_section_id"), "lesson", ["section_id"], unique=False)
    op.create_index(op.f("ix_lesson_video_id"), "lesson", ["video_id"], unique=False)
    op.create_table(
        "plan_price",
        sa.Column("stripe_price_id", sa.String(length=64), nullable=False),
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("is_current", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plan.id"], name=op.f("fk_plan_price_plan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("stripe_price_id", name=op.f("pk_plan_price")),
    )
    op.create_index(op.f("ix_plan_price_plan_id"), "plan_price", ["plan_id"], unique=False)
    op.create_table(
        "price_move",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('planned', 'stopped', 'done')", name=op.f("ck_price_move_state")),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plan.id"], name=op.f("fk_price_move_plan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_move")),
    )
    op.create_index(
        "uq_price_move_planned",
        "price_move",
        ["plan_id"],
        unique=True,
        postgresql_where=sa.text("state = 'planned'"),
    )
    op.create_table(
        "plan_amount",
        sa.Column("plan_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_plan_amount_amount")),
        sa.CheckConstraint("currency = lower(currency)", name=op.f("ck_plan_amount_currency")),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plan.id"], name=op.f("fk_plan_amount_plan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_id", "currency", name=op.f("pk_plan_amount")),
    )
    op.create_table(
        "stripe_purchase",
        sa.Column("id", sa.String(length=120), nullable=False),
        sa.Column("customer_id", sa.String(length=64), nullable=False),
        sa.Column("price_id", sa.String(length=64), nullable=True),
        sa.Column("payment_status", sa.String(length=32), nullable=False),
        sa.Column("payment_intent_id", sa.String(length=64), nullable=True),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("bought_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_pending", sa.Boolean(), nullable=False),
        sa.Column("lasts_months", sa.Integer(), nullable=True),
        sa.Column("gift_id", sa.Uuid(), nullable=True),
        sa.Column("doubt", sa.Text(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("raw", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["stripe_customer.id"],
            name=op.f("fk_stripe_purchase_customer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_purchase")),
    )
    op.create_index(op.f("ix_stripe_purchase_customer_id"), "stripe_purchase", ["customer_id"], unique=False)
    op.create_index(
        op.f("ix_stripe_purchase_payment_intent_id"), "stripe_purchase", ["payment_intent_id"], unique=False
    )
    op.create_table(
        "stripe_charge",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=64), nullable=False),
        sa.Column("payment_intent_id", sa.String(length=64), nullable=True),
        sa.Column("amount_cents", sa.Integer(), nullable=False),
        sa.Column("refunded_cents", sa.Integer(), nullable=False),
        sa.Column("refunded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("dispute_status", sa.String(length=40), nullable=True),
        sa.Column("dispute_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("subscription_id", sa.String(length=64), nullable=True),
        sa.Column("period_end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("receipt_url", sa.Text(), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["stripe_customer.id"],
            name=op.f("fk_stripe_charge_customer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_charge")),
    )
    op.create_index(op.f("ix_stripe_charge_customer_id"), "stripe_charge", ["customer_id"], unique=False)
    op.create_index(
        op.f("ix_stripe_charge_payment_intent_id"), "stripe_charge", ["payment_intent_id"], unique=False
    )
    op.create_table(
        "stripe_subscription",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("customer_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("current_period_end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_at_period_end", sa.Boolean(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("past_due_since_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("raw", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["stripe_customer.id"],
            name=op.f("fk_stripe_subscription_customer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_subscription")),
    )
    op.create_index(
        op.f("ix_stripe_subscription_customer_id"), "stripe_subscription", ["customer_id"], unique=False
    )
    op.create_table(
        "price_move_member",
        sa.Column("move_id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.String(length=64), nullable=False),
        sa.Column("from_price_id", sa.String(length=64), nullable=False),
        sa.Column("to_price_id", sa.String(length=64), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('told', 'moved', 'left_out', 'failed')", name=op.f("ck_price_move_member_state")
        ),
        sa.ForeignKeyConstraint(
            ["move_id"], ["price_move.id"], name=op.f("fk_price_move_member_move_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["stripe_subscription.id"],
            name=op.f("fk_price_move_member_subscription_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("move_id", "subscription_id", name=op.f("pk_price_move_member")),
    )
    op.create_index(
        op.f("ix_price_move_member_subscription_id"), "price_move_member", ["subscription_id"], unique=False
    )
    op.create_table(
        "stripe_card",
        sa.Column("subscription_id", sa.String(length=64), nullable=False),
        sa.Column("looked_for", sa.DateTime(timezone=True), nullable=False),
        sa.Column("method_id", sa.String(length=64), nullable=True),
        sa.Column("brand", sa.String(length=40), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("exp_year", sa.Integer(), nullable=True),
        sa.Column("exp_month", sa.Integer(), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["stripe_subscription.id"],
            name=op.f("fk_stripe_card_subscription_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscription_id", name=op.f("pk_stripe_card")),
    )
    op.create_table(
        "billing_notice",
        sa.Column("cause", sa.String(length=200), nullable=False),
        sa.Column("customer_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subscription_id", sa.String(length=64), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["stripe_customer.id"],
            name=op.f("fk_billing_notice_customer_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("cause", name=op.f("pk_billing_notice")),
    )
    op.create_index(op.f("ix_billing_notice_customer_id"), "billing_notice", ["customer_id"], unique=False)
    op.create_table(
        "stay_offer",
        sa.Column("subscription_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["stripe_subscription.id"],
            name=op.f("fk_stay_offer_subscription_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("subscription_id", name=op.f("pk_stay_offer")),
    )
    op.create_table(
        "leaving_answer",
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("plan_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(length=24), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("portal_key", sa.String(length=80), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plan.id"], name=op.f("fk_leaving_answer_plan_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_leaving_answer_user_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leaving_answer")),
        sa.UniqueConstraint("portal_key", name=op.f("uq_leaving_answer_portal_key")),
    )
    op.create_index(op.f("ix_leaving_answer_answered_at"), "leaving_answer", ["answered_at"], unique=False)
    op.create_index(op.f("ix_leaving_answer_user_id"), "leaving_answer", ["user_id"], unique=False)
    op.create_table(
        "caption_draft",
        sa.Column("video_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("vtt", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'ready', 'failed')", name=op.f("ck_caption_draft_state")
        ),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_caption_draft_video_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("video_id", name=op.f("pk_caption_draft")),
    )
    op.create_table(
        "clip",
        sa.Column("video_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("start_ms", sa.Integer(), nullable=False),
        sa.Column("end_ms", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("width_px", sa.Integer(), nullable=True),
        sa.Column("height_px", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("vtt", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("start_ms >= 0 AND end_ms > start_ms", name=op.f("ck_clip_span")),
        sa.CheckConstraint("state IN ('queued', 'running', 'ready', 'failed')", name=op.f("ck_clip_state")),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_clip_video_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clip")),
        sa.UniqueConstraint("name", name=op.f("uq_clip_name")),
    )
    op.create_index(op.f("ix_clip_video_id"), "clip", ["video_id"], unique=False)
    op.create_table(
        "caption_track",
        sa.Column("video_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.String(length=35), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("vtt", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_caption_track_video_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_caption_track")),
        sa.UniqueConstraint("video_id", "language", name=op.f("uq_caption_track_video_id_language")),
    )
    op.create_table(
        "chapter",
        sa.Column("video_id", sa.Uuid(), nullable=False),
        sa.Column("at_s", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("at_s >= 0", name=op.f("ck_chapter_at")),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_chapter_video_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chapter")),
        sa.UniqueConstraint("video_id", "at_s", name=op.f("uq_chapter_video_id_at_s")),
    )
    op.create_table(
        "upload",
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("content_type", sa.String(length=120), nullable=False),
        sa.Column("length_bytes", sa.BigInteger(), nullable=False),
        sa.Column("offset_bytes", sa.BigInteger(), nullable=False),
        sa.Column("tus_metadata", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("video_id", sa.Uuid(), nullable=True),
        sa.Column("parts_id", sa.Text(), nullable=True),
        sa.Column("part_bytes", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("offset_bytes BETWEEN 0 AND length_bytes", name=op.f("ck_upload_offset")),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["user_account.id"], name=op.f("fk_upload_owner_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_upload_video_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_upload")),
    )
    op.create_index(op.f("ix_upload_expires_at"), "upload", ["expires_at"], unique=False)
    op.create_index(op.f("ix_upload_owner_id"), "upload", ["owner_id"], unique=False)
    op.create_index(op.f("ix_upload_video_id"), "upload", ["video_id"], unique=False)
    op.create_table(
        "upload_part",
        sa.Column("upload_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["upload.id"], name=op.f("fk_upload_part_upload_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("upload_id", "number", name=op.f("pk_upload_part")),
    )
    op.create_table(
        "article",
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("body_md", sa.Text(), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=False),
        sa.Column("word_count", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("lesson_id", sa.Uuid(), nullable=True),
        sa.Column("is_listed", sa.Boolean(), nullable=False),
        sa.Column(
            "likeness",
            postgresql.TSVECTOR(),
            sa.Computed(
                "setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', summary), 'B')",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("state IN ('draft', 'published')", name=op.f("ck_article_state")),
        sa.ForeignKeyConstraint(
            ["author_id"], ["user_account.id"], name=op.f("fk_article_author_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lesson.id"], name=op.f("fk_article_lesson_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article")),
        sa.UniqueConstraint("slug", name=op.f("uq_article_slug")),
    )
    op.create_index(
        "ix_article_pages", "article", ["slug"], unique=False, postgresql_where=sa.text("NOT is_listed")
    )
    op.create_index("ix_article_likeness", "article", ["likeness"], unique=False, postgresql_using="gin")
    op.create_table(
        "playback",
        sa.Column("lesson_id", sa.Uuid(), nullable=False),
        sa.Column("video_id", sa.Uuid(), nullable=False),
        sa.Column("video_version", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("session_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("renewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=12), nullable=True),
        sa.Column("place", sa.SmallInteger(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("position_s", sa.Double(), nullable=False),
        sa.Column("tab", sa.String(length=40), nullable=False),
        sa.Column("network", sa.String(length=50), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lesson.id"], name=op.f("fk_playback_lesson_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["user_session.id"], name=op.f("fk_playback_session_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_playback_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_playback_video_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_playback")),
    )
    op.create_index(op.f("ix_playback_lesson_id"), "playback", ["lesson_id"], unique=False)
    op.create_index(op.f("ix_playback_user_id"), "playback", ["user_id"], unique=False)
    op.create_index(op.f("ix_playback_video_id"), "playback", ["video_id"], unique=False)
    op.create_index(op.f("ix_playback_renewed_at"), "playback", ["renewed_at"], unique=False)
    op.create_index(
        "uq_playback_user_id_place",
        "playback",
        ["user_id", "place"],
        unique=True,
        postgresql_where="place IS NOT NULL",
    )
    op.create_table(
        "spread_dismissal",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_spread_dismissal_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_spread_dismissal")),
    )
    op.create_table(
        "media_key",
        sa.Column("kid", sa.String(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signs_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alone_from", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kid", name=op.f("pk_media_key")),
    )
    op.create_table(
        "progress",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("lesson_id", sa.Uuid(), nullable=False),
        sa.Column("position_s", sa.Double(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lesson.id"], name=op.f("fk_progress_lesson_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_progress_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "lesson_id", name=op.f("pk_progress")),
    )
    op.create_index("ix_progress_user_id_saved_at", "progress", ["user_id", "saved_at"], unique=False)
    op.create_table(
        "article_relation",
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("related_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_article_relation_article_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["related_id"], ["article.id"], name=op.f("fk_article_relation_related_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", "related_id", name=op.f("pk_article_relation")),
    )
    op.create_table(
        "billing_rehearsal",
        sa.Column("asked_by_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("at_stripe", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('playing', 'right', 'wrong', 'failed')", name=op.f("ck_billing_rehearsal_state")
        ),
        sa.ForeignKeyConstraint(
            ["asked_by_id"],
            ["user_account.id"],
            name=op.f("fk_billing_rehearsal_asked_by_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_rehearsal")),
    )
    op.create_index("ix_billing_rehearsal_asked_at", "billing_rehearsal", ["asked_at"], unique=False)
    op.create_index(
        op.f("ix_billing_rehearsal_asked_by_id"), "billing_rehearsal", ["asked_by_id"], unique=False
    )
    op.create_table(
        "comment",
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_hash", sa.String(length=64), nullable=False),
        sa.Column("is_author", sa.Boolean(), nullable=False),
        sa.Column("body_md", sa.Text(), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("ip", sa.String(length=45), nullable=False),
        sa.Column("writer", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("edits", sa.Integer(), nullable=False),
        sa.Column("moderated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'approved', 'spam', 'removed', 'withdrawn')",
            name=op.f("ck_comment_state"),
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_comment_article_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["comment.id"], name=op.f("fk_comment_parent_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_comment_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment")),
    )
    op.create_index("ix_comment_article_id_state", "comment", ["article_id", "state"], unique=False)
    op.create_index(op.f("ix_comment_created_at"), "comment", ["created_at"], unique=False)
    op.create_index(op.f("ix_comment_email"), "comment", ["email"], unique=False)
    op.create_index(op.f("ix_comment_writer"), "comment", ["writer"], unique=False)
    op.create_index(op.f("ix_comment_parent_id"), "comment", ["parent_id"], unique=False)
    op.create_table(
        "response_ban",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("writer", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('address', 'account', 'network')", name=op.f("ck_response_ban_kind")),
        sa.CheckConstraint(
            "kind <> 'network' OR ends_at IS NOT NULL", name=op.f("ck_response_ban_network_ends")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_response_ban_user_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user_account.id"], name=op.f("fk_response_ban_created_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_response_ban")),
    )
    op.create_index("ix_response_ban_kind_value", "response_ban", ["kind", "value"], unique=False)
    op.create_index(op.f("ix_response_ban_user_id"), "response_ban", ["user_id"], unique=False)
    op.create_index(op.f("ix_response_ban_writer"), "response_ban", ["writer"], unique=False)
    op.create_table(
        "spent_stamp",
        sa.Column("challenge", sa.String(length=64), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("challenge", name=op.f("pk_spent_stamp")),
    )
    op.create_index(op.f("ix_spent_stamp_spent_at"), "spent_stamp", ["spent_at"], unique=False)
    op.create_table(
        "comment_report",
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("is_trapped", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comment.id"], name=op.f("fk_comment_report_comment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment_report")),
        sa.UniqueConstraint("comment_id", "network", name=op.f("uq_comment_report_comment_id_network")),
    )
    op.create_index(op.f("ix_comment_report_handled_at"), "comment_report", ["handled_at"], unique=False)
    op.create_table(
        "comment_follow",
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("writer", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["comment_id"], ["comment.id"], name=op.f("fk_comment_follow_comment_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comment_follow")),
        sa.UniqueConstraint("comment_id", "email", name=op.f("uq_comment_follow_comment_id_email")),
    )
    op.create_index(op.f("ix_comment_follow_email"), "comment_follow", ["email"], unique=False)
    op.create_table(
        "tag",
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag")),
        sa.UniqueConstraint("slug", name=op.f("uq_tag_slug")),
    )
    op.create_table(
        "article_revision",
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("body_md", sa.Text(), nullable=False),
        sa.Column("saved_by", sa.Uuid(), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_article_revision_article_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["saved_by"], ["user_account.id"], name=op.f("fk_article_revision_saved_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_article_revision")),
    )
    op.create_index(
        "ix_article_revision_article_id_saved_at",
        "article_revision",
        ["article_id", "saved_at"],
        unique=False,
    )
    op.create_table(
        "article_tag",
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_article_tag_article_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["tag.id"], name=op.f("fk_article_tag_tag_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", "tag_id", name=op.f("pk_article_tag")),
    )
    op.create_index(op.f("ix_article_tag_tag_id"), "article_tag", ["tag_id"], unique=False)
    op.create_table(
        "old_address",
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=True),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(article_id IS NULL) <> (target IS NULL)", name=op.f("ck_old_address_one_target")
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_old_address_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_old_address")),
    )
    op.create_index(op.f("ix_old_address_article_id"), "old_address", ["article_id"], unique=False)
    op.create_table(
        "arrival",
        sa.Column("source", sa.String(length=220), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("foreign_id", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("source", "kind", "foreign_id", name=op.f("pk_arrival")),
    )
    op.create_table(
        "former_item",
        sa.Column("source", sa.String(length=220), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("foreign_id", sa.Text(), nullable=False),
        sa.Column("said", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("source", "kind", "foreign_id", name=op.f("pk_former_item")),
    )
    op.create_table(
        "series",
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint("slug", name=op.f("uq_series_slug")),
    )
    op.create_table(
        "series_part",
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("series_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_series_part_article_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["series_id"], ["series.id"], name=op.f("fk_series_part_series_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", name=op.f("pk_series_part")),
    )
    op.create_index(op.f("ix_series_part_series_id"), "series_part", ["series_id"], unique=False)
    op.create_table(
        "topic",
        sa.Column("slug", sa.String(length=80), nullable=True),
        sa.Column("title", sa.String(length=160), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("lesson_id", sa.Uuid(), nullable=True),
        sa.Column("course_id", sa.Uuid(), nullable=True),
        sa.Column("article_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "num_nonnulls(lesson_id, course_id, article_id) <= 1", name=op.f("ck_topic_one_thing")
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_topic_article_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name=op.f("fk_topic_course_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lesson.id"], name=op.f("fk_topic_lesson_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic")),
        sa.UniqueConstraint("article_id", name=op.f("uq_topic_article_id")),
        sa.UniqueConstraint("course_id", name=op.f("uq_topic_course_id")),
        sa.UniqueConstraint("lesson_id", name=op.f("uq_topic_lesson_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_topic_slug")),
    )
    op.create_table(
        "offer_visit",
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_offer_visit_article_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("article_id", "day", name=op.f("pk_offer_visit")),
    )
    op.create_index(op.f("ix_offer_visit_day"), "offer_visit", ["day"], unique=False)
    op.create_table(
        "topic_waiting",
        sa.Column("topic_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_trapped", sa.Boolean(), nullable=False),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_topic_waiting_article_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["topic_id"], ["topic.id"], name=op.f("fk_topic_waiting_topic_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_topic_waiting")),
        sa.UniqueConstraint("topic_id", "email", name=op.f("uq_topic_waiting_topic_id_email")),
    )
    op.create_index(op.f("ix_topic_waiting_held_at"), "topic_waiting", ["held_at"], unique=False)
    op.create_index(op.f("ix_topic_waiting_article_id"), "topic_waiting", ["article_id"], unique=False)
    op.create_index("ix_topic_waiting_email", "topic_waiting", ["email"], unique=False)
    op.create_table(
        "search_word",
        sa.Column("word", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_search_word")),
    )
    op.create_index(
        "ix_search_word_beginning",
        "search_word",
        ["word"],
        unique=False,
        postgresql_ops={"word": "text_pattern_ops"},
    )
    op.create_index(
        "ix_search_word_trigrams",
        "search_word",
        ["word"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"word": "gin_trgm_ops"},
    )
    op.create_table(
        "term",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("slug", sa.String(length=80), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("synonyms", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("body_md", sa.Text(), nullable=False),
        sa.Column("body_html", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("kind IN ('muscle', 'condition')", name=op.f("ck_term_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_term")),
        sa.UniqueConstraint("slug", name=op.f("uq_term_slug")),
    )
    op.create_table(
        "term_region",
        sa.Column("term_id", sa.Uuid(), nullable=False),
        sa.Column("region", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(
            ["term_id"], ["term.id"], name=op.f("fk_term_region_term_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("term_id", "region", name=op.f("pk_term_region")),
    )
    op.create_index(op.f("ix_term_region_region"), "term_region", ["region"], unique=False)
    op.create_table(
        "term_lesson",
        sa.Column("term_id", sa.Uuid(), nullable=False),
        sa.Column("lesson_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lesson.id"], name=op.f("fk_term_lesson_lesson_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["term_id"], ["term.id"], name=op.f("fk_term_lesson_term_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("term_id", "lesson_id", name=op.f("pk_term_lesson")),
    )
    op.create_index(op.f("ix_term_lesson_lesson_id"), "term_lesson", ["lesson_id"], unique=False)
    op.create_table(
        "search_document",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=True),
        sa.Column("course_id", sa.Uuid(), nullable=True),
        sa.Column("lesson_id", sa.Uuid(), nullable=True),
        sa.Column("track_id", sa.Uuid(), nullable=True),
        sa.Column("video_id", sa.Uuid(), nullable=True),
        sa.Column("term_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("headings", sa.Text(), nullable=False),
        sa.Column("lead", sa.Text(), nullable=False),
        sa.Column("whole", postgresql.TSVECTOR(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('article', 'course', 'lesson', 'spoken', 'term')", name=op.f("ck_search_document_kind")
        ),
        sa.CheckConstraint(
            "num_nonnulls(article_id, course_id, lesson_id, track_id, video_id, term_id) = 1",
            name=op.f("ck_search_document_one_subject"),
        ),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_search_document_article_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["course_id"], ["course.id"], name=op.f("fk_search_document_course_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lesson.id"], name=op.f("fk_search_document_lesson_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["term_id"], ["term.id"], name=op.f("fk_search_document_term_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["track_id"], ["caption_track.id"], name=op.f("fk_search_document_track_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["video_id"], ["video.id"], name=op.f("fk_search_document_video_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_document")),
        sa.UniqueConstraint("article_id", "kind", name=op.f("uq_search_document_article_id_kind")),
        sa.UniqueConstraint("course_id", "kind", name=op.f("uq_search_document_course_id_kind")),
        sa.UniqueConstraint("lesson_id", "kind", name=op.f("uq_search_document_lesson_id_kind")),
        sa.UniqueConstraint("term_id", "kind", name=op.f("uq_search_document_term_id_kind")),
        sa.UniqueConstraint("track_id", "kind", name=op.f("uq_search_document_track_id_kind")),
        sa.UniqueConstraint("video_id", "kind", name=op.f("uq_search_document_video_id_kind")),
    )
    op.create_index(
        "ix_search_document_article",
        "search_document",
        ["whole"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("kind = 'article'"),
    )
    op.create_index(
        "ix_search_document_course",
        "search_document",
        ["whole"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("kind = 'course'"),
    )
    op.create_index(
        "ix_search_document_lesson",
        "search_document",
        ["whole"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("kind = 'lesson'"),
    )
    op.create_index(
        "ix_search_document_spoken",
        "search_document",
        ["whole"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("kind = 'spoken'"),
    )
    op.create_index(
        "ix_search_document_term",
        "search_document",
        ["whole"],
        unique=False,
        postgresql_using="gin",
        postgresql_where=sa.text("kind = 'term'"),
    )
    op.create_table(
        "term_article",
        sa.Column("term_id", sa.Uuid(), nullable=False),
        sa.Column("article_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["article_id"], ["article.id"], name=op.f("fk_term_article_article_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["term_id"], ["term.id"], name=op.f("fk_term_article_term_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("term_id", "article_id", name=op.f("pk_term_article")),
    )
    op.create_index(op.f("ix_term_article_article_id"), "term_article", ["article_id"], unique=False)
    op.create_table(
        "search_passage",
        sa.Column("document_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("at_s", sa.Integer(), nullable=True),
        sa.Column("anchor", sa.String(length=120), nullable=False),
        sa.Column("marks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("lexemes", postgresql.TSVECTOR(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["search_document.id"],
            name=op.f("fk_search_passage_document_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("document_id", "position", name=op.f("pk_search_passage")),
    )
    op.create_table(
        "import_run",
        sa.Column("asked_by_id", sa.Uuid(), nullable=True),
        sa.Column("files", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("fetches_pictures", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("phase", sa.String(length=8), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("adds_up", sa.Boolean(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "state IN ('looking', 'looked', 'importing', 'done', 'failed')", name=op.f("ck_import_run_state")
        ),
        sa.ForeignKeyConstraint(
            ["asked_by_id"], ["user_account.id"], name=op.f("fk_import_run_asked_by_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
    )
    op.create_index(op.f("ix_import_run_asked_at"), "import_run", ["asked_at"], unique=False)
    # The ledger and the audit trail are append-only for the application too; only deleting a person's row cascades.
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
    """)
    op.execute("""
        CREATE TRIGGER entitlement_entry_append_only BEFORE UPDATE OR DELETE ON entitlement_entry
        FOR EACH ROW EXECUTE FUNCTION refuse_change()
    """)


def downgrade() -> None:
    op.execute("DROP TRIGGER entitlement_entry_append_only ON entitlement_entry")
    op.execute("DROP FUNCTION refuse_change()")
    op.drop_index(op.f("ix_offer_visit_day"), table_name="offer_visit")
    op.drop_table("offer_visit")
    op.drop_index("ix_topic_waiting_email", table_name="topic_waiting")
    op.drop_index(op.f("ix_topic_waiting_held_at"), table_name="topic_waiting")
    op.drop_index(op.f("ix_topic_waiting_article_id"), table_name="topic_waiting")
    op.drop_table("topic_waiting")
    op.drop_table("topic")
    op.drop_index(op.f("ix_series_part_series_id"), table_name="series_part")
    op.drop_table("series_part")
    op.drop_table("series")
    op.drop_table("search_passage")
    op.drop_index(op.f("ix_term_article_article_id"), table_name="term_article")
    op.drop_table("term_article")
    op.drop_index(
        "ix_search_document_term",
        table_name="search_document",
        postgresql_using="gin",
        postgresql_where=sa.text("kind = 'term'"),
    )
    op.drop_index(
        "ix_search_document_spoken",
        table_name="search_document",
        postgresql_using="gin",
        postgresql_where=sa.text("kind = 'spoken'"),
    )
    op.drop_index(
        "ix_search_document_lesson",
        table_name="search_document",
        postgresql_using="gin",
        postgresql_where=sa.text("kind = 'lesson'"),
    )
    op.drop_index(
        "ix_search_document_course",
        table_name="search_document",
        postgresql_using="gin",
        postgresql_where=sa.text("kind = 'course'"),
    )
    op.drop_index(
        "ix_search_document_article",
        table_name="search_document",
        postgresql_using="gin",
        postgresql_where=sa.text("kind = 'article'"),
    )
    op.drop_table("search_document")
    op.drop_index(op.f("ix_term_lesson_lesson_id"), table_name="term_lesson")
    op.drop_table("term_lesson")
    op.drop_index(op.f("ix_term_region_region"), table_name="term_region")
    op.drop_table("term_region")
    op.drop_table("term")
    op.drop_index(
        "ix_search_word_trigrams",
        table_name="search_word",
        postgresql_using="gin",
        postgresql_ops={"word": "gin_trgm_ops"},
    )
    op.drop_index(
        "ix_search_word_beginning", table_name="search_word", postgresql_ops={"word": "text_pattern_ops"}
    )
    op.drop_table("search_word")
    op.drop_index(op.f("ix_import_run_asked_at"), table_name="import_run")
    op.drop_table("import_run")
    op.drop_table("former_item")
    op.drop_table("arrival")
    op.drop_index(op.f("ix_old_address_article_id"), table_name="old_address")
    op.drop_table("old_address")
    op.drop_index(op.f("ix_article_tag_tag_id"), table_name="article_tag")
    op.drop_table("article_tag")
    op.drop_index("ix_article_revision_article_id_saved_at", table_name="article_revision")
    op.drop_table("article_revision")
    op.drop_table("tag")
    op.drop_index(op.f("ix_comment_follow_email"), table_name="comment_follow")
    op.drop_table("comment_follow")
    op.drop_index(op.f("ix_spent_stamp_spent_at"), table_name="spent_stamp")
    op.drop_table("spent_stamp")
    op.drop_index(op.f("ix_response_ban_writer"), table_name="response_ban")
    op.drop_index(op.f("ix_response_ban_user_id"), table_name="response_ban")
    op.drop_index("ix_response_ban_kind_value", table_name="response_ban")
    op.drop_table("response_ban")
    op.drop_index(op.f("ix_comment_report_handled_at"), table_name="comment_report")
    op.drop_table("comment_report")
    op.drop_index(op.f("ix_comment_parent_id"), table_name="comment")
    op.drop_index(op.f("ix_comment_writer"), table_name="comment")
    op.drop_index(op.f("ix_comment_email"), table_name="comment")
    op.drop_index(op.f("ix_comment_created_at"), table_name="comment")
    op.drop_index("ix_comment_article_id_state", table_name="comment")
    op.drop_table("comment")
    op.drop_index(op.f("ix_billing_rehearsal_asked_by_id"), table_name="billing_rehearsal")
    op.drop_index("ix_billing_rehearsal_asked_at", table_name="billing_rehearsal")
    op.drop_table("billing_rehearsal")
    op.drop_table("article_relation")
    op.drop_index("ix_progress_user_id_saved_at", table_name="progress")
    op.drop_table("progress")
    op.drop_table("media_key")
    op.drop_table("spread_dismissal")
    op.drop_index(op.f("ix_playback_video_id"), table_name="playback")
    op.drop_index(op.f("ix_playback_user_id"), table_name="playback")
    op.drop_index(op.f("ix_playback_lesson_id"), table_name="playback")
    op.drop_table("playback")
    op.drop_index("ix_article_pages", table_name="article", postgresql_where=sa.text("NOT is_listed"))
    op.drop_index("ix_article_likeness", table_name="article", postgresql_using="gin")
    op.drop_table("article")
    op.drop_table("upload_part")
    op.drop_index(op.f("ix_upload_video_id"), table_name="upload")
    op.drop_index(op.f("ix_upload_owner_id"), table_name="upload")
    op.drop_index(op.f("ix_upload_expires_at"), table_name="upload")
    op.drop_table("upload")
    op.drop_table("chapter")
    op.drop_table("caption_track")
    op.drop_index(op.f("ix_clip_video_id"), table_name="clip")
    op.drop_table("clip")
    op.drop_table("caption_draft")
    op.drop_index(op.f("ix_stripe_charge_payment_intent_id"), table_name="stripe_charge")
    op.drop_index(op.f("ix_stripe_charge_customer_id"), table_name="stripe_charge")
    op.drop_table("stripe_charge")
    op.drop_index(op.f("ix_stripe_purchase_payment_intent_id"), table_name="stripe_purchase")
    op.drop_index(op.f("ix_stripe_purchase_customer_id"), table_name="stripe_purchase")
    op.drop_table("stripe_purchase")
    op.drop_index(op.f("ix_price_move_member_subscription_id"), table_name="price_move_member")
    op.drop_table("price_move_member")
    op.drop_index(op.f("ix_leaving_answer_user_id"), table_name="leaving_answer")
    op.drop_index(op.f("ix_leaving_answer_answered_at"), table_name="leaving_answer")
    op.drop_table("leaving_answer")
    op.drop_table("stay_offer")
    op.drop_index(op.f("ix_billing_notice_customer_id"), table_name="billing_notice")
    op.drop_table("billing_notice")
    op.drop_table("stripe_card")
    op.drop_index(op.f("ix_stripe_subscription_customer_id"), table_name="stripe_subscription")
    op.drop_table("stripe_subscription")
    op.drop_index(op.f("ix_plan_price_plan_id"), table_name="plan_price")
    op.drop_table("plan_price")
    op.drop_table("plan_amount")
    op.drop_index(
        "uq_price_move_planned", table_name="price_move", postgresql_where=sa.text("state = 'planned'")
    )
    op.drop_table("price_move")
    op.drop_index(op.f("ix_lesson_video_id"), table_name="lesson")
    op.drop_index(op.f("ix_lesson_section_id"), table_name="lesson")
    op.drop_index(op.f("ix_lesson_course_id"), table_name="lesson")
    op.drop_table("lesson")
    op.drop_index(
        "uq_checkout_attempt_open",
        table_name="checkout_attempt",
        postgresql_where=sa.text("state = 'open' AND gift_id IS NULL"),
    )
    op.drop_index(op.f("ix_checkout_attempt_user_id"), table_name="checkout_attempt")
    op.drop_index(op.f("ix_checkout_attempt_gift_id"), table_name="checkout_attempt")
    op.drop_table("checkout_attempt")
    op.drop_index(op.f("ix_gift_giver_id"), table_name="gift")
    op.drop_index("ix_gift_due", table_name="gift")
    op.drop_index(op.f("ix_gift_claimed_by"), table_name="gift")
    op.drop_table("gift")
    op.drop_index(op.f("ix_video_state"), table_name="video")
    op.drop_index(op.f("ix_video_created_at"), table_name="video")
    op.drop_index(op.f("ix_video_changed_at"), table_name="video")
    op.drop_table("video")
    op.drop_index(op.f("ix_user_session_user_id"), table_name="user_session")
    op.drop_table("user_session")
    op.drop_table("stripe_customer")
    op.drop_index(op.f("ix_section_course_id"), table_name="section")
    op.drop_table("section")
    op.drop_index(op.f("ix_plan_course_course_id"), table_name="plan_course")
    op.drop_table("plan_course")
    op.drop_table("plan")
    op.drop_index("ix_entitlement_user_id", table_name="entitlement")
    op.drop_table("entitlement")
    op.drop_index(op.f("ix_audit_entry_at"), table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_table("worker_heartbeat")
    op.drop_table("user_account")
    op.drop_index(
        "ix_stripe_sync_behind", table_name="stripe_sync", postgresql_where=sa.text("wanted_seq > done_seq")
    )
    op.drop_table("stripe_sync")
    op.drop_index(op.f("ix_stripe_event_type"), table_name="stripe_event")
    op.drop_index(op.f("ix_stripe_event_customer_id"), table_name="stripe_event")
    op.drop_table("stripe_event")
    op.drop_table("stripe_account")
    op.drop_table("practice")
    op.drop_table("location")
    op.drop_index(op.f("ix_entitlement_entry_user_id"), table_name="entitlement_entry")
    op.drop_index(op.f("ix_entitlement_entry_entitlement_id"), table_name="entitlement_entry")
    op.drop_table("entitlement_entry")
    op.drop_table("course")
    op.drop_index(op.f("ix_contact_message_created_at"), table_name="contact_message")
    op.drop_table("contact_message")
    op.drop_index("ix_attempt_bucket_at", table_name="attempt")
    op.drop_table("attempt")
