"""Mentions in; alert events, each with its reason, out. Pure: no I/O, no clock, no tasks."""

from rules.figures import Figures
from rules.log import MentionRow, PollRow, RevisionRow, Row, RulesRow, Scored, ScoreRow, StoryRow
from rules.mention import Author, Mention, Reach
from rules.reading import Condition, Leaf, Looks, Reading

__all__ = [
    "Author",
    "Condition",
    "Figures",
    "Leaf",
    "Looks",
    "Mention",
    "MentionRow",
    "PollRow",
    "Reach",
    "Reading",
    "RevisionRow",
    "Row",
    "RulesRow",
    "ScoreRow",
    "Scored",
    "StoryRow",
]
