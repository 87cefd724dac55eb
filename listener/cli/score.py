"""``listener score``: each JSON line with its sentiment."""

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from listener.cli.lines import Lines
from listener.cli.progress import Progress
from rules.places import apart, union
from rules.terms import Terms
from sentiment import AnalysisError, Analyzer, Passage, Sentiment, Span, Target
from sentiment.config import AnalyzerConfig, BayesConfig, NgramConfig, SnowNLPConfig


class ScoreLine(BaseModel):
    """What is read of a line; its other keys are handed on as they are."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    text: str
    title: str | None = None
    target: str | list[str] | None = None
    others: str | list[str] | None = None


_ANALYZERS: dict[str, AnalyzerConfig] = {
    "ngram": NgramConfig(),
    "ngram-snownlp": NgramConfig(weights="snownlp"),
    "bayes": BayesConfig(),
    "snownlp": SnowNLPConfig(),
}


class BadLine(Exception):  # noqa: N818 - what the user gave is bad, not the program
    """A line that cannot be scored, and why."""


def register(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        'Reads lines such as {"text": "云杉手机起火", "target": ["云杉", "YUNSHAN"], "others": ["格澜"]} and writes '
        "each with its sentiment. Where a target is named in title or text, what is said of it is judged, else all of it."
    )
    parser.add_argument("files", nargs="*", type=Path, metavar="LINES", help="JSON lines; none: standard input")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--analyzer", choices=sorted(_ANALYZERS), help="who judges (default: ngram)")
    which.add_argument("-c", "--config", type=Path, metavar="FILE", help="take the analyzer from this configuration")


def run(args: argparse.Namespace) -> int:
    lines = Lines(args.files)
    try:
        analyzer = _analyzer(args)
        with Progress("score") as progress:
            for line in lines:
                try:
                    print(scored(line, analyzer))
                except BadLine as error:
                    lines.refuse(str(error))
                progress.advance()
    except AnalysisError as error:
        print(f"listener: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.filename is None:  # standard output's trouble, which is the frame's to tell
            raise
        print(f"listener: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 1 if lines.refused else 0


def _analyzer(args: argparse.Namespace) -> Analyzer:
    if args.config is not None:
        from listener.config import load  # noqa: PLC0415 - loads every part of the program, which judging does not need

        config = load(args.config)
        return config.sentiment.build(config.base)
    return _ANALYZERS[args.analyzer or "ngram"].build()


def scored(line: bytes, analyzer: Analyzer) -> str:
    """*line* with its sentiment, as compact JSON; raises BadLine."""
    value, asked = line_of(line)
    target = target_of(asked)
    value["sentiment"] = sentiment_object(target, analyzer.score([target])[0])
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def line_of(line: bytes) -> tuple[dict[str, Any], ScoreLine]:
    """A line's object, and what of it is judged; raises BadLine."""
    value = _value(line)
    try:
        return value, ScoreLine.model_validate(value)
    except ValidationError as error:
        messages = dict.fromkeys(_message(problem["loc"], problem["msg"]) for problem in error.errors())
        raise BadLine("; ".join(messages)) from error


def _value(line: bytes) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadLine(f"this is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadLine('this is no JSON object such as {"text": "…"}')
    return value


def _message(place: tuple[int | str, ...], message: str) -> str:
    field = place[0]
    if field in {"target", "others"}:
        return f"{field}: must be a string or a list of strings"
    return f"{field}: {'is missing' if message == 'Field required' else 'must be a string'}"


def target_of(asked: ScoreLine) -> Target:
    """The target, its names found as the matcher finds them; raises BadLine for a name that cannot be looked for."""
    brand, others = _terms("target", asked.target), _terms("others", asked.others)
    title = _passage(asked.title, brand, others) if asked.title else None
    return Target(text=_passage(asked.text, brand, others), title=title)


def _terms(field: str, words: str | list[str] | None) -> Terms:
    try:
        return Terms([words] if isinstance(words, str) else words or [])
    except ValueError as error:
        raise BadLine(f"{field}: {error}") from error


def _passage(text: str, brand: Terms, others: Terms) -> Passage:
    own = union((start, end) for start, end, _ in brand.find(text))
    other = apart(union((start, end) for start, end, _ in others.find(text)), own)
    return Passage(text, _spans(own), _spans(other))


def _spans(places: Iterable[tuple[int, int]]) -> tuple[Span, ...]:
    return tuple(Span(start, end) for start, end in places)


def sentiment_object(target: Target, sentiment: Sentiment) -> dict[str, Any]:
    """The sentiment as it is written: its distribution, label and confidence, and the words that drove it."""
    texts = {"text": target.text.text, "title": target.title.text if target.title else ""}
    return {
        "negative": sentiment.negative,
        "neutral": sentiment.neutral,
        "positive": sentiment.positive,
        "label": sentiment.label,
        "confidence": sentiment.confidence,
        "spans": [
            {
                "field": span.field,
                "start": span.start,
                "end": span.end,
                "text": texts[span.field][span.start : span.end],
                "weight": round(span.weight, 4),
            }
            for span in sentiment.spans
        ],
        "judged": [
            {"field": field, "start": start, "end": end, "text": texts[field][start:end]}
            for field, start, end in sentiment.judged
        ],
        "risks": [
            {
                "category": risk.category,
                "confidence": round(risk.confidence, 4),
                "field": risk.field,
                "start": risk.start,
                "end": risk.end,
                "text": texts[risk.field][risk.start : risk.end],
            }
            for risk in sentiment.risks
        ],
    }
