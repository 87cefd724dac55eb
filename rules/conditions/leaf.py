"""What the conditions that count mentions share."""

from dataclasses import dataclass

from alerts import Because
from rules.figures import Figures
from rules.panes import Tally
from rules.rollup import Count

_RAREST = 6


@dataclass(frozen=True, slots=True)
class Unit:
    """What is counted, in words; ``measure`` is the measure word after the figure, with a blank before it."""

    zh: str
    en: str
    measure: str


def figures(
    tally: Tally,
    *,
    share: float | None = None,
    factor: float | None = None,
    surprise: float | None = None,
    doubling: float | None = None,
    mentions: int | None = None,
) -> Figures:
    """What a window holds, and what the condition reads besides; *mentions*: those of them that count."""
    if share is factor is surprise is doubling is mentions is None:
        return tally.figures
    every, authors, channels, sites, stories, reach, sources, _, _, _, _ = tally.figures
    if mentions is None:
        mentions = every
    return Figures(mentions, authors, channels, sites, stories, reach, sources, share, factor, surprise, doubling)


def unit(count: Count, noun: Because) -> Unit:
    """*noun*: the mentions that are counted from."""
    if count == "mentions":
        return Unit(noun.zh, noun.en, " 条")
    if count == "authors":
        return Unit(f"{noun.zh}的发布者", f"authors of {noun.en}", " 人")
    if count == "stories":
        return Unit(f"{noun.zh}所属事件", f"stories of {noun.en}", " 起")
    return Unit(f"{noun.zh}触达", f"people reached by {noun.en}", " 人次")


def rarity(surprise: float) -> Because:
    """How rare a surprise is, among windows of the same topic."""
    if surprise >= _RAREST:
        return Because("百万时段中也难见一次", "rarer than 1 window in a million")
    times = round(10**surprise, -max(0, int(surprise) - 1))
    if times < 2:
        return Because("属常见波动", "nothing unusual")
    return Because(f"约 {times:,.0f} 个时段一遇", f"about 1 window in {times:,.0f}")
