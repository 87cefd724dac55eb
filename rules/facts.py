"""What the engine keeps of a mention, for one topic: enough for every filter, count and excerpt, and no more."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from rules.excerpt import excerpt, marks
from rules.fold import fold
from rules.mention import Mention
from rules.pattern import Patterns, pattern_id
from rules.terms import Terms
from sentiment import Label, Reason, RiskCategory, Sentiment

TERMS = "terms"
"""What ``found`` holds every word of a mention under, where a rule asks for new ones."""
STORIES = "stories"
"""What the voices of each story are counted under, where a rule asks for them: ``found`` holds nothing there."""
_LONGEST_TEXT = 20_000
_LONGEST_NAME = 200

Key = tuple[str, str]
"""What is counted: ("channel" | "source" | "label" | "site" | "word", which one)."""


class Facts(NamedTuple):
    """A tuple, because one is made of every mention.

    ``who``: the author's identity over all sources of a channel, empty where there is none.

    ``found``: for each word list that the rules hold, by its id, the words of it that the mention holds.

    ``weight`` orders excerpts: the probability that it is negative times the reach's number of binary digits plus one,
    so that reach counts by its order of magnitude (an integer logarithm is the same on every machine).

    ``marks``: where in ``text`` the words stand that made it negative, as begin and end in code points, in order.
    """

    topic: str
    source: str
    external_id: str
    channel: str
    tier: str
    label: Label
    confidence: float
    negative: float
    author_id: str
    author: str
    followers: int | None
    verified: bool | None
    people: int
    text: str
    url: str
    published_at: datetime | None
    found: Mapping[str, tuple[str, ...]]
    who: str
    keys: tuple[Key, ...]
    weight: float
    site: str = ""
    region: str = ""
    risks: tuple[RiskCategory, ...] = ()
    story: str = ""
    marks: tuple[tuple[int, int], ...] = ()

    @property
    def id(self) -> tuple[str, str]:
        return self.source, self.external_id

    @property
    def voice(self) -> str:
        """Who speaks: the author, or where none is named the site, or the source."""
        return self.who or self.site or self.source

    @property
    def judged(self) -> "Judged":
        return Judged(self.label, self.confidence, self.negative, self.risks)


class Judged(NamedTuple):
    """What of a sentiment counts. ``reasons``: the stretches that made it negative, where it is that."""

    label: Label = "unknown"
    confidence: float = 0.0
    negative: float = 0.0
    risks: tuple[RiskCategory, ...] = ()
    reasons: tuple[Reason, ...] = ()


def judged(sentiment: Sentiment | None) -> Judged:
    """A mention without a score is labelled unknown."""
    if sentiment is None:
        return Judged()
    risks = tuple(sorted(risk.category for risk in sentiment.risks)) if sentiment.risks else ()
    against = sentiment.spans if sentiment.label == "negative" else ()
    reasons = tuple(reason for reason in against if reason.weight < 0) if against else ()
    return Judged(sentiment.label, sentiment.confidence, sentiment.negative, risks, reasons)


def lexicon_id(words: Sequence[str]) -> str:
    """The same for the same words in the same order, on every machine and in every run."""
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:12]


class Lookup:
    """Finds what the rules look for: the words of all lists in one pass over a text, and each list of patterns."""

    def __init__(self, lexicons: Sequence[tuple[str, ...]], patterns: Sequence[tuple[str, ...]] = ()) -> None:
        names = [lexicon_id(words) for words in lexicons]
        self._terms = Terms([word for words in lexicons for word in words])
        self._owners: list[list[tuple[str, str]]] = [[] for _ in self._terms.words]
        for name, words in zip(names, lexicons, strict=True):
            for word in Terms(words).words:
                self._owners[self._terms.index(word)].append((name, word))
        self._patterns = {pattern_id(one): Patterns(one) for one in patterns}
        self._order = {name: place for place, name in enumerate([*names, *self._patterns])}

    def find(self, mention: Mention) -> dict[str, tuple[str, ...]]:
        """What stands in the title or the first 20,000 characters of the text, by the id of the list that holds it."""
        hits: dict[str, set[str]] = {}
        for text in (mention.title, mention.text[:_LONGEST_TEXT]):
            if not text:
                continue
            if self._owners:
                for index, _, _ in self._terms.scan(fold(text)):
                    for name, word in self._owners[index]:
                        hits.setdefault(name, set()).add(word)
            for name, patterns in self._patterns.items():
                for _, _, shown in patterns.find(text):
                    hits.setdefault(name, set()).add(shown)
        if not hits:
            return {}
        return {name: tuple(sorted(hits[name])) for name in sorted(hits, key=self._order.__getitem__)}


def facts_of(
    mention: Mention,
    tier: str,
    topic: str,
    judgement: Judged,
    found: Mapping[str, tuple[str, ...]],
    story: str = "",
) -> Facts:
    """What counts of *mention* as a match of *topic*."""
    author, people = mention.author, mention.people
    text = excerpt(mention)
    return Facts(
        topic=topic,
        source=mention.source,
        external_id=mention.external_id,
        channel=mention.channel,
        tier=tier,
        label=judgement.label,
        confidence=judgement.confidence,
        negative=judgement.negative,
        author_id=author.id if author else "",
        author=author.name[:_LONGEST_NAME] if author else "",
        followers=author.followers if author else None,
        verified=author.verified if author else None,
        people=people,
        text=text,
        url=mention.url,
        published_at=mention.published_at,
        found=found,
        who=_who(mention),
        keys=_keys_of(mention, judgement.label),
        weight=_weight(judgement.negative, people),
        site=mention.site,
        region=mention.region,
        risks=judgement.risks,
        story=story,
        marks=marks(mention, text, judgement.reasons),
    )


def revised(old: Facts, mention: Mention, tier: str, found: Mapping[str, tuple[str, ...]]) -> Facts:
    """The same match of a mention that has changed: judged as before, and marked so where it still says the same."""
    new = facts_of(mention, tier, old.topic, old.judged, found, old.story)
    return new._replace(marks=old.marks) if new.text == old.text else new


def _keys_of(mention: Mention, label: Label) -> tuple[Key, ...]:
    keys = (("channel", mention.channel), ("source", mention.source), ("label", label))
    return (*keys, ("site", mention.site)) if mention.site else keys


def rejudged(facts: Facts, judgement: Judged) -> Facts:
    """The same mention under another judgement."""
    keys = tuple((kind, judgement.label) if kind == "label" else (kind, name) for kind, name in facts.keys)
    return facts._replace(
        label=judgement.label,
        confidence=judgement.confidence,
        negative=judgement.negative,
        keys=keys,
        weight=_weight(judgement.negative, facts.people),
        risks=judgement.risks,
        marks=facts.marks if judgement.label == "negative" else (),
    )


def _weight(negative: float, people: int) -> float:
    return negative * (people.bit_length() + 1)


def _who(mention: Mention) -> str:
    author = mention.author
    name = (author.id or author.name) if author else ""
    return f"{mention.channel}:{name[:_LONGEST_NAME]}" if name else ""
