"""A message as an HTML page for mail: inline styles (many readers drop everything else), light and dark, phone width.

Colours are set inline for light; the style element adds dark and is only an extra. Contrast is at least 4.5:1 in both.
"""

from html import escape

from alerts.alert import Level
from alerts.render.marks import marked
from alerts.render.message import Message, Quote
from alerts.trend import Chart

# background and text of the level's bar
_BARS = {
    Level.blue: ("#1d5fbf", "#ffffff"),
    Level.yellow: ("#f2c200", "#1a1a1a"),
    Level.orange: ("#c2410c", "#ffffff"),
    Level.red: ("#b91c1c", "#ffffff"),
}
_OVER = ("#2f6f44", "#ffffff")
_WIDEST = 440  # points of a chart
_MARK = '<mark style="background:#fde68a;color:#1a1a1a;border-radius:3px;padding:0 1px">'

_FONT = (
    "font-family:-apple-system,BlinkMacSystemFont,'Segoe UI','PingFang SC','Hiragino Sans GB','Microsoft YaHei',"
    "'Noto Sans CJK SC','Noto Sans SC',Roboto,Helvetica,Arial,sans-serif;"
)

_DARK = (
    ":root{color-scheme:light dark;supported-color-schemes:light dark}"
    "@media (prefers-color-scheme:dark){"
    ".page{background:#121212!important}.card{background:#1e1e1e!important;border-color:#3a3a3a!important}"
    ".text{color:#f0f0f0!important}.soft{color:#b5b5b5!important}.line{border-color:#3a3a3a!important}"
    ".quote{background:#2a2a2a!important}.link{color:#8ab4f8!important}"
    ".chart{filter:invert(.89) hue-rotate(180deg)}"
    ".button{background:#8ab4f8!important;color:#10151c!important}}"
)


def html(message: Message, chart: Chart | None = None, picture: str = "") -> str:
    """The whole page. Everything in it that varies is escaped, and every address comes from ``safe_url``.

    *picture*: the Content-ID that *chart* is attached under.
    """
    word = message.word
    back, front = _OVER if message.over else _BARS[message.level]
    language = "zh-CN" if message.language == "zh" else "en"
    parts = [
        f'<p class="text" style="margin:0 0 8px;font-size:14px;color:#1a1a1a">{escape(message.notice)}</p>'
        if message.notice
        else "",
        f'<p class="text" style="margin:0 0 16px;font-size:17px;line-height:1.5;color:#1a1a1a">'
        f"{escape(message.because)}</p>"
        if message.because
        else "",
        _chart(chart, picture),
        _facts(message),
        f'<p class="soft" style="margin:20px 0 8px;font-size:13px;color:#5c5c5c">{escape(word["excerpts"])}</p>'
        if message.quotes
        else "",
        *(_quote(message, quote) for quote in message.quotes),
        _links(message),
    ]
    return (
        f'<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">'
        f"<title>{escape(message.headline)}</title><style>{_DARK}</style></head>"
        f'<body class="page" style="margin:0;padding:0;background:#f3f3f3;{_FONT}">'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>'
        '<td align="center" style="padding:16px 8px">'
        '<table role="presentation" class="card" width="100%" cellpadding="0" cellspacing="0" border="0" '
        'style="max-width:600px;background:#ffffff;border:1px solid #ddd;border-radius:8px;border-collapse:separate">'
        f'<tr><td style="background:{back};color:{front};padding:16px 20px;border-radius:7px 7px 0 0">'
        f'<h1 style="margin:0;font-size:20px;line-height:1.4;font-weight:600;color:{front};overflow-wrap:anywhere">'
        f"{escape(message.headline)}</h1></td></tr>"
        f'<tr><td style="padding:16px 20px;overflow-wrap:anywhere">{"".join(parts)}</td></tr>'
        '<tr><td class="soft line" style="padding:12px 20px;border-top:1px solid #dddddd;font-size:12px;color:#5c5c5c">'
        f"{escape(message.footer)}</td></tr></table></td></tr></table></body></html>"
    )


def _chart(chart: Chart | None, picture: str) -> str:
    """The picture stands on white in the dark too, but for readers that can turn it over."""
    if chart is None:
        return ""
    return (
        f'<div style="margin:0 0 16px"><img class="chart" src="cid:{escape(picture)}" width="{_WIDEST}" '
        f'alt="{escape(chart.text)}" style="display:block;width:100%;max-width:{_WIDEST}px;height:auto;border:0;'
        'border-radius:6px;background:#ffffff;color:#1a1a1a;font-size:13px"></div>'
    )


def _facts(message: Message) -> str:
    rows = "".join(
        '<tr><td class="text" colspan="2" valign="top" style="padding:3px 0;font-size:14px;line-height:1.5;color:#1a1a1a;'
        f'overflow-wrap:anywhere">{escape(value)}</td></tr>'
        if not label
        else '<tr><td class="soft" valign="top" style="padding:3px 12px 3px 0;font-size:14px;line-height:1.5;color:#5c5c5c;'
        f'white-space:nowrap">{escape(label)}</td><td class="text" valign="top" style="padding:3px 0;font-size:14px;'
        f'line-height:1.5;color:#1a1a1a;overflow-wrap:anywhere">{escape(value)}</td></tr>'
        for label, value in message.facts
    )
    return f'<table role="presentation" cellpadding="0" cellspacing="0" border="0">{rows}</table>' if rows else ""


def _quote(message: Message, quote: Quote) -> str:
    about = escape(quote.about)
    said = marked(quote.text, quote.marks, (_MARK, "</mark>"), escape=escape)
    if quote.url:
        link = (
            f'<a class="link" href="{escape(quote.url)}" style="color:#1d5fbf">{escape(message.word["original"])}</a>'
        )
        about = f"{about} · {link}" if about else link
    return (
        '<div class="quote" style="margin:0 0 8px;padding:10px 12px;background:#f5f5f5;border-radius:6px">'
        f'<div class="text" style="font-size:15px;line-height:1.5;color:#1a1a1a">{said}</div>'
        f'<div class="soft" style="margin-top:4px;font-size:13px;color:#5c5c5c">{about}</div></div>'
    )


def _links(message: Message) -> str:
    if not message.links:
        return ""
    first, *rest = message.links
    told = (
        f'<a class="button" href="{escape(first.url)}" style="display:inline-block;padding:10px 18px;'
        f'background:#1d5fbf;color:#ffffff;border-radius:6px;text-decoration:none;font-size:15px">{escape(first.label)}</a>'
    )
    for link in rest:
        told += (
            f'<a class="link" href="{escape(link.url)}" style="display:inline-block;padding:10px 12px;color:#1d5fbf;'
            f'font-size:15px">{escape(link.label)}</a>'
        )
    return f'<div style="margin:16px 0 4px">{told}</div>'
