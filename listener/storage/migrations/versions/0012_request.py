"""request: what makes a retry of a command the same, in a column of its own, and no longer in its payload"""

import json

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0009"
branch_labels = None
depends_on = None

_AT_ONCE = 1000


def upgrade() -> None:
    op.add_column("commands", sa.Column("request", sa.String(), nullable=True))
    commands = sa.table(
        "commands",
        sa.column("id", sa.BigInteger()),
        sa.column("payload", sa.Text()),
        sa.column("request", sa.String()),
    )
    moving = (
        sa.update(commands)
        .where(commands.c.id == sa.bindparam("number"))
        .values(payload=sa.bindparam("said"), request=sa.bindparam("key"))
    )
    connection, last = op.get_bind(), 0
    query = sa.select(commands.c.id, commands.c.payload).where(commands.c.payload.contains('"request": '))
    while page := connection.execute(query.where(commands.c.id > last).order_by(commands.c.id).limit(_AT_ONCE)).all():
        last = page[-1].id
        moved = []
        for number, text in page:
            payload = json.loads(text)
            key = payload.pop("request", None)
            if key is not None:
                moved.append({"number": number, "said": json.dumps(payload, ensure_ascii=False), "key": key})
        if moved:
            connection.execute(moving, moved)
    op.create_index("commands_of_request", "commands", ["request", "id"], unique=False)
