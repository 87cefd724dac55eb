"""The whole configuration. Each section's model lives in the package that uses it."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PrivateAttr, SecretStr
from pydantic import Strict as StrictType

from alerts import Level
from alerts.config import InhibitConfig, ReceiverConfig, RouteConfig
from alerts.deadline import ResponseTimes
from alerts.hours import TimeInterval
from alerts.oncall import AcknowledgeConfig, EscalationConfig, OnCall, RespondWithinConfig, ScheduleConfig
from alerts.time_intervals import TimeIntervalConfig, ZoneName
from listener.collectors import CollectorConfig
from listener.config.packs import PackConfig
from listener.config.told import AliveConfig, HeartbeatConfig
from listener.web.config import WebConfig
from listener.web.tokens import TokenConfig
from rules.calendar import Calendar, Work
from rules.kpi import KpiConfig
from rules.rule import RuleConfig
from rules.topic import SetId, TargetConfig, TopicConfig, WordSet
from sentiment.config import AnalyzerConfig, NgramConfig

Duration = Annotated[timedelta, StrictType()]
DEFAULT_STORAGE = "sqlite:///data/listener.db"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _database(url: str) -> str:
    if not url.startswith("sqlite:///") or url.endswith("/"):
        raise ValueError("must be sqlite:///PATH: one slash more for an absolute path")
    return url


class StorageConfig(Strict):
    url: Annotated[str, AfterValidator(_database)] = Field(
        default=DEFAULT_STORAGE,
        description="The database: sqlite:///PATH; a relative path counts from the configuration's folder.",
    )


class RetentionConfig(Strict):
    matched: Duration = Field(
        default=timedelta(days=400), gt=timedelta(0), description="How long mentions that match a topic are kept."
    )
    unmatched: Duration = Field(
        default=timedelta(days=7),
        gt=timedelta(0),
        description="How long mentions that match no topic are kept, so that a new query can be tried on them.",
    )
    rollups: Duration = Field(
        default=timedelta(days=1095), gt=timedelta(0), description="How long the counts behind charts are kept."
    )


class CalendarsConfig(Strict):
    work: Work = Field(
        default="CN",
        description="Whose holidays and worked weekends baselines know: CN, or none for Saturdays and Sundays alone.",
    )


class BudgetConfig(Strict):
    alerts_per_week: int | None = Field(
        default=None, ge=0, description="Alerts a week that all live rules together may give."
    )
    per_rule: int | None = Field(default=None, ge=0, description="Alerts a week that one rule may give.")


class LogConfig(Strict):
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least that is logged; texts of mentions appear at debug alone."
    )
    format: Literal["auto", "json", "text"] = Field(
        default="auto", description="json, one object a line; text, for people; auto: text on a terminal, else json."
    )


class Config(Strict):
    """What one YAML file, its includes and its rule files say, checked whole."""

    timezone: ZoneName = Field(
        default="Asia/Shanghai",
        description="Where days begin: the zone of times in pages and messages, and of feeds that state none.",
    )
    calendars: CalendarsConfig = Field(default=CalendarsConfig(), description="Which days are alike.")
    storage: StorageConfig = Field(default=StorageConfig(), description="Where everything is kept.")
    web: WebConfig = Field(default=WebConfig(), description="The status page, metrics and health.")
    retention: RetentionConfig = Field(default=RetentionConfig(), description="How long what is kept.")
    proxy: SecretStr | None = Field(
        default=None, description="An HTTP proxy for requests of sources and channels that name none of their own."
    )
    step: Duration = Field(
        default=timedelta(seconds=15), ge=timedelta(seconds=1), description="How often the rules are evaluated."
    )
    sentiment: AnalyzerConfig = Field(default=NgramConfig(type="ngram"), description="What judges the sentiment.")
    sources: list[CollectorConfig] = Field(default=[], description="The places that mentions come from.")
    targets: dict[str, TargetConfig] = Field(default={}, description="Brands by id, each with the names it goes by.")
    sets: dict[SetId, WordSet] = Field(
        default={}, description="Words by the name of their set; @name in a query is any of them, NOT @name none."
    )
    topics: list[TopicConfig] = Field(default=[], description="What is watched.")
    kpis: list[KpiConfig] = Field(default=[], description="Targets that topics are held to, each a rule of its own.")
    rules: list[RuleConfig] = Field(default=[], description="When an alert starts, and at which level.")
    packs: list[PackConfig] = Field(
        default=[], description="Rules for common crises that come with the program, by pack, and for which topics."
    )
    rule_files: list[str] = Field(
        default=[], description="More files with a list 'rules', as patterns relative to the file that names them."
    )
    budget: BudgetConfig = Field(
        default=BudgetConfig(),
        description="How many alerts a week people can look at; listener forecast holds rules to it.",
    )
    receivers: list[ReceiverConfig] = Field(default=[], description="Who is told, and over which channels.")
    time_intervals: list[TimeIntervalConfig] = Field(
        default=[], description="Named stretches of time, for the hours of routes."
    )
    route: RouteConfig | None = Field(
        default=None, description="Which incidents go to which receiver; may be left out where there is one receiver."
    )
    inhibit: list[InhibitConfig] = Field(
        default=[], description="Which incidents are not told while another one is open."
    )
    tokens: list[TokenConfig] = Field(default=[], description="Who may act over the API, until there are accounts.")
    respond_within: RespondWithinConfig = Field(
        default=RespondWithinConfig(), description="By when the public must have an answer."
    )
    acknowledge: AcknowledgeConfig = Field(
        default=AcknowledgeConfig(), description="How long who took an incident may be silent."
    )
    escalations: list[EscalationConfig] = Field(default=[], description="Whom to call when nobody takes an incident.")
    schedules: list[ScheduleConfig] = Field(default=[], description="Who is on duty when.")
    heartbeat: HeartbeatConfig | None = Field(
        default=None, description="An outside address that is asked while all is alive, so that its silence is noticed."
    )
    alive: AliveConfig | None = Field(
        default=None, description="A message a day that the program works, with what it cannot see."
    )
    log: LogConfig = Field(default=LogConfig(), description="The program's own log, on stderr.")
    include: list[str] = Field(
        default=[], description="More configuration files, as patterns relative to the file that names them."
    )

    _base: Path = PrivateAttr(default=Path())
    _files: tuple[Path, ...] = PrivateAttr(default=())

    @property
    def calendar(self) -> Calendar:
        """Which hours are alike."""
        return Calendar(self.timezone, self.calendars.work)

    @property
    def intervals(self) -> dict[str, TimeInterval]:
        """The time intervals by id."""
        return {
            one.id: one.build(timezone=self.timezone, day_kind=self.calendar.day_kind) for one in self.time_intervals
        }

    @property
    def every_rule(self) -> list[RuleConfig]:
        """The rules, and those that the targets are watched by."""
        return [*self.rules, *(kpi.rule() for kpi in self.kpis)]

    @property
    def on_call(self) -> OnCall:
        """Deadlines, acknowledgements, escalation and duty."""
        own = {rule.id: rule.response_limits for rule in self.every_rule if rule.respond_within}
        limits: dict[Level, timedelta | None] = self.respond_within.build()
        return OnCall(
            times=ResponseTimes(limits, own),
            life=self.acknowledge.build(),
            chains={chain.id: chain.build(self.intervals) for chain in self.escalations},
            schedules={one.id: one.build(self.timezone) for one in self.schedules},
        )

    @property
    def base(self) -> Path:
        """The folder of the configuration file; relative paths count from it."""
        return self._base

    @property
    def files(self) -> tuple[Path, ...]:
        """Every file that was read: the configuration, what it includes, rule files, and what ``!file`` names."""
        return self._files

    def placed(self, base: Path, files: tuple[Path, ...]) -> "Config":
        """Note where it was read from; returns itself."""
        self._base, self._files = base, files
        return self
