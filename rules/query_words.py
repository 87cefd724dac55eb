"""The words of a query told apart: operators, names, comparisons, wildcards, or what looks like one and is none."""

import re
from typing import Any, Final

from lark import Token

from alerts import Because
from rules.fold import fold, is_joining
from rules.syntax import NUMBERS, OPERATORS, RESERVED, SCOPES

WIDEST: Final = 100  # of NEAR, and the largest count of atleast
SHORTEST_PREFIX: Final = 3  # letters before a wildcard


class QueryError(Exception):
    """A query cannot be read: why, at which line and column of it (from 1), and what was expected there, if known.

    ``because`` says why in both languages, ``message`` in English.
    """

    def __init__(self, because: Because, line: int, column: int, expected: tuple[str, ...] = ()) -> None:
        super().__init__(f"{line}:{column}: {because.en}")
        self.because = because
        self.message = because.en
        self.line = line
        self.column = column
        self.expected = expected


PHRASE: Final = (
    r'"(?:\\.|[^"\\])*"|＂[^＂]*＂|“[^”]*”|「[^」]*」'
    r"|'(?:\\.|[^'\\])*'|＇[^＇]*＇|‘[^’]*’"
)
INNER: Final = r"""[^\s()（）"“”＂「」]"""
WORD: Final = rf"""(?!['‘’＇]){INNER}{INNER}*"""
TEXTS: Final = ("author", "url", "site", "channel", "source", "lang", "repost")
FIELDS: Final = (*SCOPES, *TEXTS)


def any_form(names: tuple[str, ...]) -> str:
    """A pattern of *names* in any case and width."""
    wide = {letter: f"[{letter}{letter.upper()}{chr(ord(letter) + 0xFEE0)}{chr(ord(letter) + 0xFEC0)}]" for letter in
            "abcdefghijklmnopqrstuvwxyz"}  # fmt: skip
    return "|".join("".join(wide[letter] for letter in name) for name in names)


_ALIAS = re.compile(r"@([a-z0-9][a-z0-9_-]*)")
NEAR = re.compile(r"near/(\d{1,6})(f?)")
NUMBER = re.compile(r"([a-z]+)([<>]=?|=|[≤≥])(\d{1,15})([万亿]?)")
SIGNS: Final = {"≤": "<=", "≥": ">="}
SCALES: Final = {"": 1, "万": 10**4, "亿": 10**8}
_COMPARISON = re.compile(r"[a-z][a-z_]*(?:[<>]=?|=|[≤≥]).*|[<>=≤≥]+.*", re.DOTALL)
_UNKNOWN_FIELD = re.compile(r"([a-z][a-z_]*):.*", re.DOTALL)
_SEPARATORS = re.compile(r"[,、;](?!\d)|(?<!\d)[,、;]")
_SYMBOLS = re.compile(r"&+|\|+|[!~^].*|.*\|.*|[+-](?=\D).+|[+-]", re.DOTALL)
_QUOTE_IT: Final = "to look for this very text, put it in quotes"
_QUOTE_IT_ZH: Final = "若要查找这段文字本身，请加引号"


def classify(token: Token) -> Token:
    """Tell operators, aliases and comparisons from words; raise QueryError for what looks like one and is none."""
    word = fold(str(token)).text
    if operator := OPERATORS.get(word):
        return Token.new_borrow_pos(operator, token, token)
    if word == "atleast":
        return Token.new_borrow_pos("ATLEAST", token, token)
    if word.isalnum() and word not in RESERVED:
        return token
    for pattern, read in _READERS:
        if pattern.fullmatch(word):
            return read(token, word)
    _refuse(token, word)
    return token


def _refuse(token: Token, word: str) -> None:
    if word.startswith("atleast/"):
        raise error_at(
            token,
            f"{shown(token)}: write atleast 2 (…); {_QUOTE_IT}",
            f"{shown(token)}：应写作 atleast 2 (…)；{_QUOTE_IT_ZH}",
        )
    if unknown := _UNKNOWN_FIELD.fullmatch(word):
        known = ", ".join(f"{name}:" for name in FIELDS)
        raise error_at(
            token,
            f"there is no field {unknown[1]}: (there is {known}); {_QUOTE_IT}",
            f"没有字段 {unknown[1]}:（有 {known}）；{_QUOTE_IT_ZH}",
        )
    if _SYMBOLS.fullmatch(word):
        raise error_at(
            token,
            f"{shown(token)} is no operator: write AND, OR or NOT, or put the text in quotes",
            f"{shown(token)} 不是运算符：请写 AND、OR 或 NOT（与、或、非），或给这段文字加引号",
        )
    if _SEPARATORS.search(word):
        raise error_at(
            token,
            f"{shown(token)} holds a separator: write OR (or AND) between words, or put it in quotes",
            f"{shown(token)} 中有分隔符：词与词之间请写 OR（或 AND），或加引号",
        )


def _alias(token: Token, word: str) -> Token:
    if not _ALIAS.fullmatch(word):
        message = f"{shown(token)} is no name of a target: @ and small letters, digits, - or _"
        zh = f"{shown(token)} 不是 @名称：@ 之后是小写字母、数字、- 或 _"
        raise error_at(token, message, zh, ("@name",))
    return Token.new_borrow_pos("ALIAS", token, token)


def _near(token: Token, word: str) -> Token:
    read = NEAR.fullmatch(word)
    if not read:
        form = "NEAR/5 (either order) or NEAR/5f (in this order)"
        raise error_at(
            token,
            f"{shown(token)} needs its distance: write {form}; {_QUOTE_IT}",
            f"{shown(token)} 缺少距离：请写 NEAR/5（不分先后）或 NEAR/5f（按此先后）；{_QUOTE_IT_ZH}",
            ("NEAR/n", "NEAR/nf"),
        )
    if int(read[1]) > WIDEST:
        raise error_at(
            token,
            f"NEAR/{int(read[1])} is wider than the {WIDEST} allowed; write AND for anywhere in a mention",
            f"NEAR/{int(read[1])} 超过上限 {WIDEST}；全文任何位置请写 AND",
        )
    return Token.new_borrow_pos("NEAR", token, token)


def _prefix(token: Token, word: str) -> Token:
    stem = word[:-1]
    if not word.endswith("*") or "*" in stem:
        raise error_at(
            token,
            f"{shown(token)}: a wildcard stands at the end of a word alone, as in yun*; {_QUOTE_IT}",
            f"{shown(token)}：通配符 * 只能在词尾，如 yun*；{_QUOTE_IT_ZH}",
        )
    if any(not is_joining(character) for character in stem):
        raise error_at(
            token,
            f"{shown(token)}: wildcards are for Latin words (Chinese ones are found anywhere); {_QUOTE_IT}",
            f"{shown(token)}：通配符只用于拉丁字母的词（中文词在任何位置都能找到）；{_QUOTE_IT_ZH}",
        )
    if len(stem) < SHORTEST_PREFIX:
        raise error_at(
            token,
            f"{shown(token)}: at least {SHORTEST_PREFIX} letters stand before a wildcard; {_QUOTE_IT}",
            f"{shown(token)}：通配符之前至少要有 {SHORTEST_PREFIX} 个字母；{_QUOTE_IT_ZH}",
        )
    return Token.new_borrow_pos("PREFIX", token, token)


def _number(token: Token, word: str) -> Token:
    read = NUMBER.fullmatch(word)
    if not read or read[1] not in NUMBERS:
        raise error_at(
            token,
            f"{shown(token)} is no comparison: write followers>10000 without blanks, with one of "
            f"{', '.join(NUMBERS)}, one of > >= < <= = and a whole number (万 and 亿 may follow); {_QUOTE_IT}",
            f"{shown(token)} 不是比较：请写 followers>10000，不留空格；可用 {'、'.join(NUMBERS)} 与 > >= < <= =，"
            f"以及整数（可加 万、亿）；{_QUOTE_IT_ZH}",
            ("a comparison such as followers>10000",),
        )
    return Token.new_borrow_pos("NUMBER_FACT", token, token)


_READERS: Final = (
    (re.compile("@.*", re.DOTALL), _alias),
    (re.compile("near(/.*)?", re.DOTALL), _near),
    (re.compile(r".*\*.*", re.DOTALL), _prefix),
    (_COMPARISON, _number),
)


def place(token: Token) -> tuple[int, int]:
    return token.line or 1, token.column or 1


def error_at(token: Token, message: str, zh: str, expected: tuple[str, ...] = ()) -> QueryError:
    return QueryError(Because(zh, message), *place(token), expected)


def shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 30 else f"{text[:29]}…"
