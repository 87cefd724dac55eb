"""delivery: failures in a row, sends of unknown fate, what was passed on, what is told by the clock"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("doubtful", sa.Boolean(), server_default="0", nullable=False))
    op.add_column("outbox", sa.Column("passed_on", sa.Text(), server_default="", nullable=False))
    op.add_column("outbox", sa.Column("source", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True))
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("outbox_passed_on", ["passed_on"], unique=False)
    op.add_column("holds", sa.Column("at", sa.BigInteger(), nullable=True))
    op.add_column("holds", sa.Column("failures", sa.Integer(), server_default="0", nullable=False))
    op.create_table(
        "marks",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
