"""The one place that speaks SQL: mentions, the log, alerts, the outbox, the sources' state. Rows leave as dataclasses."""

from listener.storage.database import Database, StorageError

__all__ = ["Database", "StorageError"]
