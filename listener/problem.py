"""A mistake in a configuration, and where it stands."""

from dataclasses import dataclass
from typing import NamedTuple

Keys = tuple[str | int, ...]
"""The way to a value in its document: ``("rules", 0, "when")``."""


class Place(NamedTuple):
    """Line and column count from 1, columns in code points; line 0 speaks of the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with the value at ``keys``, told in terms of the document; a Problem once its path is spelled."""

    place: Place
    keys: Keys
    message: str


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake, for a person: ``file:line:col: path: message``. It never holds a secret."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __str__(self) -> str:
        place = Place(self.file, self.line, self.column)
        return ": ".join(part for part in (str(place), self.path, self.message) if part)


class ConfigError(Exception):
    """A configuration is refused; ``problems`` are all its mistakes, file by file in order of line."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
