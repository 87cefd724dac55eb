"""HTML to the text that a reader sees: paragraphs kept, markup, scripts and tracking gone."""

import html
import re

from lxml import etree

from listener.interchange import clean

_TAG = re.compile(
    r"<!--|</?(?:a|abbr|address|article|aside|audio|b|big|blockquote|body|br|button|caption|center|cite|code|col|dd|del|"
    r"details|dfn|dir|div|dl|dt|em|embed|fieldset|figcaption|figure|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|"
    r"img|input|ins|kbd|label|legend|li|link|main|map|mark|meta|nav|noscript|object|ol|p|picture|pre|q|rp|rt|ruby|s|samp|"
    r"script|section|select|small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|"
    r"tfoot|th|thead|time|title|tr|tt|u|ul|var|video|wbr)(?=[\s/>])",
    re.IGNORECASE,
)
_PARAGRAPH = frozenset((
    "address", "article", "aside", "blockquote", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "nav", "ol", "p", "pre", "section", "table", "ul",
))  # fmt: skip
_LINE = frozenset(("br", "li", "tr", "figcaption", "caption", "summary", "details", "option"))
_SILENT = frozenset(
    ("script", "style", "template", "head", "noscript", "iframe", "object", "svg", "textarea", "select")
)
_SPACES = re.compile(r"[ \t\r\f\v\u00a0\u2000-\u200a\u202f\u205f]+")
_BLANKS = re.compile(r"[ \t]*\n[ \t]*")
_GAPS = re.compile(r"\n{3,}")
_EMOTICON = re.compile(r"\[[^\[\]\s]{1,12}\]")
_INVISIBLE = re.compile("[\u200b\u2060\ufeff\u00ad]")
_LONGEST = 2_000_000


def text_of(source: str) -> str:
    """The text of *source*, HTML or plain: paragraphs apart by an empty line, lines by a newline."""
    source = source[:_LONGEST]
    if _TAG.search(source):
        return _tidy(_spoken(source))
    return _tidy(html.unescape(source) if "&" in source else source)


def line_of(source: str) -> str:
    """The same on one line, for titles and names."""
    return " ".join(text_of(source).split())


def _spoken(source: str) -> str:
    parser = etree.HTMLParser(recover=True, no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        root = etree.fromstring(f"<div>{clean(source)}</div>", parser)
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        return html.unescape(re.sub(r"<[^<>]*>", " ", source))
    parts: list[str] = []
    silent = 0
    preformatted = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag if isinstance(element.tag, str) else ""
        edge = "\n\n" if tag in _PARAGRAPH else "\n" if tag in _LINE else ""
        if event == "start":
            silent += tag in _SILENT
            preformatted += tag == "pre"
            if not silent:
                parts.append(edge)
                alt = element.get("alt", "") if tag == "img" else ""
                parts.append(alt if _EMOTICON.fullmatch(alt) else "")
                parts.append(_run(element.text, preformatted))
        else:
            silent -= tag in _SILENT
            preformatted -= tag == "pre"
            if not silent:
                parts.append(edge if tag != "br" else "")
                parts.append(_run(element.tail, preformatted))
    return "".join(parts)


def _run(text: str | None, preformatted: int) -> str:
    if not text:
        return ""
    return text if preformatted else re.sub(r"\s+", " ", text)


def _tidy(text: str) -> str:
    text = _INVISIBLE.sub("", clean(text))
    text = _SPACES.sub(" ", text)
    return _GAPS.sub("\n\n", _BLANKS.sub("\n", text)).strip()
