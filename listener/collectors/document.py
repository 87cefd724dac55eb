"""What is done to an XML text before a parser sees it: no DOCTYPE or entity of its own, no depth, no bad reference."""

import html.entities
import re

DEEPEST = 500
_MOST_ENTITIES = 200
_LONGEST_ENTITY = 200

_VOID = frozenset(("br", "hr", "img", "input", "wbr"))
_MOST_VOID = 20_000
_DECLARATION = re.compile(r"\A\s*<\?xml\b[^>]{0,300}\?+>\s*", re.IGNORECASE)
_INVALID = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_INVALID_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]{1,8})|(\d{1,10}));")
_DOCTYPE = re.compile(r"<!DOCTYPE\b", re.IGNORECASE)
_SIMPLE_ENTITY = re.compile(
    rf"<!ENTITY\s+([A-Za-z_][\w.-]{{0,60}})\s+(?:\"([^\"%&<]{{0,{_LONGEST_ENTITY}}})\"|'([^'%&<]{{0,{_LONGEST_ENTITY}}})'"
    r"|\"(&#\w{1,8};)\"|'(&#\w{1,8};)')\s*>"
)
_LOOSE = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|&(?!(?:lt|gt|amp|quot|apos|#\d{1,8}|#x[0-9a-fA-F]{1,8});)([A-Za-z][\w.-]{0,60};)?",
    re.DOTALL,
)
_STRUCTURE = re.compile(
    r"<!\[CDATA\[.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<(/?)([A-Za-z_][\w.:-]*+)[^<>]*?(/?)>", re.DOTALL
)


class UnsafeXmlError(Exception):
    """A document that is built to hurt: entities within entities, external ones, absurd depth."""


def prepared(text: str) -> str:
    """*text* without XML declaration, DOCTYPE and invalid characters, its own harmless entities put in.

    Raises UnsafeXmlError, before any parser has seen it, for external, parameter and nested entities (bombs), and
    for elements more than DEEPEST deep. Runs in linear time.
    """
    text = _DECLARATION.sub("", text.lstrip("\ufeff"))
    if _INVALID.search(text):
        text = _INVALID.sub("", text)
    text, entities = _without_doctype(text)
    if "&" in text:
        text = _referenced(text, entities)
    _measure(text)
    return text


def _without_doctype(text: str) -> tuple[str, dict[str, str]]:
    found = _DOCTYPE.search(text, 0, 65536)
    if found is None or _first_element(text) < found.start():
        return text, {}
    entities: dict[str, str] = {}
    end = _doctype_end(text, found.end())
    subset = text[found.end() : end]
    declared = subset.upper().count("<!ENTITY")
    if declared:
        simple = list(_SIMPLE_ENTITY.finditer(subset))
        if len(simple) != declared or declared > _MOST_ENTITIES:
            raise UnsafeXmlError("the DOCTYPE declares external, nested or too many entities")
        entities = {match[1]: next(part for part in match.groups()[1:] if part is not None) for match in simple}
        if sum(text.count(f"&{name};") * len(value) for name, value in entities.items()) > 2**20:
            raise UnsafeXmlError("the DOCTYPE's entities would blow the document up")
    return text[: found.start()] + text[end + 1 :], entities


def _first_element(text: str) -> int:
    found = re.compile(r"<[A-Za-z_]").search(text, 0, 65536)
    return found.start() if found else len(text)


def _doctype_end(text: str, position: int) -> int:
    """Where the ``>`` of a DOCTYPE is: outside quotes and outside its internal subset."""
    inside, quote = False, ""
    for index in range(position, min(len(text), position + 2**17)):
        character = text[index]
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character == "[":
            inside = True
        elif character == "]":
            inside = False
        elif character == ">" and not inside:
            return index
    raise UnsafeXmlError("the DOCTYPE does not end")


def _referenced(text: str, entities: dict[str, str]) -> str:
    """References that XML does not know become characters (HTML's names) or a plain ampersand; outside CDATA."""

    def mend(match: re.Match[str]) -> str:
        whole = match[0]
        if whole[0] == "<":
            return whole
        name = (match[1] or "")[:-1]
        if name in entities:
            return entities[name]
        if name and (known := html.entities.html5.get(name + ";")):
            return "".join(f"&#{ord(character)};" for character in known)
        return "&amp;" + whole[1:]

    def legal(match: re.Match[str]) -> str:
        number = int(match[1], 16) if match[1] else int(match[2])
        allowed = number in (9, 10, 13) or 0x20 <= number < 0xD800 or 0xE000 <= number < 0xFFFE
        return match[0] if allowed or 0x10000 <= number < 0x110000 else ""

    text = _LOOSE.sub(mend, text)
    return _INVALID_REFERENCE.sub(legal, text) if "&#" in text else text


def _measure(text: str) -> None:
    if text.count("<") <= DEEPEST:
        return
    depth = unclosed = 0
    for match in _STRUCTURE.finditer(text):
        closing, name, empty = match.groups()
        if closing is None:
            continue
        if name.lower() in _VOID:  # HTML that was not escaped closes none of these, and they nest nothing
            unclosed += 1
            if unclosed > _MOST_VOID:
                raise UnsafeXmlError(f"more than {_MOST_VOID} bare HTML elements")
            continue
        depth = max(depth - 1, 0) if closing else depth + (not empty)
        if depth > DEEPEST:
            raise UnsafeXmlError(f"elements more than {DEEPEST} deep")
