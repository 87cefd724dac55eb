"""pace: when a message was tried last, and in which digest it went"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("tried_at", sa.BigInteger(), nullable=True))
    op.add_column("outbox", sa.Column("digest", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("outbox_waiting")
        batch_op.create_index(
            "outbox_waiting",
            ["state", "incident", "receiver", "channel", "level", "not_before", "created_at"],
            unique=False,
        )
        batch_op.create_index("outbox_by_try", ["tried_at"], unique=False)
        batch_op.create_index("outbox_of_digest", ["digest"], unique=False)
