"""escalation: how far each chain is with an incident, what was said once, and why a message is sent"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "escalations",
        sa.Column("incident", sa.String(), nullable=False),
        sa.Column("wave", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.String(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("left", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("notified", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("incident", "wave", "chain"),
    )
    op.create_index("escalations_due", "escalations", ["state", "due_at"], unique=False)
    op.create_table(
        "said",
        sa.Column("incident", sa.String(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("incident", "mark"),
    )
    op.add_column("outbox", sa.Column("note", sa.Text(), server_default="", nullable=False))
