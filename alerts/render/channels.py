"""What readers call the channels that sources name."""

from alerts.channel_names import in_chinese
from alerts.render.act import named
from alerts.render.words import Language


def channel(name: str, language: Language) -> str:
    """As it may stand in a line."""
    return named(in_chinese(name) if language == "zh" else name, language)
