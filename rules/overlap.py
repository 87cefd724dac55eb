"""What queries can be true of: nothing, everything, or only what another one is true of.

Words, names and facts are taken as true or false independently of each other, but for what follows from their spelling
(云杉科技 holds 云杉), from NEAR and atleast (their words stand there), and from facts that exclude each other. What is found
is sure; what would take too long to find is not told.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Final

from rules.fold import fold, is_word
from rules.syntax import Alias, And, AtLeast, Fact, Field, Near, Node, Not, Or, Within, Word, children_of, written

_STEPS: Final = 300  # guesses until it is given up
_ATOMS: Final = 120  # different words, names and facts that are compared with each other

Atom = tuple[str, Word | Alias | Fact | Near | AtLeast, Field | None]
Formula = Atom | tuple[str, tuple["Formula", ...]]
Sets = Mapping[str, Sequence[str]]

_SINGLE: Final = frozenset({"channel", "source"})


def never(root: Node, sets: Sets) -> bool:
    """Whether no mention can satisfy the query."""
    return _impossible(_formula(root, sets, None))


def always(root: Node, sets: Sets) -> bool:
    """Whether every mention satisfies the query."""
    return _impossible(("not", (_formula(root, sets, None),)))


def within(one: Node, other: Node, sets: Sets) -> bool:
    """Whether every mention that satisfies *one* satisfies *other* too."""
    return _impossible(("and", (_formula(one, sets, None), ("not", (_formula(other, sets, None),)))))


def asks_for_no_word(root: Node) -> bool:
    """Whether only what is known of a mention beside its words decides."""
    return isinstance(root, Fact) or (
        not isinstance(root, Word | Alias) and all(asks_for_no_word(child) for child in children_of(root))
    )


def _formula(node: Node, sets: Sets, scope: Field | None) -> Formula:  # noqa: PLR0911 - a case for each kind of node
    match node:
        case Alias(name, line, column) if name in sets:
            words = (fold(word).text.strip() for word in sets[name])
            return "or", tuple(_formula(Word(word, word, line, column), sets, scope) for word in words)
        case Within(field, child):
            return _formula(child, sets, field)
        case Not(child):
            return "not", (_formula(child, sets, scope),)
        case And(children):
            return "and", tuple(_formula(child, sets, scope) for child in children)
        case Or(children):
            return "or", tuple(_formula(child, sets, scope) for child in children)
        case Near(left, right):
            both = (_formula(left, sets, scope), _formula(right, sets, scope))
            return "and", (_atom(node, scope), *both)
        case AtLeast(count, children):
            any_of: Formula = ("or", tuple(_formula(child, sets, scope) for child in children))
            return any_of if count == 1 else ("and", (_atom(node, scope), any_of))
        case Fact("repost", ":", "false"):
            return "not", (_atom(replace(node, value="true"), None),)
        case _:
            return _atom(node, None if isinstance(node, Fact) else scope)


def _atom(node: Word | Alias | Fact | Near | AtLeast, scope: Field | None) -> Atom:
    """The same for what is written alike."""
    folded = replace(node, text=node.folded) if isinstance(node, Word) else node
    return f"{scope}:{written(folded)}", node, scope


def _is_atom(formula: Formula) -> bool:
    return len(formula) == 3


def _impossible(formula: Formula) -> bool:
    """Whether nothing makes *formula* true; False also where that was not found in time."""
    atoms = {atom[0]: atom for atom in _atoms(formula)}
    if len(atoms) > _ATOMS:
        return False
    rules = [rule for one, other in permutations(atoms.values(), 2) if (rule := _rule(one, other))]
    return _Search(rules).refutes(formula, {}) is True


def _atoms(formula: Formula) -> Iterator[Atom]:
    if _is_atom(formula):
        yield formula  # type: ignore[misc]
        return
    for child in formula[1]:  # type: ignore[union-attr]
        yield from _atoms(child)


Rule = tuple[str, str, bool]
"""Where the first atom is true, the second is true, or false."""


def _rule(one: Atom, other: Atom) -> Rule | None:
    (key, first, scope), (then, second, wider) = one, other
    if isinstance(first, Fact) and isinstance(second, Fact):
        outcome = _facts(first, second)
        return None if outcome is None else (key, then, outcome)
    if wider not in {None, scope}:
        return None
    if type(first) is type(second) and written(first) == written(second):
        return key, then, True
    if isinstance(first, Word) and isinstance(second, Word) and _holds(first, second):
        return key, then, True
    return None


def _holds(longer: Word, shorter: Word) -> bool:
    """Whether a text that holds the one holds the other."""
    if longer.prefix or shorter.prefix:
        return shorter.prefix and longer.folded.startswith(shorter.folded) and longer.folded.isascii()
    at = longer.folded.find(shorter.folded)
    return at >= 0 and is_word(longer.folded, at, at + len(shorter.folded))


def _facts(first: Fact, second: Fact) -> bool | None:
    """Whether the second is true, or false, wherever the first is true."""
    if first.field != second.field:
        return None
    if isinstance(first.value, str) or isinstance(second.value, str):
        return False if first.field in _SINGLE and first.value != second.value else None
    (low, high), (least, most) = _interval(first), _interval(second)
    if low > high or high < least or most < low:
        return False
    return True if least <= low and high <= most else None


def _interval(fact: Fact) -> tuple[float, float]:
    value, end = float(fact.value), float("inf")
    return {
        ">": (value + 1, end), ">=": (value, end), "<": (0.0, value - 1), "<=": (0.0, value), "=": (value, value),
    }[fact.sign]  # fmt: skip


class _Search:
    """Guesses what is true, one atom at a time, until the formula is decided."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._then: dict[tuple[str, bool], list[tuple[str, bool]]] = {}
        for one, other, true in rules:
            self._then.setdefault((one, True), []).append((other, true))
            self._then.setdefault((other, not true), []).append((one, False))
        self._steps = 0

    def refutes(self, formula: Formula, known: dict[str, bool]) -> bool | None:
        """Whether no assignment that goes on from *known* makes *formula* true; None: given up."""
        outcome, open_ = _value(formula, known)
        if outcome is not None:
            return not outcome
        self._steps += 1
        if self._steps > _STEPS or open_ is None:
            return None
        for guess in (True, False):
            assumed = self._assume(open_, guess, known)
            if assumed is not None:
                refuted = self.refutes(formula, assumed)
                if refuted is not True:
                    return refuted
        return True

    def _assume(self, atom: str, true: bool, known: dict[str, bool]) -> dict[str, bool] | None:  # noqa: FBT001
        """*known* with the atom and all that follows; None where that contradicts it."""
        assumed, todo = dict(known), [(atom, true)]
        while todo:
            name, value = todo.pop()
            if assumed.setdefault(name, value) is not value:
                return None
            if known.get(name) is None:
                todo += [then for then in self._then.get((name, value), ()) if assumed.get(then[0]) is not then[1]]
        return assumed


def _value(formula: Formula, known: Mapping[str, bool]) -> tuple[bool | None, str | None]:
    """True, false or undecided, and then the first atom that is open."""
    if _is_atom(formula):
        name: str = formula[0]
        return known.get(name), name if name not in known else None
    kind, children = formula  # type: ignore[misc]
    if kind == "not":
        value, open_ = _value(children[0], known)
        return (None if value is None else not value), open_
    deciding, first = kind == "or", None
    undecided = False
    for child in children:
        value, open_ = _value(child, known)
        if value is deciding:
            return deciding, None
        if value is None:
            undecided, first = True, first or open_
    return (None, first) if undecided else (not deciding, None)
