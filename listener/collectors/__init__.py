"""Where mentions come from. A new kind of source is one module here, one member of the union, one page of docs."""

from typing import Annotated

from pydantic import Field

from listener.collectors.config import SourceConfig
from listener.collectors.feed import FeedConfig
from listener.collectors.file import FileConfig

CollectorConfig = Annotated[FeedConfig | FileConfig, Field(discriminator="type")]

__all__ = ["CollectorConfig", "FeedConfig", "FileConfig", "SourceConfig"]
