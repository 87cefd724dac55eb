"""Bytes of a feed to text, in the charset that they are in, which is often not the one that is declared."""

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What declares itself one of these is mostly written in the wider set (WHATWG Encoding Standard, labels).
_WIDER = {
    "gb2312": "gb18030", "gbk": "gb18030", "cp936": "gb18030", "gb_2312-80": "gb18030", "x-gbk": "gb18030",
    "euc-cn": "gb18030", "hz-gb-2312": "hz", "big5": "big5hkscs", "shift_jis": "cp932", "sjis": "cp932",
    "x-sjis": "cp932", "euc-kr": "cp949", "ks_c_5601-1987": "cp949", "iso-8859-1": "cp1252", "latin-1": "cp1252",
    "latin1": "cp1252", "us-ascii": "cp1252", "ascii": "cp1252", "iso8859-1": "cp1252", "iso-8859-9": "cp1254",
}  # fmt: skip
_MULTIBYTE = ("gb18030", "big5hkscs", "cp932", "cp949", "euc_jp", "euc-jp", "hz", "iso-2022-jp", "iso2022_jp")
_NEVER = ("utf-7", "utf7", "unicode_escape", "raw_unicode_escape", "punycode", "idna", "undefined", "mbcs", "oem")
_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']\s*([\w.:-]{1,40})", re.IGNORECASE)
_PARAMETER = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)


def decode(body: bytes, content_type: str = "") -> str:
    """The text of *body*. Never raises: where nothing fits, what cannot be read becomes U+FFFD.

    A byte order mark decides. Then bytes that are valid UTF-8 and not ASCII are UTF-8, whatever was declared, since
    other charsets hardly ever look so. Then the declared charsets (HTTP's, the document's), the self-checking
    multibyte ones first; then undeclared GB18030 where it looks like Chinese; then the Western default.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    wide = _without_mark(body)
    if wide is not None:
        return body.decode(wide, "replace")
    declared = _declared(body, content_type)
    shifted = [name for name in declared if name in ("hz", "iso-2022-jp", "iso2022_jp")]
    if not shifted and (text := _strict(body, "utf-8")) is not None:
        return text
    for name in sorted(declared, key=lambda name: name not in _MULTIBYTE):
        if (text := _strict(body, name)) is not None:
            return text
    if set(declared) <= {"utf-8"}:
        return _guess(body)
    return body.decode(declared[0], "replace")


def _guess(body: bytes) -> str:
    """No declaration, or one of UTF-8 that the bytes belie."""
    if _looks_chinese(body) and (chinese := _strict(body, "gb18030")) is not None:
        return chinese
    text = body.decode("utf-8", "replace")
    damaged_only = "\ufffd" in text and not any(character > "\x7f" for character in text.replace("\ufffd", ""))
    return body.decode("cp1252", "replace") if damaged_only else text


def _declared(body: bytes, content_type: str) -> list[str]:
    names = []
    if found := _PARAMETER.search(content_type):
        names.append(found[1])
    if inside := _DECLARED.search(body[:1024]):
        names.append(inside[1].decode("ascii"))
    known = []
    for raw in names:
        name = _WIDER.get(raw.lower(), raw.lower())
        if name in _NEVER or name.startswith(("utf-16", "utf16", "utf-32", "utf32", "ucs", "iso-10646")):
            continue  # without a mark and without zero bytes it is none of the wide ones
        try:
            if codecs.lookup(name)._is_text_encoding and name not in known:  # noqa: SLF001 - else b"".decode("hex")
                known.append(name)
        except LookupError:
            continue
    return known


def _without_mark(body: bytes) -> str | None:
    """UTF-16 and UTF-32 without a mark, told by the zero bytes around the first character."""
    head = body[:4]
    if len(head) < 4 or 0 not in head:
        return None
    return {
        (True, False, False, False): "utf-32-le",
        (False, False, False, True): "utf-32-be",
        (True, False, True, False): "utf-16-le",
        (False, True, False, True): "utf-16-be",
    }.get((head[0] != 0, head[1] != 0, head[2] != 0, head[3] != 0))


def _strict(body: bytes, name: str) -> str | None:
    try:
        return body.decode(name)
    except (UnicodeDecodeError, LookupError, ValueError):
        return None


def _looks_chinese(body: bytes) -> bool:
    """Whether the bytes past ASCII come in pairs of GB2312's rows (Chinese), and not one by one (accents)."""
    runs = re.findall(rb"[\x80-\xff]+", body[: 2**18])
    high = sum(len(run) for run in runs)
    paired = sum(len(run) for run in runs if len(run) >= 2 and all(byte >= 0xA1 for byte in run))
    return high > 0 and paired >= 0.6 * high
