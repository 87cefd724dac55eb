"""The topic query language: text in, a tree with positions out, or one located QueryError.

``docs/reference/queries.md`` is its reference. Words and phrases compare folded (see ``rules.fold``).
"""

import re
from collections.abc import Collection
from typing import Final, cast

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedToken

from alerts import Because
from rules.fold import fold
from rules.query_words import (
    FIELDS,
    INNER,
    NEAR,
    NUMBER,
    PHRASE,
    SCALES,
    SIGNS,
    TEXTS,
    WIDEST,
    WORD,
    QueryError,
    any_form,
    classify,
    error_at,
    place,
    shown,
)
from rules.syntax import (
    OPERATORS,
    SCOPES,
    Alias,
    And,
    AtLeast,
    Fact,
    FactField,
    Field,
    Near,
    Node,
    Not,
    Or,
    Query,
    Within,
    Word,
    children_of,
    first_negation,
    holds_without_leaves,
)

__all__ = ["DEEPEST", "LONGEST", "MOST_PARTS", "Query", "QueryError", "check_query", "parse"]

LONGEST: Final = 10_000
DEEPEST: Final = 50
MOST_PARTS: Final = 500

_GRAMMAR: Final = rf"""
start: any
?any: all (OR all)*
?all: one (AND? one)*
?one: NOT near -> negation
    | near
?near: near NEAR atom -> near
    | atom
?atom: _OPEN any _CLOSE
    | WORD -> word
    | PREFIX -> prefix
    | ALIAS -> alias
    | PHRASE -> phrase
    | NUMBER_FACT -> number
    | TEXT_FACT -> fact
    | FIELD atom -> field
    | ATLEAST WORD atom -> atleast

%declare AND OR NOT NEAR ALIAS PREFIX NUMBER_FACT ATLEAST
_OPEN: "(" | "（"
_CLOSE: ")" | "）"
PHRASE: /{PHRASE}/s
TEXT_FACT.3: /(?:{any_form(TEXTS)})[:：]\s*(?!['‘’＇]){INNER}+/
FIELD.2: /(?:{any_form(FIELDS)})[:：]/
WORD: /{WORD}/
%ignore /\s+/
"""

# A quote that is not closed takes all the rest: to look for its end again from each further quote would cost n squared.
_PART = re.compile(f"{PHRASE}|[()（）]|{WORD}|[\"＂“「'＇‘].*", re.DOTALL)
_NAMES: Final = {
    "WORD": "a word", "PHRASE": "a phrase in quotes", "ALIAS": "@name", "NOT": "NOT", "AND": "AND", "OR": "OR",
    "NEAR": "NEAR/n", "ATLEAST": "atleast n (…)",
    "FIELD": "a field such as title:", "NUMBER_FACT": "a comparison such as followers>10000",
    "_OPEN": "an opening bracket", "_CLOSE": "a closing bracket", "$END": "the end of the query",
}  # fmt: skip


@v_args(inline=True)
class _Tree(Transformer[Token, Node]):
    def start(self, root: Node) -> Node:
        return root

    def any(self, *parts: Node | Token) -> Node:
        return Or(_nodes(parts))

    def all(self, *parts: Node | Token) -> Node:
        return And(_nodes(parts))

    def negation(self, token: Token, child: Node) -> Node:
        return Not(child, *place(token))

    def word(self, token: Token) -> Node:
        return _word(token, str(token))

    def prefix(self, token: Token) -> Node:
        return Word(str(token)[:-1], fold(str(token)).text[:-1], *place(token), prefix=True)

    def alias(self, token: Token) -> Node:
        return Alias(fold(str(token)).text[1:], *place(token))

    def phrase(self, token: Token) -> Node:
        return _word(token, _unquoted(token))

    def number(self, token: Token) -> Node:
        field, sign, digits, scale = cast("re.Match[str]", NUMBER.fullmatch(fold(str(token)).text)).groups()
        value = int(digits) * SCALES[scale]
        return Fact(field, SIGNS.get(sign, sign), value, *place(token))  # type: ignore[arg-type]

    def fact(self, token: Token) -> Node:
        field, value = re.split("[:：]", str(token), maxsplit=1)
        return _fact(token, fold(field).text, value)

    def field(self, token: Token, child: Node) -> Node:
        name = fold(str(token)).text[:-1]
        if name in SCOPES:
            why = Because(f"{name}: 里面不能再有字段", f"{name}: cannot hold another field")
            _only(child, (Word, Alias, Near, AtLeast, Not, And, Or), token, why)
            return Within(cast("Field", name), child, *place(token))
        why = Because(
            f"{name}: 之后是词或短语，可在括号里用 OR、AND 和 NOT",
            f"{name}: takes words and phrases, with OR, AND and NOT in brackets",
        )
        _only(child, (Word, Not, And, Or), token, why)
        return _facts(token, name, child)

    def near(self, left: Node, token: Token, right: Node) -> Node:
        read = cast("re.Match[str]", NEAR.fullmatch(fold(str(token)).text))
        if isinstance(left, Near) or isinstance(right, Near):
            raise error_at(
                token,
                "NEAR joins two, not three: write (a NEAR/5 b) AND (b NEAR/5 c)",
                "NEAR 只连接两项，不能连接三项：请写 (a NEAR/5 b) AND (b NEAR/5 c)",
            )
        for side in (left, right):
            _only(side, (Word, Alias, Or), token, _NEAR_JOINS)
        return Near(left, right, int(read[1]), bool(read[2]), *place(token))

    def atleast(self, token: Token, count: Token, child: Node) -> Node:
        folded = fold(str(count)).text
        if not (folded.isascii() and folded.isdigit() and len(folded) < 4 and 1 <= int(folded) <= WIDEST):
            raise error_at(
                count,
                f"atleast needs a number from 1 to {WIDEST}, as in atleast 2 (a OR b)",
                f"atleast 之后要有 1 到 {WIDEST} 的数，如 atleast 2 (a OR b)",
                ("a number",),
            )
        members = child.children if isinstance(child, And | Or) else (child,)
        for member in members:
            _only(member, (Word, Alias), token, _ATLEAST_COUNTS)
        return AtLeast(int(folded), members, *place(token))


_NEAR_JOINS: Final = Because(
    "NEAR 连接词、短语、@名称，或括号里用 OR 相连的这些",
    "NEAR joins words, phrases, @names, or these with OR in brackets",
)
_ATLEAST_COUNTS: Final = Because(
    "atleast 数的是词、短语和 @名称：atleast 2 (a OR b OR c)",
    "atleast counts words, phrases and @names: atleast 2 (a OR b OR c)",
)


def _only(node: Node, allowed: tuple[type, ...], token: Token, why: Because) -> None:
    """Refuse any other node in *node*, at its place where it has one, else at *token*."""
    if not isinstance(node, allowed):
        line, column = getattr(node, "line", None), getattr(node, "column", None)
        raise QueryError(why, *((line, column) if line and column else place(token)))
    for child in children_of(node):
        _only(child, allowed, token, why)


def _facts(token: Token, name: str, node: Node) -> Node:
    """*node*, whose leaves are words, with each as a fact of the field *name*."""
    match node:
        case Word(text, prefix=False, line=line, column=column):
            return _fact(Token.new_borrow_pos("WORD", text, token), name, text, line, column)
        case Word(line=line, column=column):
            raise QueryError(Because(f"{name}: 不能用通配符", f"{name}: takes no wildcard"), line, column)
        case Not(child, line, column):
            return Not(_facts(token, name, child), line, column)
        case And(children):
            return And(tuple(_facts(token, name, child) for child in children))
        case Or(children):
            return Or(tuple(_facts(token, name, child) for child in children))
        case _:
            raise AssertionError(node)


def _fact(token: Token, name: str, value: str, line: int | None = None, column: int | None = None) -> Fact:
    at = (line, column) if line and column else place(token)
    folded = " ".join(fold(value).text.split())
    if name == "repost" and folded not in {"true", "false"}:
        why = Because("repost: 的值是 true 或 false", "repost: is true or false")
        raise QueryError(why, *at, ("true", "false"))
    if not folded:
        raise QueryError(Because(f"{name}: 缺少值", f"{name}: needs a value"), *at)
    return Fact(cast("FactField", name), ":", folded, *at)


def _unquoted(token: Token) -> str:
    inner = str(token)[1:-1]
    return re.sub(r"\\(.)", r"\1", inner, flags=re.DOTALL) if token[0] in "\"'" else inner


def _nodes(parts: tuple[Node | Token, ...]) -> tuple[Node, ...]:
    return tuple(part for part in parts if not isinstance(part, Token))


def _word(token: Token, text: str) -> Word:
    folded = " ".join(fold(text).text.split())
    if not folded:
        raise error_at(token, "there is nothing to look for between these quotes", "这对引号之间没有可查找的内容")
    return Word(" ".join(text.split()), folded, *place(token))


_LARK = Lark(_GRAMMAR, parser="lalr", lexer="basic", transformer=_Tree(), lexer_callbacks={"WORD": classify})


def parse(text: str) -> Query:
    """Read a query; raises QueryError and nothing else. Costs time in proportion to its length."""
    if len(text) > LONGEST:
        why = Because(
            f"查询有 {len(text):,} 个字符，最多 {LONGEST:,} 个",
            f"the query has {len(text):,} characters, at most {LONGEST:,} are allowed",
        )
        raise QueryError(why, 1, 1)
    if not text.strip():
        raise QueryError(Because("查询是空的", "the query is empty"), 1, 1, ("a word", "a phrase in quotes", "@name"))
    _check_size(text)
    root = _parse(text)
    if holds_without_leaves(root):
        negation = first_negation(root)
        raise QueryError(
            Because(
                "只有 NOT 会匹配所有不含某词的文字：请先写要找什么，如 a NOT b",
                "NOT alone would match every text that lacks a word: say first what to look for, as in 'a NOT b'",
            ),
            negation.line, negation.column, ("a word", "a phrase in quotes", "@name"),
        )  # fmt: skip
    return Query(text, root)


def check_query(text: str, known: Collection[str] | None) -> Query:
    """Read a query and check its ``@name`` against *known* targets and sets (None: not known); raises QueryError."""
    query = parse(text)
    for alias in query.aliases():
        if known is not None and alias.name not in known:
            names = tuple(f"@{name}" for name in known)
            among = f"; there is {', '.join(names[:10])}" if names else ", nor any other"
            among_zh = f"；有 {'、'.join(names[:10])}" if names else "，也没有其他名称"
            why = Because(
                f"没有名为 {alias.name} 的目标或词集{among_zh}", f"there is no target or set {alias.name!r}{among}"
            )
            raise QueryError(why, alias.line, alias.column, names)
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
            deep = Because(f"括号嵌套超过 {DEEPEST} 层", f"brackets are nested more than {DEEPEST} deep")
            many = Because(
                f"查询中的词、短语和括号超过 {MOST_PARTS} 个；成批的名称请用 @名称",
                f"the query has more than {MOST_PARTS} words, phrases and brackets; use @name for lists of names",
            )
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
        closing = Because(f"这个 {quote} 没有对应的引号开头", f"this {quote} closes no quote")
        opening = Because("从这里开始的引号没有结束", "the quote opened here is not closed")
        raise QueryError(opening if quote not in "”’」" else closing, error.line, error.column) from error
    return root


def _unexpected(text: str, error: UnexpectedToken, last: Token | None, opened: list[Token]) -> QueryError:
    token = error.token
    expected = tuple(sorted(_NAMES[name] for name in error.accepts or error.expected if name in _NAMES))
    after = f" after {shown(last)}" if last is not None else ""
    after_zh = f"在 {shown(last)} 之后" if last is not None else ""
    if token.type == "$END":
        lines = text.rstrip().split("\n")
        if opened and "a closing bracket" in expected:
            return error_at(opened[-1], "the bracket opened here is not closed", "从这里开始的括号没有结束", expected)
        ends = Because(f"查询{after_zh}结束了，还缺一个词", f"the query ends{after}, where a word is missing")
        return QueryError(ends, len(lines), len(lines[-1]) + 1, expected)
    if token.type == "_CLOSE" and last is not None and last.type == "_OPEN":
        return error_at(token, "there is nothing between these brackets", "这对括号之间没有内容", expected)
    if token.type == "_CLOSE" and "a word" not in expected:
        return error_at(token, "this bracket closes none", "这个括号没有对应的开头", expected)
    return error_at(
        token,
        f"{shown(token)} cannot stand{after or ' first'}: a word is missing before it",
        f"{shown(token)} 不能{after_zh or '在最前面'}：它前面缺一个词",
        expected,
    )
