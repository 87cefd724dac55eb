"""stories"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "story_aliases",
        sa.Column("alias", sa.String(), nullable=False),
        sa.Column("story", sa.String(), nullable=False),
        sa.Column("born", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("alias"),
    )
    with op.batch_alter_table("story_aliases", schema=None) as batch_op:
        batch_op.create_index("story_aliases_of_story", ["story"], unique=False)

    op.create_table(
        "story_memory",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("mentions", sa.Column("story", sa.String(), server_default="", nullable=False))
    op.add_column("mentions", sa.Column("story_born", sa.BigInteger(), nullable=True))
    op.add_column("mentions", sa.Column("first_line", sa.Text(), nullable=True))
    with op.batch_alter_table("mentions", schema=None) as batch_op:
        batch_op.create_index("mentions_of_story", ["story", "id"], unique=False)
