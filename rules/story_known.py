"""What the engine knows of the stories in its windows: enough to name one, and to tell how far it has come."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from alerts import StoryRef
from rules.mention import Mention

MAX_KNOWN = 50_000
"""Stories kept; past that those that nothing came to for longest are forgotten, and no longer named."""
MAX_CHANNELS = 20
NAMED = 3
"""Stories named per alert."""
_TITLE_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Card:
    """``title`` and ``url``: of the earliest member by event time. ``channels``: each with when the story came there.

    ``last``: the newest pane that holds a member, as minutes since 1970.
    """

    first: tuple[datetime, str, str]
    title: str
    url: str
    channels: Mapping[str, datetime]
    last: int

    def joined(self, other: "Card") -> "Card":
        """One card of two; the same whichever came first."""
        earlier = min(self, other, key=lambda card: card.first)
        channels = dict(self.channels)
        for name, at in other.channels.items():
            channels[name] = min(at, channels.get(name, at))
        order = sorted(channels.items(), key=lambda item: (item[1], item[0]))[:MAX_CHANNELS]
        return replace(earlier, channels=dict(order), last=max(self.last, other.last))


def card_of(mention: Mention, event_at: datetime, minute: int) -> Card:
    text = " ".join((mention.title or mention.text[: 4 * _TITLE_LENGTH]).split())
    title = text if len(text) <= _TITLE_LENGTH else text[: _TITLE_LENGTH - 1] + "…"
    return Card(
        (event_at, mention.source, mention.external_id), title, mention.url, {mention.channel: event_at}, minute
    )


class KnownStories:
    """``aliases``: stories that turned out to be others, and what they are called since."""

    def __init__(self) -> None:
        self.cards: dict[str, Card] = {}
        self.aliases: dict[str, str] = {}
        # Which to look at when a minute has left every window: a tick must not visit them all.
        self._by_last: dict[int, list[str]] = {}
        self._minutes: list[int] = []

    def restore(self, cards: Mapping[str, Card], aliases: Mapping[str, str]) -> None:
        """Know these, and nothing else."""
        self.cards, self.aliases = dict(cards), dict(aliases)
        self._by_last, self._minutes = {}, []
        for story, card in self.cards.items():
            self._file(story, card.last)

    def see(self, story: str, card: Card) -> None:
        """A member came."""
        known = self.cards.get(story)
        self.cards[story] = new = card if known is None else known.joined(card)
        if known is None or known.last != new.last:
            self._file(story, new.last)

    def merge(self, alias: str, story: str) -> None:
        """What was told as *alias* counts as *story* from now on."""
        card = self.cards.pop(alias, None)
        if card is None:
            return
        self.see(story, card)
        self.aliases = {old: story if new == alias else new for old, new in self.aliases.items()}
        self.aliases[alias] = story

    def largest(self, counts: Mapping[str, int]) -> tuple[StoryRef, ...]:
        """The stories of which most mentions stand in a window; one mention alone is no story."""
        copies: Counter[str] = Counter()
        for story, count in counts.items():
            copies[self.aliases.get(story, story)] += count
        ranked = sorted((-count, story) for story, count in copies.items() if count > 1 and story in self.cards)
        return tuple(
            StoryRef(story, card.title, -count, tuple(card.channels), card.url)
            for count, story in ranked[:NAMED]
            for card in (self.cards[story],)
        )

    def forget(self, oldest: int) -> None:
        """Let go of stories that nothing has come to since minute *oldest*, and of more where there are too many."""
        if len(self.cards) > MAX_KNOWN:
            oldest = max(oldest, sorted(card.last for card in self.cards.values())[-MAX_KNOWN])
        gone = False
        for minute in self._minutes[: bisect_left(self._minutes, oldest)]:
            for story in self._by_last.pop(minute):
                card = self.cards.get(story)
                # What has come to it since then filed it under a later minute too.
                if card is not None and card.last == minute:
                    del self.cards[story]
                    gone = True
        del self._minutes[: bisect_left(self._minutes, oldest)]
        if gone and self.aliases:
            self.aliases = {alias: story for alias, story in self.aliases.items() if story in self.cards}

    def _file(self, story: str, minute: int) -> None:
        if minute not in self._by_last:
            insort(self._minutes, minute)
            self._by_last[minute] = []
        self._by_last[minute].append(story)
