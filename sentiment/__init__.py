"""Text, and a target in it, in; how the text speaks of the target, out. Knows strings alone: no mention, no topic."""

from sentiment.analyzer import AnalysisError, Analyzer, Helped
from sentiment.sentiment import Label, Reason, Risk, RiskCategory, Sentiment
from sentiment.target import Passage, Span, Target

__all__ = [
    "AnalysisError",
    "Analyzer",
    "Helped",
    "Label",
    "Passage",
    "Reason",
    "Risk",
    "RiskCategory",
    "Sentiment",
    "Span",
    "Target",
]
