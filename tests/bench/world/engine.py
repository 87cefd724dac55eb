"""The engine over a world: the log's rows through the driver, as the daemon and the replay have them."""

import time
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path

from listener.config.packs import pack_folder
from listener.document import read
from rules.engine import Engine
from rules.log import MentionRow
from rules.replay import Driver
from rules.rule import RuleConfig
from tests.bench.world.score import Told
from tests.support.world.log import rows
from tests.support.world.world import World

RULES = pack_folder("general") / "rules.yml"
"""What is judged is what is shipped."""
_CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Run:
    """What was told, and the processor time that the engine took for so many mentions."""

    told: list[Told]
    mentions: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.mentions / self.seconds if self.seconds else 0.0


def load(path: Path, world: World) -> list[RuleConfig]:
    """The rules of a YAML file, each for every brand of the world. Raises ValueError or ValidationError."""
    document = read(path, {})
    if document.mistakes:
        raise ValueError(f"{path}: {document.mistakes}")
    topics = tuple(brand.topic for brand in world.brands)
    return [RuleConfig.model_validate({**one, "topics": topics}) for one in document.value["rules"]]


def run(world: World, rules: list[RuleConfig], *, step: timedelta) -> Run:
    """Every row of the world, in order; rows are made outside the time that is measured."""
    driver = Driver(Engine(step))
    events, mentions, seconds = [], 0, 0.0
    stream = rows(world, rules)
    while chunk := list(islice(stream, _CHUNK)):
        mentions += sum(isinstance(row, MentionRow) for row in chunk)
        begin = time.process_time()
        for row in chunk:
            events.extend(driver.feed(row))
        seconds += time.process_time() - begin
    numbers = {brand.topic: brand.number for brand in world.brands}
    told = [
        Told(numbers[one.topic], (one.at - world.start).total_seconds(), one.event, one.alert, one.rule, one.because.en)
        for one in events
        if one.topic is not None
    ]
    return Run(told, mentions, seconds)
