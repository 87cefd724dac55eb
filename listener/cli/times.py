"""Times and spans of time as arguments of a command."""

import argparse
from datetime import datetime, timedelta

from listener.yaml_scalars import duration


def moment(text: str) -> datetime:
    """An RFC 3339 time with its offset, aware."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no RFC 3339 time") from error
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} lacks its offset, such as +08:00")
    return at


def span(text: str) -> timedelta:
    """A duration as the configuration writes it, not zero."""
    try:
        found = duration(text)
    except OverflowError:
        found = None
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration, such as 6h or 7d")
    return found
