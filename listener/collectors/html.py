"""HTML to the text that a reader sees: paragraphs kept, markup, scripts and tracking gone."""

import html
import re

from listener.interchange import clean

_TAG = re.compile(
    r"<(?=[!/A-Za-z])(?:!--|/?(?:a|abbr|address|article|aside|audio|b|big|blockquote|body|br|button|caption|center|cite|code|col|dd|del|"
    r"details|dfn|dir|div|dl|dt|em|embed|fieldset|figcaption|figure|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|"
    r"img|input|ins|kbd|label|legend|li|link|main|map|mark|meta|nav|noscript|object|ol|p|picture|pre|q|rp|rt|ruby|s|samp|"
    r"script|section|select|small|source|span|strike|strong|style|sub|summary|sup|svg|table|tbody|td|template|textarea|"
    r"tfoot|th|thead|time|title|tr|tt|u|ul|var|video|wbr)(?=[\s/>]))",
    re.IGNORECASE,
)
_PARAGRAPH = frozenset((
    "address", "article", "aside", "blockquote", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form", "h1",
    "h2", "h3", "h4", "h5", "h6", "header", "hr", "main", "nav", "ol", "p", "pre", "section", "table", "ul",
))  # fmt: skip
_LINE = frozenset(("br", "li", "tr", "figcaption", "caption", "summary", "details", "option"))
_BREAKS = dict.fromkeys(_PARAGRAPH, "\n\n") | dict.fromkeys(_LINE, "\n")
_SILENT = frozenset(("script", "style", "template", "head", "noscript", "iframe", "svg"))
# Possessive, and quotes taken whole: linear, and a ">" within an attribute ends no tag. Then what has odd quotes.
_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(/?)([A-Za-z][\w:-]*+)((?:[^<>\"']|\"[^\"]*+\"|'[^']*+')*+)>|<(/?)([A-Za-z][\w:-]*+)([^<>]*+)>",
    re.DOTALL,
)
_ALT = re.compile(r"\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))", re.IGNORECASE)
_PRE = re.compile(r"<pre[\s>]", re.IGNORECASE)
_ONE_LINE = str.maketrans("\r\n\t\f", "    ")
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
    """The text between the tags, with the breaks that the tags mean; entities still to be resolved."""
    keeps_lines = _PRE.search(source) is not None
    if not keeps_lines:
        source = source.translate(_ONE_LINE)
    parts: list[str] = []
    position = preformatted = 0
    silent = ""
    unclosed: set[str] = set()
    for match in _TOKEN.finditer(source):
        if not silent:
            parts.append(_run(source[position : match.start()], keeps_lines=keeps_lines, preformatted=preformatted > 0))
        position = match.end()
        closing = bool(match[1] or match[4])
        name = (match[2] or match[5] or "").lower()
        if silent:
            silent = "" if closing and name == silent else silent
        elif name in _SILENT:
            # one that never ends would swallow the rest; that is looked for once a name, or this were quadratic
            if not closing and name not in unclosed:
                if re.compile(f"</{name}", re.IGNORECASE).search(source, position):
                    silent = name
                else:
                    unclosed.add(name)
        else:
            preformatted += 0 if name != "pre" else -1 if closing else 1
            parts.append("" if closing and name == "br" else _BREAKS.get(name, ""))
            if name == "img":
                parts.append(_emoticon(match[3] or match[6] or ""))
    if not silent:
        parts.append(_run(source[position:], keeps_lines=keeps_lines, preformatted=preformatted > 0))
    return html.unescape("".join(parts))


def _emoticon(attributes: str) -> str:
    """What Weibo and others write as a picture: the name in brackets that it stands for."""
    found = _ALT.search(attributes)
    alt = (found[1] or found[2] or found[3] or "") if found else ""
    return alt if _EMOTICON.fullmatch(alt) else ""


def _run(text: str, *, keeps_lines: bool, preformatted: bool) -> str:
    return text.translate(_ONE_LINE) if keeps_lines and not preformatted else text


def _tidy(text: str) -> str:
    text = _INVISIBLE.sub("", clean(text))
    text = _SPACES.sub(" ", text)
    return _GAPS.sub("\n\n", _BLANKS.sub("\n", text)).strip()
