"""What a person did with an incident, in a sentence."""

from alerts.alert import Level
from alerts.deadline import SILENCE
from alerts.handling import Act
from alerts.render.text import cut, defuse
from alerts.render.words import ACTS, LEVELS, WORDS, Language

_NAME, _TEXT = 40, 300


def spoken(act: Act, language: Language) -> str:
    """Who did what, and their own words, defused and cut."""
    kind: str = act.kind
    if kind == "unacknowledge" and not act.by:
        kind = "silent" if act.value == SILENCE else "broken"
    elif kind == "assign" and not act.value:
        kind = "unassign"
    if act.other and f"{kind}_number" in ACTS[language]:
        kind = f"{kind}_number"
    level = LEVELS[language][Level[act.value]] if kind == "broken" and act.value in Level.__members__ else ""
    told = ACTS[language][kind].format(
        by=named(act.by, language), value=named(act.value, language), level=level, other=f"#{act.other}"
    )
    words = cut(defuse(act.text[: 10 * _TEXT], WORDS[language]["link"]), _TEXT)
    if not words:
        return told
    said = WORDS[language]["said"].format(words=words.rstrip("。."))
    return f"{told}{said}" if language == "zh" else f"{told} {said}"


def named(text: str, language: Language) -> str:
    """Somebody's or something's name as it may stand in a line."""
    return cut(defuse(text[:200], WORDS[language]["link"]), _NAME)
