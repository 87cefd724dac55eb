"""hours: what is held from a receiver, and which messages go in one once quiet hours end"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("told", sa.Column("held", sa.Text(), nullable=True))
    op.add_column("outbox", sa.Column("batch", sa.String(), server_default="", nullable=False))
