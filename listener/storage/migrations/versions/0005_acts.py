"""numbers of incidents, what fires, and whose incident a command was about"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incidents", sa.Column("number", sa.Integer(), server_default="0", nullable=False))
    op.add_column("incidents", sa.Column("firing", sa.Boolean(), server_default="0", nullable=False))
    op.execute("UPDATE incidents SET firing = open")
    op.add_column("commands", sa.Column("incident", sa.String(), server_default="", nullable=False))
    with op.batch_alter_table("incidents", schema=None) as batch_op:
        batch_op.create_index("incidents_by_number", ["number"], unique=False)
    with op.batch_alter_table("commands", schema=None) as batch_op:
        batch_op.create_index("commands_of_incident", ["incident", "id"], unique=False)
