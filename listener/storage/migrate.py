"""Alembic, run at start on the connection that the database already has."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection, to: str = "head") -> None:
    """Bring the tables to the newest form, or to that of a migration."""
    command.upgrade(_config(connection), to)
    connection.commit()


def revision(connection: Connection) -> tuple[str | None, str | None]:
    """The form that the tables have, and the newest there is."""
    head = ScriptDirectory.from_config(_config(connection)).get_current_head()
    return MigrationContext.configure(connection).get_current_revision(), head
