"""Texts of the operator's own that say less than he means."""

import re
from collections.abc import Iterator

from alerts.channels.base import TextsConfig
from alerts.render.template import named
from listener.config.findings import Finding
from listener.config.model import Config
from listener.problem import Keys

_WHOM = frozenset({"headline", "brand", "topic", "short", "text", "because"})
_ADDRESS = re.compile(r"https?://|www\.", re.IGNORECASE)


def text_findings(config: Config) -> Iterator[Finding]:
    for index, receiver in enumerate(config.receivers):
        keys: Keys = ("receivers", index)
        yield from _of(receiver.templates, keys)
        for place, channel in enumerate(receiver.channels):
            yield from _of(getattr(channel, "templates", None), (*keys, "channels", place))


def _of(texts: TextsConfig | None, keys: Keys) -> Iterator[Finding]:
    if texts is None:
        return
    for name, source in (("headline", texts.headline), ("body", texts.body)):
        place = (*keys, "templates", name)
        if source is not None and _ADDRESS.search(source):
            message = "an address in a text cannot be followed; give the rule a playbook, whose address becomes a link"
            yield Finding("template-address", place, message)
    if texts.headline is not None and not named(texts.headline) & _WHOM:
        message = "does not say whom it is about: use {{ brand }} or {{ headline }}"
        yield Finding("template-without-brand", (*keys, "templates", "headline"), message)
