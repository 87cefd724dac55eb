"""A configuration file in; a checked Config out, or every mistake in it at once, each with its place.

Each package owns the model of its section; this package composes them and checks what one section says of another.
"""

from listener.config.load import check, load
from listener.config.model import Config, LogConfig, RetentionConfig, StorageConfig
from listener.problem import ConfigError, Problem

__all__ = [
    "Config",
    "ConfigError",
    "LogConfig",
    "Problem",
    "RetentionConfig",
    "StorageConfig",
    "check",
    "load",
]
