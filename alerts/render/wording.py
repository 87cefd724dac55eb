"""A notification in the operator's own words, from sandboxed templates (``alerts.render.template``).

``headline`` takes the place of the headline; ``body`` that of the sentence before it, the reason and the facts. Excerpts,
links and the footer stay, and so does what nobody may leave out: that a message is a test, and what could not be seen.
Whatever a template puts together is cleaned, defused and cut afterwards, and each channel escapes it like any other text.
"""

from dataclasses import dataclass, replace

from alerts.notification import Notification
from alerts.render import message
from alerts.render.message import BODY_LINE, BODY_LINES, HEADLINE
from alerts.render.template import TemplateMistakeError, rendered, values
from alerts.render.text import clean, cut, defuse
from alerts.render.words import WORDS
from alerts.texts import Texts, Wording

SHORT = 200  # characters of ``{{ short }}``
_READ_AT_MOST = 20_000  # of what a template gives


@dataclass(frozen=True, slots=True)
class Worded:
    """The notification as it may be sent, and for each template that failed its name and why; those texts are ours."""

    notification: Notification
    failed: tuple[tuple[str, str], ...] = ()


def worded(notification: Notification, texts: Texts) -> Worded:
    """Never raises. A digest is told in the program's words, whose lines are measured."""
    if notification.digest:
        return Worded(notification)
    told = values(message(notification), notification, characters=SHORT, secrets={})
    link = WORDS[notification.language]["link"]
    failed: list[tuple[str, str]] = []

    def lines(name: str, source: str | None) -> list[str]:
        if source is None:
            return []
        try:
            found = [defuse(line, link) for line in rendered(source, told)[:_READ_AT_MOST].splitlines()]
        except TemplateMistakeError as error:
            failed.append((name, str(error)))
            return []
        found = [line for line in found if line]
        if not found:
            failed.append((name, "the template gives no text"))
        return found

    headline = clean(" ".join(lines("headline", texts.headline)))
    body = tuple(cut(line, BODY_LINE) for line in lines("body", texts.body)[:BODY_LINES])
    wording = Wording(cut(headline, HEADLINE) or None, body)
    return Worded(replace(notification, wording=wording), tuple(failed))
