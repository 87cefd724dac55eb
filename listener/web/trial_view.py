"""What the page for trying texts and queries shows, decided from explanations. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from listener.web.trial import Tried
from rules.explain import Explanation, Step, present
from rules.query import QueryError
from rules.syntax import Field
from rules.topic import MatchedWord

IN_FULL = 20  # topics that match whose text is shown again with its words marked
DETAILED = 50  # topics that do not match with their clauses; more are told in a line, to be looked at alone


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text, and the word that it was matched as, if it was."""

    text: str
    word: MatchedWord | None = None


@dataclass(frozen=True, slots=True)
class Lack:
    """A clause that keeps a topic from matching, and what stands in the text against it, if it is a NOT."""

    step: Step
    against: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """How one topic or query does, with title and text in pieces; not ``detailed``: it is told in a line."""

    explanation: Explanation
    name: str
    heading: tuple[Piece, ...]
    body: tuple[Piece, ...]
    lacks: tuple[Lack, ...]
    detailed: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    query: Shown | None
    matching: tuple[Shown, ...]
    missing: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """The line of a query that holds its mistake: what stands before it, the character there, and what follows."""

    error: QueryError
    before: str
    here: str
    after: str


def pieces(text: str, words: Sequence[MatchedWord], field: Field) -> tuple[Piece, ...]:
    """*text* cut at the words of that field; together they are the text again. Of two that overlap, both are marked."""
    cut: list[Piece] = []
    at = 0
    for word in sorted((word for word in words if word.field == field), key=lambda word: (word.start, word.end)):
        start = max(at, word.start)
        if word.end <= start:
            continue
        if start > at:
            cut.append(Piece(text[at:start]))
        cut.append(Piece(text[start : word.end], word))
        at = word.end
    if at < len(text):
        cut.append(Piece(text[at:]))
    return tuple(cut)


def outcome(tried: Tried, title: str, text: str) -> Outcome:
    """Topics that match first, both in the configuration's order."""

    def shown(explanation: Explanation, name: str, *, detailed: bool) -> Shown:
        marked = detailed and explanation.matched
        heading = pieces(title, explanation.words, "title") if marked else ()
        body = pieces(text, explanation.words, "text") if marked else ()
        return Shown(explanation, name, heading, body, _lacks(explanation), detailed)

    matching = [each for each in tried.topics if each.matched]
    missing = [each for each in tried.topics if not each.matched]
    return Outcome(
        query=shown(tried.query, "", detailed=True) if tried.query else None,
        matching=tuple(
            shown(each, tried.titles[each.topic], detailed=number < IN_FULL) for number, each in enumerate(matching)
        ),
        missing=tuple(
            shown(each, tried.titles[each.topic], detailed=number < DETAILED) for number, each in enumerate(missing)
        ),
    )


def _lacks(explanation: Explanation) -> tuple[Lack, ...]:
    return tuple(
        Lack(step, tuple(dict.fromkeys(word.text for word in present(step))) if step.kind == "not" else ())
        for step in explanation.nearest
    )


def fault(query: str, error: QueryError) -> Fault:
    """Where *error* points at; past the end of its line nothing stands there."""
    lines = query.split("\n")
    line = lines[error.line - 1] if error.line <= len(lines) else ""
    at = error.column - 1
    return Fault(error, line[:at], line[at : at + 1], line[at + 1 :])
