"""What PyYAML says of a malformed file, in plain words: who writes a configuration need not know YAML's grammar."""

import re

import yaml

# (what PyYAML says, what it means for the writer); the first that fits is used, \1 is its group
_WORDS = (
    (r"found character '\\t' that cannot start any token", "a tab stands here: indent with spaces"),
    (r"found a tab character.*", "a tab stands here: indent with spaces"),
    (r"found character '(.+)' that cannot start any token", r"text that starts with \1 must stand in quotes"),
    (
        r"found undefined alias.*",
        "text that starts with * must stand in quotes (or the anchor for this alias is missing)",
    ),
    (r"expected alphabetic or numeric character, but found.*", "text that starts with * or & must stand in quotes"),
    (r"mapping values are not allowed here", "a ':' is not allowed here: put text that holds ': ' in quotes"),
    (r"could not find expected ':'", "a ':' is missing near here: each key needs one"),
    (r"found unexpected end of stream", "a quote is opened and never closed"),
    (r"found unknown escape character '(.+)'", r"\\\1 is no escape within double quotes: use single quotes or \\\\\1"),
    (r"expected <block end>, but found '<(.+)>'", "the indentation does not fit the lines above"),
    (r"expected the node content, but found '(.+)'", r"a value is missing here (found '\1')"),
    (r"expected ',' or '([\]}])', but (?:got|found) '.+'", r"a ',' or a closing \1 is missing here"),
    (r"but found another document", "one file holds one document: '---' stands here a second time"),
    (r"found duplicate anchor.*", "this anchor's name is taken"),
    (r"did not find expected .*", "the line cannot be read"),
)
_KNOWN = tuple((re.compile(pattern), words) for pattern, words in _WORDS)


def in_plain_words(error: yaml.MarkedYAMLError) -> tuple[str, int, int]:
    """One sentence, which holds of the file's content at most a character or a name, and its line and column from 1."""
    said = error.problem or error.context or "cannot be read as YAML"
    # A quote that is never closed is noticed at the end of the file; where it was opened helps more.
    mark = error.context_mark if said.startswith("found unexpected end of stream") else error.problem_mark
    mark = mark or error.problem_mark or error.context_mark
    place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    for pattern, words in _KNOWN:
        if match := pattern.match(said):
            return match.expand(words), *place
    return said, *place
