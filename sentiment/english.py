"""What can honestly be said of a text in Latin letters: a few hundred English words, and never much confidence.

No model stands behind it. A text whose words are not known is ``unknown``, as is any other language.
"""

import re
from collections.abc import Iterator
from typing import Final

from sentiment.judgement import REASONS_AT_MOST
from sentiment.reading import OUTSIDE, Field, Reading, judged
from sentiment.sentiment import UNKNOWN, Label, Reason, Sentiment

MOST_CONFIDENT: Final = 0.6

_BAD: Final = frozenset(
    """
    abuse accident accused afraid angry annoying arrested arrogant ashamed avoid awful bad bankrupt bankruptcy
    banned boring boycott breach broke broken bug bugs buggy burned burning burnt careless cheat cheated
    cheating clumsy collapse complain complained complaint complaints confusing contaminated corrupt crash
    crashed crashes crashing crime crisis cruel damage damaged danger dangerous dead death deceive defect
    defective defects delay delayed denied died dirty disappointed disappointing disappointment disaster
    disgusting dishonest dreadful dump dumb error errors evil expensive explode exploded explosion fail failed
    failing fails failure fake false fault faulty fear fine fined fire fired flaw flawed fraud fraudulent
    frustrated frustrating garbage greedy guilty hate hated hates hazard horrible horrific hurt ignored illegal
    incompetent inferior injured injury insult investigation junk lag laggy late lawsuit layoff layoffs leak
    leaked leaking liar lie lied lies lose losing loss losses lost mediocre mess misleading mistake negligent
    nightmare noisy outage outrage overheated overheating overheats overpriced pain pathetic poison poisoned
    poor poorly problem problems racist recall recalled refuse refused regret ripoff rubbish rude ruined sad
    scam scammed scandal scared scary sexist shame shameful shoddy shut sick slow smashed smoke spam spoiled
    stole stolen stuck stupid sued suffer suicide suspended terrible theft toxic trash ugly unacceptable unfair
    unhappy unreliable unsafe unusable upset useless victim violation waste wasted weak worse worst worthless
    wrong
    """.split()
)
_GOOD: Final = frozenset(
    """
    accurate affordable amazing appreciate award awards awesome beautiful best better brilliant cheerful clean
    clear comfortable convenient cool delicious delight delighted durable easy effective efficient elegant enjoy
    enjoyed enjoying excellent exciting fabulous fair fantastic fast favorite favourite flawless fresh friendly
    fun generous genius glad good gorgeous grateful great happy helpful honest impressed impressive improved
    improvement incredible innovative inspiring intuitive joy kind liked love loved lovely loves loving loyal
    magnificent marvelous neat nice outstanding perfect perfectly pleasant pleased polite praise praised premium
    pretty professional profit prompt proud quality quick quiet recommend recommended recommending reliable
    remarkable respect responsive reward robust safe satisfied satisfying secure sleek smart smooth solid stable
    stunning sturdy success successful superb superior surprised sweet tasty terrific thank thankful thanks
    thoughtful trust trusted useful value well win winner wins won wonderful worth wow
    """.split()
)
_NEGATION: Final = frozenset(
    """
    not no never nor neither without hardly isn't wasn't don't doesn't didn't can't won't
    """.split()
)
_DEGREE: Final = frozenset(
    """
    very really so too extremely absolutely totally super most
    """.split()
)
_WORD = re.compile(r"[A-Za-z][A-Za-z'\u2019]*")
_REACH = 3  # words that a negation turns


def judge_english(reading: Reading) -> Sentiment:
    """The sentiment of what is said of the target, by words alone; ``unknown`` where none of them is known.

    Each word counts one, 1.5 behind a word of degree, half and the other way within three words of a negation. With the
    sum s, the label follows its sign where |s| >= 1, with confidence ``0.4 + 0.2 |s| / (1 + |s|)``.
    """
    found = list(_weighed(reading))
    if not found:
        return UNKNOWN
    total = sum(weight for weight, _ in found)
    sure = 0.4 + (MOST_CONFIDENT - 0.4) * abs(total) / (1 + abs(total))
    rest = (1 - sure) / 2
    label: Label = "neutral"
    shares = rest, sure, rest
    if total <= -1:
        label, shares = "negative", (sure, rest * 1.5, rest * 0.5)
    elif total >= 1:
        label, shares = "positive", (rest * 0.5, rest * 1.5, sure)
    spans = tuple(Reason(*place, weight) for weight, place in found)
    return Sentiment(*shares, label=label, confidence=sure, spans=spans[:REASONS_AT_MOST], judged=judged(reading))


def _weighed(reading: Reading) -> Iterator[tuple[float, tuple[Field, int, int]]]:
    """Each known word that is said of the target: its weight and its place."""
    since, degree = _REACH + 1, 1.0
    for match in _WORD.finditer(reading.text):
        if reading.zones is not None and reading.zones[match.start()] >= OUTSIDE:
            continue
        word = match.group().lower().replace("\u2019", "'")
        since += 1
        if word in _DEGREE:
            degree = 1.5
            continue
        if word in _NEGATION:
            since = 0
        elif word in _BAD or word in _GOOD:
            weight = degree * (1.0 if word in _GOOD else -1.0) * (-0.5 if since <= _REACH else 1.0)
            if place := reading.place(match.start(), match.end()):
                yield weight, place
        degree = 1.0
