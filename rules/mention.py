"""One post, article or comment, normalised."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Author:
    id: str
    name: str
    followers: int | None = None
    verified: bool | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """What a platform says of how far a mention went; ``None`` where it says nothing."""

    views: int | None = None
    likes: int | None = None
    comments: int | None = None
    reposts: int | None = None

    def people(self, followers: int | None) -> int:
        """People reached, at least: the views where known, else the author's followers, else those who acted."""
        if self.views is not None:
            return self.views
        acted = (self.likes or 0) + (self.comments or 0) + (self.reposts or 0)
        return max(followers or 0, acted)


@dataclass(frozen=True, slots=True)
class Mention:
    """Unique by (source, external_id). Times are aware UTC; ``text`` is plain text with paragraph breaks as newlines."""

    source: str
    channel: str
    external_id: str
    text: str
    title: str = ""
    url: str = ""
    author: Author | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None
    collected_at: datetime | None = None
    reach: Reach = Reach()
    repost_of: str = ""
    quote_of: str = ""
    site: str = ""
    region: str = ""
    lang: str = ""

    @property
    def people(self) -> int:
        return self.reach.people(self.author.followers if self.author else None)
