"""Stories as they stand in the end: what was told of each mention, and the merges since."""

from collections.abc import Sequence
from datetime import datetime

from rules.mention import Mention
from rules.story import Member, Stories
from rules.story_text import Post, post_of


class Tracker:
    """Keeps of stories what storage keeps."""

    def __init__(self, **more) -> None:
        self.stories = Stories(**more)
        self.more = more
        self.rows: list[tuple[Post, datetime, Member]] = []
        self.aliases: dict[str, Member] = {}
        self.floor: datetime | None = None

    def place(self, mentions: Sequence[Mention], at: datetime) -> list[str]:
        posts = [post_of(mention) for mention in mentions]
        placed = self.stories.place(posts, [at] * len(posts))
        self.rows += zip(posts, [at] * len(posts), placed.members, strict=True)
        for merge in placed.merges:
            new = Member(merge.story, merge.born)
            self.aliases = {alias: new if old.story == merge.alias else old for alias, old in self.aliases.items()}
            self.aliases[merge.alias] = new
        self.floor = placed.floor
        return [member.story for member in placed.members]

    def now(self, member: Member) -> Member:
        return self.aliases.get(member.story, member)

    def partition(self) -> dict[str, str]:
        """Each mention's story as it is called now."""
        return {post.id: self.now(member).story for post, _, member in self.rows}

    def restart(self, cutoff: datetime, *, page: int = 100) -> None:
        """Forget everything, and learn it again from what was kept later than *cutoff*."""
        cutoff = max(cutoff, self.floor) if self.floor else cutoff
        kept = [row for row in self.rows if row[1] > cutoff]
        self.stories = Stories(floor=self.floor, **self.more)
        for begin in range(0, len(kept), page):
            posts, times, members = zip(*kept[begin : begin + page], strict=True)
            self.stories.learn(posts, times, [self.now(member) for member in members])
