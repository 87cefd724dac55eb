"""Everything that a configuration decides, built whole before anything running is touched: start and reload share it."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import aiohttp
from pydantic import BaseModel, SecretStr

from alerts.config import RouteConfig
from alerts.playbook import Playbook
from listener.collector import Collector
from listener.collectors import SourceConfig
from listener.config import Config
from listener.config.told import HeartbeatConfig
from listener.flush import Routing
from listener.http import Http
from listener.pipeline import Understanding
from listener.playbooks import playbooks
from listener.slack import SlackApp, slack_apps
from listener.storage.outbox import Address
from listener.storage.status import Shown, ShownSource, ShownTopic
from listener.turns import Line
from listener.web.tokens import Tokens
from rules.ruleset import SourceFacts, ruleset_json
from rules.topic import Matcher

Configured = TypeVar("Configured", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Parts:
    config: Config
    understanding: Understanding
    collectors: Mapping[str, Collector]
    routing: Routing
    lines: Mapping[Address, Line]
    slack: tuple[SlackApp, ...]
    rules: str
    shown: Shown
    playbooks: Mapping[str, Playbook]
    tokens: Tokens
    heartbeat: HeartbeatConfig | None = None

    @property
    def sources(self) -> dict[str, SourceConfig]:
        return {source.id: source for source in self.config.sources}

    @property
    def timezone(self) -> ZoneInfo:
        return ZoneInfo(self.config.timezone)


async def build(config: Config, *, http: Http, session: aiohttp.ClientSession) -> Parts:
    """Raises AnalysisError where the analyzer cannot be built; the configuration itself was checked when it was read."""
    zone = ZoneInfo(config.timezone)
    receivers = {receiver.id: receiver for receiver in config.receivers}
    root = root_route(config)
    return Parts(
        config=config,
        understanding=await asyncio.to_thread(understanding, config),
        collectors={
            source.id: through(source, config.proxy).build(http, timezone=zone, base=config.base)
            for source in config.sources
        },
        routing=Routing(
            route=root.build(config.intervals) if root else None,
            channels={name: one.channel_names for name, one in receivers.items()},
            inhibit=tuple(one.build() for one in config.inhibit),
            timezone=config.timezone,
            on_call=config.on_call,
            fallbacks={name: one.fallback for name, one in receivers.items() if one.fallback is not None},
            pagers=frozenset(
                (name, label)
                for name, one in receivers.items()
                for label, channel in zip(one.channel_names, one.channels, strict=True)
                if getattr(channel, "pager", False)
            ),
        ),
        lines={
            (name, label): Line(
                through(channel, config.proxy).build(session),
                receiver.language,
                channel.limits,
                getattr(channel, "account", ""),
                getattr(channel, "carries_charts", False),
                receiver.texts(channel),
                getattr(channel, "idempotent", "never"),
                getattr(channel, "pager", False),
            )
            for name, receiver in receivers.items()
            for label, channel in zip(receiver.channel_names, receiver.channels, strict=True)
        },
        slack=slack_apps(
            [
                receiver.model_copy(update={"channels": [through(one, config.proxy) for one in receiver.channels]})
                for receiver in config.receivers
            ]
        ),
        heartbeat=None if config.heartbeat is None else through(config.heartbeat, config.proxy),
        rules=rule_set(config),
        shown=Shown(
            sources=[ShownSource(s.id, s.type, s.channel, s.tier, s.blindness) for s in config.sources],
            topics=[ShownTopic(t.id, t.title or t.id, t.competitor_of) for t in config.topics],
            on_trial=[rule.id for rule in config.every_rule if rule.mode == "shadow"],
            times=config.on_call.times,
        ),
        playbooks=await asyncio.to_thread(playbooks, config),
        tokens=Tokens(config.tokens),
    )


def understanding(config: Config) -> Understanding:
    """Slow (dictionaries, tables): call it in a thread. Raises AnalysisError."""
    return Understanding(Matcher(config.targets, config.topics, config.sets), config.sentiment.build(config.base))


def rule_set(config: Config) -> str:
    """The rules, the names that people know each topic's brand by, and where the sources stand, as the log carries them."""
    return ruleset_json(config.every_rule, brands(config), source_facts(config.sources), config.calendar)


def brands(config: Config) -> dict[str, str]:
    """By topic, the name that people know."""
    return {
        topic.id: config.targets[topic.target].names[0] if topic.target else topic.title or topic.id
        for topic in config.topics
    }


def source_facts(sources: Iterable[SourceConfig]) -> dict[str, SourceFacts]:
    return {source.id: SourceFacts(source.channel, source.tier) for source in sources}


def root_route(config: Config) -> RouteConfig | None:
    """With one receiver a route need not be said; with none, alerts show on the pages alone."""
    return config.route or (RouteConfig(receiver=config.receivers[0].id) if config.receivers else None)


def through(part: Configured, proxy: SecretStr | None) -> Configured:
    """The source or channel with the general proxy, where it could have one and names none of its own."""
    if not proxy or getattr(part, "proxy", True):
        return part
    return part.model_copy(update={"proxy": proxy})


def host_of(source: SourceConfig) -> str:
    """What a source's polls are limited by: the host it is fetched from, or itself."""
    url = getattr(source, "url", "")
    return (urlsplit(url).hostname or source.id) if isinstance(url, str) else source.id
