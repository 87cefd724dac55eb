"""What can be said of a story: where it began, who carried it, how fast it grows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from alerts import Because
from rules.mention import Mention
from rules.story_known import card_of

DOUBLED_FROM = 8
"""Copies below which "doubled" says nothing."""
NEW = timedelta(days=30)
"""An account younger than this at the time of its post is new."""
TINY = 50
"""An account with fewer followers is tiny."""
HINT_ACCOUNTS, HINT_SHARE = 10, 0.6
"""Accounts, at least, of which something is known, and the share of new or tiny ones among them, for a hint."""
_SLOTS = tuple(timedelta(minutes=minutes) for minutes in (5, 15, 60, 360, 1440))
_MOST_SLOTS = 48


@dataclass(frozen=True, slots=True)
class Carrier:
    """The mention that reached most people, by what its platform says."""

    author: str
    channel: str
    people: int
    url: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StoryFacts:
    """``channels``: each with when the story came there, in that order. ``people``: reached, counted once per mention.

    ``curve``: mentions per slot from the first on, zeros too, at most 48. ``doubling``: how long the last doubling took;
    None below DOUBLED_FROM copies. ``accounts``: those with a text of their own and of which followers or age are known;
    ``doubtful``: the new and tiny ones among these.
    """

    id: str
    title: str
    first_source: str
    first_url: str
    first_at: datetime
    last_at: datetime
    copies: int
    authors: int
    channels: tuple[tuple[str, datetime], ...]
    people: int
    carrier: Carrier | None
    slot: timedelta
    curve: tuple[int, ...]
    doubling: timedelta | None
    accounts: int
    doubtful: int

    @property
    def hint(self) -> Because | None:
        """That the copies may be coordinated, where the accounts look so. It is a reason to look, and proves nothing."""
        if self.accounts < HINT_ACCOUNTS or self.doubtful < HINT_SHARE * self.accounts:
            return None
        share = 100 * self.doubtful // self.accounts
        return Because(
            f"线索：发布近似文本的 {self.accounts} 个账号中有 {share}% 是新注册或粉丝很少的账号，可能存在有组织的转发；"
            "仅供参考，请人工核实",
            f"hint: of {self.accounts} accounts that posted nearly the same text, {share}% are new or have few followers; "
            "this may be coordinated, and proves nothing: have a person look",
        )


def story_facts(story: str, members: Sequence[tuple[datetime, Mention]]) -> StoryFacts:
    """The facts of a story from its members, one at least, each with its event time, in any order."""
    ordered = sorted(members, key=lambda member: (member[0], member[1].source, member[1].external_id))
    times = [at for at, _ in ordered]
    first_at, first = ordered[0]
    channels: dict[str, datetime] = {}
    for at, mention in ordered:
        channels.setdefault(mention.channel, at)
    accounts, doubtful = _accounts(ordered)
    slot, curve = _curve(times)
    return StoryFacts(
        id=story,
        title=card_of(first, first_at, 0).title,
        first_source=first.source,
        first_url=first.url,
        first_at=first_at,
        last_at=times[-1],
        copies=len(ordered),
        authors=len({_who(mention) for _, mention in ordered} - {""}),
        channels=tuple(channels.items()),
        people=sum(mention.people for _, mention in ordered),
        carrier=_carrier(ordered),
        slot=slot,
        curve=curve,
        doubling=times[-1] - times[len(times) // 2 - 1] if len(times) >= DOUBLED_FROM else None,
        accounts=accounts,
        doubtful=doubtful,
    )


def _who(mention: Mention) -> str:
    name = (mention.author.id or mention.author.name) if mention.author else ""
    return f"{mention.channel}:{name}" if name else ""


def _carrier(ordered: Sequence[tuple[datetime, Mention]]) -> Carrier | None:
    at, mention = max(ordered, key=lambda member: member[1].people)  # the first of those with as many
    if not mention.people:
        return None
    author = mention.author.name if mention.author else ""
    return Carrier(author, mention.channel, mention.people, mention.url, at)


def _curve(times: Sequence[datetime]) -> tuple[timedelta, tuple[int, ...]]:
    """Slots are whole ones from the first mention on; what takes longer than 48 days is cut at its end."""
    length = times[-1] - times[0]
    slot = next((one for one in _SLOTS if length < _MOST_SLOTS * one), _SLOTS[-1])
    counts = [0] * min(length // slot + 1, _MOST_SLOTS)
    for at in times:
        place = (at - times[0]) // slot
        if place < len(counts):
            counts[place] += 1
    return slot, tuple(counts)


def _accounts(ordered: Sequence[tuple[datetime, Mention]]) -> tuple[int, int]:
    """Accounts that wrote the text themselves, of which anything is known; and the new or tiny ones of them.

    Whoever presses the button to repost copies nothing: small accounts do that all day.
    """
    known: dict[str, bool] = {}
    for at, mention in ordered:
        author = mention.author
        if author is None or mention.repost_of or mention.quote_of:
            continue
        if author.followers is None and author.created_at is None:
            continue
        new = author.created_at is not None and at - author.created_at < NEW
        tiny = author.followers is not None and author.followers < TINY and not author.verified
        known.setdefault(_who(mention), new or tiny)
    known.pop("", None)
    return len(known), sum(known.values())
