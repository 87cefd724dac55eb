"""What every source's configuration says."""

from datetime import timedelta
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic import Strict as Exact


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("must be an IANA time zone such as Asia/Shanghai") from error
    return name


def _positive(duration: timedelta) -> timedelta:
    if duration < timedelta(milliseconds=100):
        raise ValueError("must be at least 100ms")
    return duration


def _proxy(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().startswith(("http://", "https://")):
        raise ValueError("must start with http:// or https://")
    return secret


Zone = Annotated[str, AfterValidator(_zone)]
Duration = Annotated[timedelta, Exact(), AfterValidator(_positive)]
Proxy = Annotated[SecretStr, AfterValidator(_proxy)]
SHORTEST_BLINDNESS = timedelta(minutes=15)


class SourceConfig(Strict):
    """One source; each kind adds ``type``, what it needs, and ``build(http, timezone=, base=) -> Collector``.

    ``timezone`` there is the configured default, ``base`` the folder of the configuration, for relative paths.
    ``blindness`` is how long without a good poll until the source counts as blind.
    """

    id: Annotated[
        str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64, description="Part of every mention's key.")
    ]
    channel: Annotated[str, Field(min_length=1, max_length=64, description="Where it is said: weibo, news, forum…")]
    tier: Annotated[Literal["core", "auxiliary"], Field(description="Weight of the source in the reports.")] = "core"
    every: Annotated[Duration, Field(description="Time from one poll to the next.")] = timedelta(minutes=5)
    timezone: Annotated[Zone | None, Field(description="Zone of its times that name none; else the general one.")] = (
        None
    )
    blind_after: Annotated[
        Duration | None, Field(description="Blind after this long without a good poll; else 3 x every, at least 15m.")
    ] = None
    silent_after: Annotated[
        Duration | None,
        Field(description="Told of after this long without anything new; else what two weeks of it make unusual."),
    ] = None
    proxy: Annotated[Proxy | None, Field(description="HTTP proxy for this source alone.")] = None
    allow_private: Annotated[bool, Field(description="Whether it may reach addresses that are not public.")] = False

    @property
    def blindness(self) -> timedelta:
        return self.blind_after or max(3 * self.every, SHORTEST_BLINDNESS)
