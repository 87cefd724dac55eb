"""What an alert event says, put together from a reading and the panes behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from alerts import AGED, AlertEvent, Because, Coverage, Excerpt, Reached, Window
from rules.episode import Episode, EventName
from rules.facts import Facts
from rules.panes import KeyValues
from rules.reading import Reading
from rules.rule import RuleConfig
from rules.story_known import KnownStories
from rules.view import View
from rules.wording import span

_MOST_CHANNELS = 20


@dataclass(frozen=True, slots=True)
class Moment:
    """What all events of a tick share: brands by topic, the sources that cannot be seen, and what is known of stories."""

    now: datetime
    brands: Mapping[str, str]
    blind: tuple[tuple[str, datetime], ...]
    stories: KnownStories


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose alert it is."""

    rule: RuleConfig
    values: KeyValues

    @property
    def key(self) -> dict[str, str]:
        return dict(zip(self.rule.by, self.values, strict=True))

    @property
    def topic(self) -> str:
        """The key's, or the rule's first where it does not tell topics apart."""
        return self.key.get("topic", self.rule.topics[0])

    @property
    def title(self) -> Because:
        return self.rule.headline


def tell(
    subject: Subject, event: EventName, episode: Episode, seen: tuple[Reading, View], moment: Moment
) -> AlertEvent:
    """One event of a key that was read."""
    reading, view = seen
    leaf = reading.leaf
    tally = view.tally(leaf)
    rule = subject.rule
    return AlertEvent(
        event=event,
        kind="topic",
        at=moment.now,
        alert=episode.alert,
        revision=episode.revision,
        rule=rule.id,
        topic=subject.topic,
        key=subject.key,
        level=episode.level,
        because=_because(rule, event, episode, reading, moment.now),
        seen=float(reading.value),
        expected=reading.expected,
        baseline=reading.baseline,
        window=Window(view.start(leaf), moment.now),
        brand=moment.brands.get(subject.topic, ""),
        title=subject.title,
        reached=Reached(
            mentions=tally.mentions,
            negative=tally.count("label", "negative"),
            authors=len(tally.authors),
            people=tally.people,
            channels=tuple(tally.ranked("channel")[:_MOST_CHANNELS]),
        ),
        excerpts=tuple(_excerpt(facts) for facts in view.series(leaf).telling(tally)),
        stories=moment.stories.largest(tally.stories),
        coverage=Coverage(moment.blind),
        playbook=rule.playbook or "",
        shadow=rule.mode == "shadow",
    )


REMOVED = Because(
    "rule_removed：规则（或其中的话题）已从配置中移除或停用，预警随之撤销；这不代表舆情已平息，请人工跟进",
    "rule_removed: the rule, or its topic, was removed from the configuration or switched off, so this alert is withdrawn; "
    "it does not mean that the situation is over, please keep following it",
)
TO_SHADOW = Because(
    "rule_removed：规则改为试运行（shadow），预警随之撤销；这不代表舆情已平息，请人工跟进",
    "rule_removed: the rule was put on trial (shadow), so this alert is withdrawn; "
    "it does not mean that the situation is over, please keep following it",
)
TO_LIVE = Because(
    "rule_removed：规则已转为正式运行（live），试运行期间的预警到此为止；若条件仍满足，将另行正式预警",
    "rule_removed: the rule has gone live, which ends what it would have sent on trial; "
    "where its condition holds an alert opens anew",
)


def tell_withdrawn(subject: Subject, episode: Episode, moment: Moment, why: Because) -> AlertEvent:
    """The end of an episode with its rule, its topic in it, or its rule's mode; the rule is the one that opened it."""
    return AlertEvent(
        event="resolved",
        kind="topic",
        at=moment.now,
        alert=episode.alert,
        revision=episode.revision,
        rule=subject.rule.id,
        topic=subject.topic,
        key=subject.key,
        level=episode.level,
        because=why,
        seen=float(episode.told),
        brand=moment.brands.get(subject.topic, ""),
        title=subject.title,
        coverage=Coverage(moment.blind),
        playbook=subject.rule.playbook or "",
        shadow=subject.rule.mode == "shadow",
    )


def _because(rule: RuleConfig, event: EventName, episode: Episode, reading: Reading, now: datetime) -> Because:
    opened, stands = episode.opened_at or now, episode.stands_since or now
    if event == "resolved":
        return _aged(rule, episode, reading) if rule.timing.aged(episode, now) else _over(rule, reading)
    if stands == opened:
        return reading.because
    lasted, age = span(now - stands), span(rule.max_age)
    return Because(
        f"已持续 {lasted.zh}未平息（前一条预警满 {age.zh}后续开）；{reading.because.zh}",
        f"has stood for {lasted.en} (goes on from an alert that ended at its age of {age.en}); {reading.because.en}",
    )


def _aged(rule: RuleConfig, episode: Episode, reading: Reading) -> Because:
    """The end of an alert that has been open for as long as the rule lets it."""
    age = span(rule.max_age)
    if episode.phase == "pending":
        return Because(
            f"{AGED}：本条预警已满 {age.zh}，到期结束；条件仍满足，将另开一条继续跟进，"
            f"并不代表舆情已平息；{reading.because.zh}",
            f"{AGED}: this alert has been open for {age.en} and ends at that age; "
            "the condition still holds, so another opens: "
            f"it does not mean that the situation is over; {reading.because.en}",
        )
    return Because(
        f"{AGED}：本条预警已满 {age.zh}，到期结束；当前不满足条件，但未能确认已平息；{reading.because.zh}",
        f"{AGED}: this alert has been open for {age.en} and ends at that age; it is not so now, "
        f"though not yet known to be over; {reading.because.en}",
    )


def _over(rule: RuleConfig, reading: Reading) -> Because:
    kept = span(rule.keep_firing_for)
    if not rule.keep_firing_for:
        return Because(f"已不再满足条件；{reading.because.zh}", f"no longer so; {reading.because.en}")
    return Because(
        f"已连续 {kept.zh}不再满足条件；{reading.because.zh}", f"no longer so for {kept.en}; {reading.because.en}"
    )


def _excerpt(facts: Facts) -> Excerpt:
    return Excerpt(
        text=facts.text,
        url=facts.url,
        channel=facts.channel,
        negative=facts.negative,
        author=facts.author,
        reach=facts.people,
        published_at=facts.published_at,
        risks=facts.risks,
        marks=facts.marks,
    )
