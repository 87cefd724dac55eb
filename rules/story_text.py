"""What of a mention tells its story: the passage that is passed on, stripped of what people add in passing it on."""

import re
from dataclasses import dataclass

from rules.fold import fold
from rules.mention import Mention
from rules.story_url import canonical_url

EXACT = 6
"""Characters, at least, of a text whose copies are one story; "转发" and "太好了" by two people are not."""
NEAR = 12
"""Characters, at least, of a text that is compared with others that are not equal to it."""
LONGEST = 600
"""Characters of a text that are compared; it bounds memory, and more tell nothing more."""
_READ = 4_000  # characters of the original that are looked at: what is stripped is seldom the most of a text
_LINKS = 8  # of a chain that are looked at, from its end
_GLOBAL_ID = 12  # an id of so many characters is the platform's own; a shorter one may be any site's

# Each with the word without which it cannot stand there: looking for that costs a tenth of looking for the pattern.
_CHAIN = re.compile(r"//\s{0,3}@[^\s:@/]{1,40}\s{0,2}:|\brt\s@\w{1,40}\s?:|(?:转自|转发自|via)\s?@[^\s:@/]{1,40}\s?:?")
_JUNK = tuple(
    (word, re.compile(pattern))
    for word, pattern in (
        ("://", r"https?://[\x21-\x7e]{1,2000}"),
        ("www.", r"www\.[\x21-\x7e]{1,2000}"),
        ("//@", r"//@[^:]{0,40}$"),  # a chain that was cut
        ("@", r"(?:回复)?@[\w·-]{1,40}:?"),
        ("[", r"\[[^\W\d_]{1,8}\]"),  # [怒], [doge]
        ("微博", r"转发微博|轉發微博|快转微博"),
        ("图片", r"转发图片|分享图片"),
        ("链接", r"网页链接"),
        ("全文", r"(?:展开|收起)全文|(?:\.\.\.|\u2026|。。。)\s?全文"),
        ("repost", r"\brepost\b"),
    )
)
_TAG = re.compile(r"#[^#\n]{1,60}#|#\w{1,60}")
_LETTERS = re.compile(r"[^\W_]+")
# Looked for in the bare letters, so that marks and blanks within a number change nothing. Chinese numerals are not: 一 and
# 三 are in half of all comments, and another one within a text is another character, which tells enough.
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Post:
    """What stories see of a mention. ``id``: its key, which is the story's id where it is the first.

    ``text``: letters and digits of the passage, at most LONGEST; empty where it is too short to tell anything.
    ``numbers``: those in it, sorted: texts that count differently tell of different things.
    ``title``: the letters of a headline; empty where there is none, or a short one.
    ``marks``: what it shares with a mention of the same story for certain: ids of posts and addresses of pages.
    """

    id: str
    text: str
    numbers: str
    title: str
    marks: tuple[str, ...]


def key_of(source: str, external_id: str) -> str:
    """A mention's key as one word: a story's id is that of its first member."""
    return f"{source}/{external_id}"


def post_of(mention: Mention) -> Post:
    """The words of one who passes another's post on are a comment, and tell nothing of whether two are copies."""
    marks = [_mark(mention, mention.external_id)]
    text = numbers = title = ""
    if mention.repost_of or mention.quote_of:
        marks += [_mark(mention, one) for one in (mention.repost_of, mention.quote_of) if one]
    else:
        text, numbers = passage(mention.title, mention.text)
        title = _stripped(fold(mention.title[:_READ]).text)[0] if mention.title else ""
    if mention.url and (url := canonical_url(mention.url)):
        marks.append(f"url {url}")
    return Post(
        id=key_of(mention.source, mention.external_id),
        text=text,
        numbers=numbers,
        title=title if len(title) >= NEAR else "",
        marks=tuple(marks),
    )


def _mark(mention: Mention, external_id: str) -> str:
    """An id as one word, within its channel where it is long enough to be a platform's, else within its source."""
    if "://" in external_id and (url := canonical_url(external_id)):
        return f"url {url}"
    where = f"channel {mention.channel}" if len(external_id) >= _GLOBAL_ID else f"source {mention.source}"
    return f"{where} {external_id}"


def passage(title: str, text: str) -> tuple[str, str]:
    """The letters of what is passed on, and its numbers; both empty where it is too short to tell anything.

    Of a chain of ``//@name:`` the last part of some length is the original, as far as one can tell; else what stands first.
    """
    whole = fold(_whole(title, text)).text
    if "@" in whole and len(links := _CHAIN.split(whole)) > 1:
        for link in links[:0:-1][:_LINKS]:
            found = _stripped(link)
            if len(found[0]) >= NEAR:
                return found
        return _stripped(links[0])
    return _stripped(whole)


def own_words(title: str, text: str) -> str:
    """Title and text folded, without addresses, handles, emoticons and what platforms put in."""
    return _without_junk(fold(_whole(title, text)).text)


def _whole(title: str, text: str) -> str:
    return (text if not title or text.startswith(title) else f"{title}\n{text}")[:_READ]


def _without_junk(text: str) -> str:
    for word, pattern in _JUNK:
        if word in text:
            text = pattern.sub(" ", text)
    return text


def _stripped(text: str) -> tuple[str, str]:
    text = _without_junk(text)
    body = _TAG.sub(" ", text) if "#" in text else text
    letters = "".join(_LETTERS.findall(body))
    if len(letters) < EXACT:  # nothing but a hashtag: then that is the text
        letters = "".join(_LETTERS.findall(text))
        if len(letters) < EXACT:
            return "", ""
    letters = letters[:LONGEST]
    return letters, " ".join(sorted(_DIGITS.findall(letters)))
