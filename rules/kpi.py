"""A target that a topic is held to, and the rule that watches it."""

from datetime import timedelta

from pydantic import Field, model_validator

from rules.conditions.kpi import Kpi, Measure, Over
from rules.rule import RuleConfig
from rules.strict import Strict

PREFIX = "kpi-"
_MEASURES: tuple[Measure, ...] = ("positive_share", "neutral_share", "negative_share", "mentions")


class KpiTarget(Strict):
    """``at_least`` or ``at_most``, one of them, ``over`` a stretch of whole hours; see the ``kpi`` condition."""

    at_least: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    at_most: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    over: Over = timedelta(days=7)
    ahead: Over = timedelta(days=1)
    floor: int = Field(default=30, ge=1)

    def condition(self, measure: Measure) -> Kpi:
        """Raises ValidationError where the target makes no sense for the measure."""
        return Kpi.model_validate({"type": "kpi", "measure": measure, **self.model_dump(exclude_unset=True)})


class KpiConfig(Strict):
    """One target of one topic. Its alerts are those of a rule ``kpi-<id>``, blue: a target is no crisis."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=90)
    topic: str
    title: str | None = Field(default=None, min_length=1, max_length=100)
    positive_share: KpiTarget | None = None
    neutral_share: KpiTarget | None = None
    negative_share: KpiTarget | None = None
    mentions: KpiTarget | None = None

    @model_validator(mode="after")
    def _one_measure(self) -> "KpiConfig":
        given = [name for name in _MEASURES if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(_MEASURES)}")
        self.rule()
        return self

    def rule(self) -> RuleConfig:
        """What watches it: told when it is missed or about to be, over once it has been met for six hours."""
        measure = next(name for name in _MEASURES if getattr(self, name) is not None)
        target: KpiTarget = getattr(self, measure)
        return RuleConfig.model_validate(
            {
                "id": PREFIX + self.id,
                "topics": (self.topic,),
                "title": self.title,
                "when": target.condition(measure).model_dump(exclude_none=True),
                "levels": {"blue": {}},
                "for": timedelta(hours=1),
                "keep_firing_for": timedelta(hours=6),
            }
        )
