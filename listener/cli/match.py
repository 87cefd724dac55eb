"""``listener match``: which topics mentions match, and on which words."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from listener.cli.lines import Lines
from listener.cli.progress import Progress
from listener.config import load
from listener.interchange import LineError, parse_line
from rules.explain import explain
from rules.mention import Mention
from rules.topic import Matcher


def register(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Reads mention lines and writes for each, per topic, whether it matches and on which words; offsets count code "
        "points. --explain adds the query tree, and prints it for people on standard error."
    )
    parser.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="the configuration")
    parser.add_argument("files", nargs="*", type=Path, metavar="LINES", help="mention lines; none: standard input")
    parser.add_argument("--explain", action="store_true", help="tell why, down to each word of the query")
    parser.add_argument("--topic", action="append", default=[], metavar="ID", help="only this topic; may be repeated")


def run(args: argparse.Namespace) -> int:
    config = load(args.config)
    unknown = [name for name in args.topic if name not in {topic.id for topic in config.topics}]
    if unknown:
        print(f"listener: there is no topic {', '.join(unknown)} in {args.config}", file=sys.stderr)
        return 1
    topics = args.topic or [topic.id for topic in config.topics]
    matcher = Matcher(config.targets, config.topics, config.sets)
    lines = Lines(args.files)
    try:
        with Progress("match") as progress:
            for line in lines:
                try:
                    mention = parse_line(line)
                except LineError as error:
                    lines.refuse(str(error))
                else:
                    _print(matcher, mention, topics, explained=args.explain)
                progress.advance()
    except OSError as error:
        if error.filename is None:  # standard output's trouble, which is the frame's to tell
            raise
        print(f"listener: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 1 if lines.refused else 0


def _print(matcher: Matcher, mention: Mention, topics: list[str], *, explained: bool) -> None:
    words = {match.topic: [asdict(word) for word in match.words] for match in matcher.match(mention)}
    answers: list[dict[str, Any]] = []
    for topic in topics:
        answer: dict[str, Any] = {"topic": topic, "matched": topic in words, "words": words.get(topic, [])}
        if explained:
            explanation = explain(matcher, mention, topic)
            answer["explanation"] = explanation.as_json()
            print(f"{mention.source} {mention.external_id}: {explanation}", file=sys.stderr)
        answers.append(answer)
    value = {"external_id": mention.external_id, "source": mention.source, "topics": answers}
    print(json.dumps(value, ensure_ascii=False, separators=(",", ":")))
