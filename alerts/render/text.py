"""Text that somebody else wrote, made fit to stand in a message: cleaned, cut, defused."""

import json
import re
import unicodedata
from collections.abc import Callable, Collection
from urllib.parse import quote, urlsplit

ELLIPSIS = "…"
READ_AT_MOST = 4000  # of a text that is shown cut: cleaning 100 kB to show 200 characters is waste

# Cf is the invisible kind. The joiner holds emoji and Indic or Persian words together, so it stays.
_JOINER = "\u200d"
_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.|mailto:|javascript:|data:)[^\s<>\"'，。；！？、）】》」]*"
    r"|[a-z0-9_.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,5}",  # a mailbox: readers make links of those too
    re.IGNORECASE,
)
_AT = re.compile(r"[@＠﹫](?=\S)")
_DOMAIN = re.compile(r"(?<=\w)\.(?=[^\W\d])")  # example.com, 例子.中国; not 3.5
_COMMAND = re.compile(r"(?<![\w/])/(?=\w)")  # /start; not 转/发
_URL_SAFE = "!#$%&'()*+,/:;=?@[]~"  # RFC 3986 reserved characters and what is already escaped; not quotes, <, >, |


def clean(text: str) -> str:
    """One line of visible text: no control, bidirectional, invisible or half characters, runs of space made one."""
    shown = []
    for character in text:
        category = unicodedata.category(character)
        if category == "Cs":
            shown.append("\ufffd")
        elif category in {"Cc", "Zl", "Zp"}:
            shown.append(" ")
        elif category != "Cf" or character == _JOINER:
            shown.append(character)
    return " ".join("".join(shown).split())


def defuse(text: str, placeholder: str) -> str:
    """Cleaned text in which no address can be followed: addresses are replaced by *placeholder*."""
    return _ADDRESS.sub(placeholder, clean(text))


def unpage(text: str) -> str:
    """No name is called by an at sign: a zero-width space stands behind each, so that no platform reads one."""
    return _AT.sub(lambda match: match.group() + "\u200b", text)


def inert(text: str) -> str:
    """No name is called, and no program that looks for addresses and commands in plain text makes a link of a part."""
    return unpage(_COMMAND.sub("/\u200b", _DOMAIN.sub(".\u200b", text)))


def inert_but(text: str, addresses: Collection[str]) -> str:
    """Lines made inert, but for an address of ours at the end of one, or all of it."""
    return "\n".join(_inert_line(line, addresses) for line in text.splitlines())


def _inert_line(line: str, addresses: Collection[str]) -> str:
    ours = max((url for url in addresses if line.endswith(url)), key=len, default="")
    return inert(line[: len(line) - len(ours)]) + ours


def units(text: str) -> int:
    """Length in UTF-16 units, the most cautious reading of a limit that a platform gives in characters."""
    return len(text) + sum(1 for character in text if ord(character) > 0xFFFF)


def size(text: str) -> int:
    """Length in UTF-8 bytes."""
    return len(text.encode("utf-8", "replace"))


def json_size(value: object) -> int:
    """Length in bytes of a value as JSON in UTF-8."""
    return size(json.dumps(value, ensure_ascii=False))


def cut(text: str, limit: int, measure: Callable[[str], int] = len) -> str:
    """The text, or its beginning and an ellipsis, within *limit* by *measure*; never cut inside a visible character."""
    if limit <= 0:
        return ""
    if measure(text) <= limit:
        return text
    room = limit - measure(ELLIPSIS)
    if room <= 0:
        return ELLIPSIS if room == 0 else ""
    low, high = 0, min(len(text), room)
    while low < high:  # the longest beginning that fits; every measure grows with its text
        middle = (low + high + 1) // 2
        low, high = (middle, high) if measure(text[:middle]) <= room else (low, middle - 1)
    return text[: _boundary(text, low)].rstrip() + ELLIPSIS


def _boundary(text: str, end: int) -> int:
    """The last place at or before *end* that does not split a visible character (the common cases of UAX #29)."""
    floor = max(0, end - 64)  # a longer one is an attack, not a character
    place = end
    while place > floor and not breaks(text, place):
        place -= 1
    return place if place > floor or floor == 0 else end


def breaks(text: str, place: int) -> bool:
    """Whether a visible character ends there (the common cases of UAX #29)."""
    if place in {0, len(text)}:
        return True
    before, after = text[place - 1], text[place]
    if _JOINER in (before, after) or unicodedata.category(after) in {"Mn", "Me", "Mc"}:
        return False
    if "\U0001f3fb" <= after <= "\U0001f3ff":  # a skin tone
        return False
    if _flag(after) and _flag(before):  # flags are pairs: count the letters before
        run = 0
        while run < place and _flag(text[place - 1 - run]):
            run += 1
        return run % 2 == 0
    return True


def _flag(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def safe_url(url: str) -> str:
    """A web address that may be followed, escaped; empty where it is none (other schemes, a login in it, too long)."""
    if not url or len(url) > 2000 or any(character.isspace() or not character.isprintable() for character in url):
        return ""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme.lower() not in {"http", "https"} or not host or "@" in parts.netloc:
        return ""
    return quote(url, safe=_URL_SAFE)


def people(count: int, language: str) -> str:
    """A count as people say it: 12.3万, 1.2亿; 123K, 4.5M."""
    steps = [(10**8, "亿"), (10**4, "万")] if language == "zh" else [(10**9, "B"), (10**6, "M"), (10**4, "K")]
    for step, name in steps:
        if count >= step:
            unit = 1000 if name == "K" else step
            return f"{count / unit:.1f}".removesuffix(".0") + name
    return f"{count:,}"


def pieces(count: int, language: str) -> str:
    """How many mentions, messages or alerts: 12 条, 1.2万条; in English the count alone."""
    told = people(count, language)
    if language != "zh":
        return told
    return f"{told}条" if told[-1] in "万亿" else f"{told} 条"
