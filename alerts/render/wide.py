"""Other people's text for the Chinese platforms: nothing in it is markup, a link, a face or a call, whoever renders it.

钉钉, 企业微信 and 飞书 each read a Markdown and some HTML of their own, none says how to escape it, and their apps differ by
version. So no escape is trusted: every character that any of them gives a meaning stands in its full-width form, which
reads the same and means nothing; at signs and the dots within names of hosts are followed by a zero-width space.
"""

import re

from alerts.render.marks import marked
from alerts.render.message import Quote
from alerts.render.text import cut, unpage

_WIDE = str.maketrans({character: chr(ord(character) + 0xFEE0) for character in "<>[]*_`~#|\\&{}$^"})
_DOT = re.compile(r"(?<=[^\W_])\.(?=[^\W\d_])")
_BLOCK = re.compile(r"^(?=[-+=!]|\d+[.)])")


def wide(text: str) -> str:
    """*text*, one line, as the words that it is."""
    return _BLOCK.sub("\u200b", _DOT.sub(".\u200b", unpage(text).translate(_WIDE)))


def target(url: str) -> str:
    """A web address as it may stand in the brackets of a Markdown link; *url* is from ``safe_url``."""
    for character in "()[]*_~!'":
        url = url.replace(character, f"%{ord(character):02X}")
    return url


def bold(quote: Quote) -> str:
    """A quotation's text with the words in bold that made it negative."""
    # Markdown closes no bold between a mark of punctuation and a letter (CommonMark 0.31, Emphasis)
    fit = [(start, end) for start, end in quote.marks if quote.text[start].isalnum() and quote.text[end - 1].isalnum()]
    return marked(quote.text, fit, ("**", "**"), wide)


def link(label: str, url: str) -> str:
    return f"[{wide(cut(label, 40))}]({target(url)})"
