"""Stories: near-duplicate mentions, reposts and quotes as one thing, found as they come.

Two mentions are of one story where a chain of edges joins them. An edge is one of these, looked at in no other light, so
that the order in which mentions come changes nothing in which belong together:

- they share a mark: the id of a post (the one's own, what the other passes on) or the address of a page;
- their passages are equal: letters and digits, and the numbers in them;
- their headlines are equal, of twelve letters at least: papers reprint under the same one, and cut the text as they like;
- one passage holds the other's 3-grams, all but one in 50 and two at most, is at most twice as long, and both hold the
  same numbers.

All but the last are nodes that mentions have in common. For the last, texts that may be near meet under keys
(``rules.story_grams``) and are compared whole. One other character within a text changes three 3-grams, so a copy may lack
its end, or have more around it or in it, but no word for another: a name may be all that tells two incidents apart. As no
text joins two others that are each less than half of it, a round-up of the day does not make its items one story.

A story lives for 7 days after its last member: so long after a mention last had it, each node is forgotten.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rules.story_grams import grams_of, hashes, keys_of, missing
from rules.story_index import Nodes, Words
from rules.story_nodes import Label, NodeTable
from rules.story_text import NEAR, Post

LIFE = timedelta(days=7)
MOST_TEXTS = 500_000
"""Distinct texts kept, about 400 MB; past that the tenth that was not seen for longest is forgotten."""
MEETING = 32
"""Texts under one key that a new one is compared with: the newest and, as they may be originals, the oldest of each run."""
CANDIDATES = 512
"""Texts that a new one is compared with in all, those that share most keys first."""
_CHANGED = 50  # of so many 3-grams of the smaller text one may be missing from the larger,
_MOST_CHANGED = 2  # and of any number so many: what an insertion breaks; a replacement breaks three
_AT_ONCE = 20_000  # pairs compared in one go: bounds memory
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SWEEP = timedelta(hours=1) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class Member:
    """A mention's story, and when that began: with it, stories found again after a restart are as old as before."""

    story: str
    born: datetime


@dataclass(frozen=True, slots=True)
class Merge:
    """Two stories turned out to be one: ``alias`` is told as ``story``, the older one, from now on."""

    alias: str
    story: str
    born: datetime


@dataclass(frozen=True, slots=True)
class Placed:
    """``members``: one per post. ``floor``: what was not seen after it is forgotten already, for want of memory."""

    members: tuple[Member, ...]
    merges: tuple[Merge, ...]
    floor: datetime | None


@dataclass(frozen=True, slots=True)
class _Entered:
    """Posts as nodes. ``first``: one of each post's; ``shared``: others of (a post's first, node) that are not new.

    ``opening``: the places of the posts whose first node is theirs alone so far. ``texts``: new nodes to compare, with
    their letters and numbers.
    """

    first: Nodes
    opening: list[int]
    shared: list[tuple[int, int]]
    texts: list[int]
    words: list[str]
    numbers: list[str]


class Stories:
    """Not safe for threads. ``merges``, ``evicted`` (texts) and ``crowded`` count up from the start.

    ``crowded``: texts that met more others than they were compared with, and joined none of those.
    """

    def __init__(self, *, most_texts: int = MOST_TEXTS, floor: datetime | None = None) -> None:
        self.merges = 0
        self.evicted = 0
        self.crowded = 0
        self._most = most_texts
        self._floor = _micros(floor) if floor else 0
        self._table = NodeTable()
        self._swept = 0
        self._by_id: dict[str, int] = {}
        self._fresh: set[str] = set()
        self._gone: list[tuple[Label, int]] = []

    @property
    def open(self) -> int:
        """Stories that a new mention may still join, those of one member too."""
        return len(self._table.labels)

    @property
    def texts(self) -> int:
        """Distinct texts kept."""
        return self._table.texts

    def place(self, posts: Sequence[Post], times: Sequence[datetime]) -> Placed:
        """The story of each post. *times* ascend, over calls too; what is alive is decided by the first of them."""
        if not posts:
            return Placed((), (), _time(self._floor) if self._floor else None)
        self._by_id.clear()
        self._gone = []
        self._fresh = {post.id for post in posts}
        ats = [_micros(at) for at in times]
        cutoff = self._cutoff(ats[0])
        entered = self._enter(posts, ats, cutoff)
        table = self._table
        first = entered.first.tolist()
        table.labels.update({first[place]: (ats[place], posts[place].id) for place in entered.opening})
        for one, other in entered.shared:
            self._join(one, other)
        for place in sorted({*range(len(posts))} - {*entered.opening}):
            self._rename(first[place], (ats[place], posts[place].id))
        if entered.texts:
            self._compare(*self._keep(entered), cutoff)
        labels = [table.labels[root] for root in table.roots(entered.first).tolist()]
        told = {gone[1]: table.labels[table.find(root)] for gone, root in self._gone}
        self.merges += len(told)
        self._sweep(ats[-1])
        begun = dict(zip(ats, times, strict=True))
        return Placed(
            members=tuple([Member(name, begun.get(born) or _time(born)) for born, name in labels]),
            merges=tuple(Merge(alias, name, _time(born)) for alias, (born, name) in sorted(told.items())),
            floor=_time(self._floor) if self._floor else None,
        )

    def learn(self, posts: Sequence[Post], times: Sequence[datetime], members: Sequence[Member]) -> None:
        """Mentions that were placed before a restart, in the order of then, each in its story as it is called by now.

        Those of the last 7 days, later than the floor, restore everything that ``place`` goes by.
        """
        if not posts:
            return
        entered = self._enter(posts, [_micros(at) for at in times], 0)
        table = self._table
        for one, other in entered.shared:
            table.union(one, other)
        for node, member in zip(entered.first.tolist(), members, strict=True):
            table.union(node, self._by_id.setdefault(member.story, node))
            table.labels.setdefault(table.find(node), (_micros(member.born), member.story))
        if entered.texts:
            self._keep(entered)

    # steps

    def _cutoff(self, now: int) -> int:
        return max(now - LIFE // _MICROSECOND, self._floor)

    def _enter(self, posts: Sequence[Post], ats: Sequence[int], cutoff: int) -> _Entered:
        """A node for everything that posts may share, known or new."""
        flat: list[Hashable] = []
        counts: list[int] = []
        for post in posts:
            before = len(flat)
            if post.text:
                flat.append(("text", post.text))
            if post.title:
                flat.append(("title", post.title))
            flat.extend(post.marks)
            counts.append(len(flat) - before)
        owner = np.repeat(np.arange(len(posts)), counts)
        unique, introduced, which = np.unique(hashes(flat), return_index=True, return_inverse=True)
        seen = np.zeros(len(unique), np.int64)
        np.maximum.at(seen, which, np.array(ats, np.int64)[owner])
        table = self._table
        nodes = table.known(unique, cutoff)
        old, new = np.flatnonzero(nodes >= 0), np.flatnonzero(nodes < 0)
        table.seen[nodes[old]] = np.maximum(table.seen[nodes[old]], seen[old])
        nodes[new] = table.add(unique[new], seen[new])
        # What a post brings as the first is its own; what it has beside is shared, with another or with earlier ones.
        begins = np.cumsum(counts) - counts
        first = nodes[which[begins]]
        table.hang(nodes[new], first[owner[introduced[new]]])
        own = np.zeros(len(flat), bool)
        own[introduced[new]] = True
        shared = np.setdiff1d(np.flatnonzero(~own), begins, assume_unique=True)
        texts = [place for place in np.flatnonzero(own[begins]).tolist() if len(posts[place].text) >= NEAR]
        return _Entered(
            first=first,
            opening=np.flatnonzero(own[begins]).tolist(),
            shared=list(zip(first[owner[shared]].tolist(), nodes[which[shared]].tolist(), strict=True)),
            texts=first[texts].tolist(),
            words=[posts[place].text for place in texts],
            numbers=[posts[place].numbers for place in texts],
        )

    def _keep(self, entered: _Entered) -> tuple[Nodes, Words]:
        """The new texts' grams and keys into the table; the texts, and their entries in the index."""
        nodes = np.array(entered.texts, np.int64)
        grams, sizes = grams_of(entered.words)
        keys = keys_of(entered.words, entered.numbers, grams, sizes)
        return nodes, self._table.keep_texts(nodes, grams, sizes, keys)

    def _compare(self, texts: Nodes, packed: Words, cutoff: int) -> None:
        """Join new texts to those near them: first to the newest under each key, then to what that left apart."""
        owner = np.repeat(texts, len(packed) // len(texts))
        bands = self._table.bands
        joined: set[int] = set()
        places, others, more = bands.before(packed, 1, 1)
        self._meet(owner[places], others, cutoff, joined)
        if not len(more):
            return
        # Only under keys where more stand is there more to look at.
        owner, packed = owner[np.unique(more)], packed[np.unique(more)]
        places, others, more = bands.before(packed, 2, MEETING)
        first, originals = bands.oldest(packed, MEETING)
        places, others = np.concatenate([places, first]), np.concatenate([others, originals])
        cut = self._meet(owner[places], others, cutoff, joined)
        self.crowded += len({*owner[more].tolist(), *cut} - joined)

    def _meet(self, mine: Nodes, others: Nodes, cutoff: int, joined: set[int]) -> list[int]:
        """Compare those that are alive and apart still; the texts that met more than CANDIDATES of them."""
        table = self._table
        alive = table.seen[others] > cutoff
        mine, others = mine[alive], others[alive]
        apart = table.roots(mine) != table.roots(others)
        return self._candidates(mine[apart], others[apart], joined)

    def _candidates(self, mine: Nodes, others: Nodes, joined: set[int]) -> list[int]:
        """Compare pairs, and join those that are near; the texts that had more than CANDIDATES of them."""
        if not len(mine):
            return []
        pairs, shared = np.unique((mine << 28) | others, return_counts=True)
        mine, others = pairs >> 28, pairs & ((1 << 28) - 1)
        alike = self._may_be_near(mine, others)
        mine, others, shared = mine[alike], others[alike], shared[alike]
        order = np.lexsort((-others, -shared, mine))
        mine, others = mine[order], others[order]
        rank = np.arange(len(mine)) - np.searchsorted(mine, mine)
        cut = np.unique(mine[rank >= CANDIDATES]).tolist()
        mine, others = mine[rank < CANDIDATES], others[rank < CANDIDATES]
        for begin in range(0, len(mine), _AT_ONCE):
            near = self._near(mine[begin : begin + _AT_ONCE], others[begin : begin + _AT_ONCE])
            for one, other in near:
                joined.add(one)
                self._join(one, other)
        return [int(node) for node in cut]

    def _may_be_near(self, mine: Nodes, others: Nodes) -> NDArray[np.bool_]:
        """Of lengths that allow it, and not missing too much at first sight."""
        table = self._table
        swap = table.size[mine] > table.size[others]
        small, large = np.where(swap, others, mine), np.where(swap, mine, others)
        lacking = np.bitwise_count(table.bits[table.text[small]] & ~table.bits[table.text[large]]).sum(axis=1)
        alike: NDArray[np.bool_] = 2 * table.size[small] >= table.size[large]
        alike &= lacking <= _may_miss(table.size[small])
        return alike

    def _near(self, mine: Nodes, others: Nodes) -> list[tuple[int, int]]:
        """The pairs of which the smaller is in the larger, but for a fiftieth."""
        table = self._table
        swap = table.size[mine] > table.size[others]
        small, large = np.where(swap, others, mine), np.where(swap, mine, others)
        begins = (table.begin[small], table.begin[large])
        sizes = (table.size[small].astype(np.int64), table.size[large].astype(np.int64))
        near = missing(table.grams, begins, sizes) <= _may_miss(sizes[0])
        return list(zip(mine[near].tolist(), others[near].tolist(), strict=True))

    def _join(self, one: int, other: int) -> None:
        gone = self._table.union(one, other)
        if gone is not None and gone[0][1] not in self._fresh:
            self._gone.append(gone)

    def _rename(self, node: int, label: Label) -> None:
        """A story that began just now, with members that came at one time, is called by the smallest key of theirs."""
        labels, root = self._table.labels, self._table.find(node)
        if label < labels[root] and labels[root][1] in self._fresh:
            labels[root] = label

    def _sweep(self, now: int) -> None:
        """Forget what is past its time, and more where there is too much."""
        table = self._table
        if now < self._swept + _SWEEP and table.texts <= self._most:
            return
        self._swept = now
        seen = table.seen[: table.count]
        is_text = table.size[: table.count] > 0
        living = np.sort(seen[is_text & (seen > self._cutoff(now))])
        if len(living) > self._most:
            self._floor = int(living[len(living) - self._most * 9 // 10 - 1])
            self.evicted += int(np.searchsorted(living, self._floor, side="right"))
        alive = np.flatnonzero(seen > self._cutoff(now))
        if len(alive) < table.count * 4 // 5 or table.texts > self._most:
            table.compact(alive)


def _may_miss(sizes: NDArray[np.signedinteger[Any]]) -> Nodes:
    allowed: Nodes = np.minimum(sizes // _CHANGED, _MOST_CHANGED).astype(np.int64)
    return allowed


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _time(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
