"""The topic query language: text in, a tree with positions out, or one located QueryError.

``docs/reference/queries.md`` is its reference. Words and phrases compare folded (see ``rules.fold``). What the language
will hold later (fields, NEAR, wildcards, atleast) is refused today, so that no query changes its meaning then.
"""

import re
from collections.abc import Collection
from typing import Any, Final

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from rules.fold import fold
from rules.syntax import (
    OPERATORS,
    RESERVED,
    Alias,
    And,
    Node,
    Not,
    Or,
    Query,
    Word,
    first_negation,
    holds_without_leaves,
)

__all__ = ["DEEPEST", "LONGEST", "MOST_PARTS", "Query", "QueryError", "check_query", "parse"]

LONGEST: Final = 10_000
DEEPEST: Final = 50
MOST_PARTS: Final = 500


class QueryError(Exception):
    """A query cannot be read: why, at which line and column of it (from 1), and what was expected there, if known."""

    def __init__(self, message: str, line: int, column: int, expected: tuple[str, ...] = ()) -> None:
        super().__init__(f"{line}:{column}: {message}")
        self.message = message
        self.line = line
        self.column = column
        self.expected = expected


_PHRASE: Final = (
    r'"(?:\\.|[^"\\])*"|＂[^＂]*＂|“[^”]*”|「[^」]*」'
    r"|'(?:\\.|[^'\\])*'|＇[^＇]*＇|‘[^’]*’"
)
_WORD: Final = r"""[^\s()（）"“”＂「」'‘’＇][^\s()（）"“”＂「」]*"""
_GRAMMAR: Final = r"""
start: any
?any: all (OR all)*
?all: one (AND? one)*
?one: NOT atom -> negation
    | atom
?atom: _OPEN any _CLOSE
    | WORD -> word
    | ALIAS -> alias
    | PHRASE -> phrase

%declare AND OR NOT ALIAS
_OPEN: "(" | "（"
_CLOSE: ")" | "）"
PHRASE: /PHRASE_PATTERN/s
WORD: /WORD_PATTERN/
%ignore /\s+/
""".replace("PHRASE_PATTERN", _PHRASE).replace("WORD_PATTERN", _WORD)

# A quote that is not closed takes all the rest: to look for its end again from each further quote would cost n squared.
_PART = re.compile(f"{_PHRASE}|[()（）]|{_WORD}|[\"＂“「'＇‘].*", re.DOTALL)
_ALIAS = re.compile(r"@([a-z0-9][a-z0-9_-]*)")
_LATER = (
    (re.compile(r"near(/.*)?|onear/.*", re.DOTALL), "NEAR is not supported yet"),
    (re.compile(r"atleast(/.*)?", re.DOTALL), "atleast is not supported yet"),
    (re.compile(r"[a-z][a-z_]*:.*", re.DOTALL), "fields are not supported yet"),
    (re.compile(r"[a-z][a-z_]*(?:[<>]=?|=)\d.*", re.DOTALL), "comparisons are not supported yet"),
    (re.compile(r".*[*].*", re.DOTALL), "wildcards are not supported yet"),
)
_SEPARATORS = re.compile(r"[,、;](?!\d)|(?<!\d)[,、;]")
_SYMBOLS = re.compile(r"&+|\|+|[!~^].*|.*\|.*|[+-](?=\D).+|[+-]", re.DOTALL)
_NAMES: Final = {
    "WORD": "a word", "PHRASE": "a phrase in quotes", "ALIAS": "@name", "NOT": "NOT", "AND": "AND", "OR": "OR",
    "_OPEN": "an opening bracket", "_CLOSE": "a closing bracket", "$END": "the end of the query",
}  # fmt: skip


def _classify(token: Token) -> Token:
    """Tell operators and aliases from words; raise QueryError for what looks like an operator but is none yet."""
    word = fold(str(token)).text
    if operator := OPERATORS.get(word):
        return Token.new_borrow_pos(operator, token, token)
    if word.startswith("@"):
        if not _ALIAS.fullmatch(word):
            raise _error(
                token, f"{_shown(token)} is no name of a target: @ and small letters, digits, - or _", ("@name",)
            )
        return Token.new_borrow_pos("ALIAS", token, token)
    if word.isalnum() and word not in RESERVED:
        return token
    for pattern, message in _LATER:
        if pattern.fullmatch(word):
            raise _error(token, f"{message}: {_shown(token)}; to look for this very text, put it in quotes")
    if _SYMBOLS.fullmatch(word):
        raise _error(token, f"{_shown(token)} is no operator: write AND, OR or NOT, or put the text in quotes")
    if _SEPARATORS.search(word):
        raise _error(token, f"{_shown(token)} holds a separator: write OR (or AND) between words, or put it in quotes")
    return token


@v_args(inline=True)
class _Tree(Transformer[Token, Node]):
    def start(self, root: Node) -> Node:
        return root

    def any(self, *parts: Node | Token) -> Node:
        return Or(_nodes(parts))

    def all(self, *parts: Node | Token) -> Node:
        return And(_nodes(parts))

    def negation(self, token: Token, child: Node) -> Node:
        return Not(child, *_place(token))

    def word(self, token: Token) -> Node:
        return _word(token, str(token))

    def alias(self, token: Token) -> Node:
        return Alias(fold(str(token)).text[1:], *_place(token))

    def phrase(self, token: Token) -> Node:
        inner = str(token)[1:-1]
        if token[0] in "\"'":
            inner = re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL)
        return _word(token, inner)


def _nodes(parts: tuple[Node | Token, ...]) -> tuple[Node, ...]:
    return tuple(part for part in parts if not isinstance(part, Token))


def _word(token: Token, text: str) -> Word:
    folded = " ".join(fold(text).text.split())
    if not folded:
        raise _error(token, "there is nothing to look for between these quotes")
    return Word(" ".join(text.split()), folded, *_place(token))


_LARK = Lark(_GRAMMAR, parser="lalr", lexer="basic", transformer=_Tree(), lexer_callbacks={"WORD": _classify})


def parse(text: str) -> Query:
    """Read a query; raises QueryError and nothing else. Costs time in proportion to its length."""
    if len(text) > LONGEST:
        raise QueryError(f"the query has {len(text):,} characters, at most {LONGEST:,} are allowed", 1, 1)
    if not text.strip():
        raise QueryError("the query is empty", 1, 1, ("a word", "a phrase in quotes", "@name"))
    _check_size(text)
    root = _parse(text)
    if holds_without_leaves(root):
        negation = first_negation(root)
        raise QueryError(
            "NOT alone would match every text that lacks a word: say first what to look for, as in 'a NOT b'",
            negation.line, negation.column, ("a word", "a phrase in quotes", "@name"),
        )  # fmt: skip
    return Query(text, root)


def check_query(text: str, targets: Collection[str] | None) -> Query:
    """Read a query and check its aliases against the ids of *targets* (None: they are not known); raises QueryError."""
    query = parse(text)
    for alias in query.aliases():
        if targets is not None and alias.name not in targets:
            known = tuple(f"@{name}" for name in targets)
            among = f"; there is {', '.join(known[:10])}" if known else ", nor any other"
            raise QueryError(f"there is no target {alias.name!r}{among}", alias.line, alias.column, known)
    return query


def _check_size(text: str) -> None:
    """Refuse what is too large or too deep at a fraction of what reading it would cost."""
    parts = depth = 0
    for found in _PART.finditer(text):
        if found[0] in {")", "）"}:
            depth -= 1
            continue
        parts += found[0].casefold() not in OPERATORS
        depth += found[0] in {"(", "（"}
        if depth > DEEPEST or parts > MOST_PARTS:
            lines = text[: found.start() + 1].split("\n")
            deep = f"brackets are nested more than {DEEPEST} deep"
            many = f"the query has more than {MOST_PARTS} words, phrases and brackets; use @name for lists of names"
            raise QueryError(deep if depth > DEEPEST else many, len(lines), len(lines[-1]))


def _parse(text: str) -> Node:
    opened: list[Token] = []
    before: Token | None = None
    last: Token | None = None
    # Token by token, so that an error knows what stood before it.
    parser = _LARK.parse_interactive(text)
    try:
        for token in parser.iter_parse():
            before, last = last, token  # the parser reads this token only after this round
            if token.type == "_OPEN":
                opened.append(token)
            elif token.type == "_CLOSE" and opened:
                opened.pop()
        before = last
        root: Node = parser.feed_eof(last)  # type: ignore[no-untyped-call]
    except UnexpectedToken as error:
        raise _unexpected(text, error, before, opened) from error
    except UnexpectedCharacters as error:
        quote = error.char
        message = "the quote opened here is not closed" if quote not in "”’」" else f"this {quote} closes no quote"
        raise QueryError(message, error.line, error.column) from error
    return root


def _unexpected(text: str, error: UnexpectedToken, last: Token | None, opened: list[Token]) -> QueryError:
    token = error.token
    expected = tuple(sorted(_NAMES[name] for name in error.accepts or error.expected if name in _NAMES))
    after = f" after {_shown(last)}" if last is not None else ""
    if token.type == "$END":
        lines = text.splitlines() or [""]
        if opened and "a closing bracket" in expected:
            return _error(opened[-1], "the bracket opened here is not closed", expected)
        return QueryError(f"the query ends{after}, where a word is missing", len(lines), len(lines[-1]) + 1, expected)
    if token.type == "_CLOSE" and last is not None and last.type == "_OPEN":
        return _error(token, "there is nothing between these brackets", expected)
    if token.type == "_CLOSE" and "a word" not in expected:
        return _error(token, "this bracket closes none", expected)
    return _error(token, f"{_shown(token)} cannot stand{after or ' first'}: a word is missing before it", expected)


def _place(token: Token) -> tuple[int, int]:
    return token.line or 1, token.column or 1


def _error(token: Token, message: str, expected: tuple[str, ...] = ()) -> QueryError:
    return QueryError(message, *_place(token), expected)


def _shown(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 30 else f"{text[:29]}…"
