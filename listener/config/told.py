"""The sections ``heartbeat`` and ``alive``: how others learn that the program works, or no longer does."""

from datetime import time, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic import Strict as StrictType

from alerts.channels.base import SecretUrl, Timeout

Duration = Annotated[timedelta, StrictType()]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HeartbeatConfig(Strict):
    """A dead-man's switch: somebody outside waits for a request and raises the alarm where none comes."""

    url: SecretUrl = Field(description="The address to ask, of a service that tells people when nobody asks any more.")
    every: Duration = Field(
        default=timedelta(minutes=1),
        ge=timedelta(seconds=1),
        description="How often; a part of the program that has not moved for this long stops it.",
    )
    method: Literal["GET", "POST", "HEAD"] = Field(default="GET", description="How to ask: GET, POST or HEAD.")
    outbox_age: Duration = Field(
        default=timedelta(minutes=30),
        gt=timedelta(0),
        description="It stops where a notification has waited longer than this.",
    )
    timeout: Timeout = Field(timedelta(seconds=10), description="For each request.")
    proxy: SecretUrl | None = Field(None, description="HTTP proxy for it; else the general one.")


class AliveConfig(Strict):
    """A message a day that says what was collected and what cannot be seen."""

    receiver: str = Field(description="A receiver's id; channels that call people out are left out.")
    at: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")] = Field(
        default="09:00", description="The time of day, HH:MM, in the general time zone."
    )

    @property
    def time(self) -> time:
        return time.fromisoformat(self.at)
