"""${message}.

Schema only, or data only, never both; no import from `app`, whose code moves on. Locks: env.py sets lock_timeout,
so build indexes on large tables with `postgresql_concurrently=True` inside `autocommit_block()`.

Revision: ${up_revision}
Revises: ${down_revision | comma,n}
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
