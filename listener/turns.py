"""Whose turn it is on a channel, and what goes with it: from what waits in the outbox and the requests that were made."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from alerts import Channel, Level, Receipt
from alerts.channels import Limits
from alerts.channels.base import Idempotent
from alerts.pace import off_the_half_hour, opens_at, waits_too_long
from alerts.texts import Texts
from listener.storage import outbox
from listener.storage.outbox import Address, Ready


@dataclass(frozen=True, slots=True)
class Line:
    """A channel as the sender uses it. ``account``: what its rate is counted by; empty: the channel itself.

    ``charts``: it carries a picture. ``texts``: the operator's templates for it.
    ``pager``: it calls people out, so nothing that needs no hand goes there.
    """

    channel: Channel
    language: Literal["zh", "en"]
    limits: Limits | None = None
    account: str = ""
    charts: bool = False
    texts: Texts | None = None
    idempotent: Idempotent = "never"
    pager: bool = False

    def shows_twice(self, previous: Receipt | None) -> bool:
        """Whether a message that is sent again is seen again, where the incident's first one is *previous*."""
        return self.idempotent == "never" or (self.idempotent == "edits" and previous is None)


@dataclass(frozen=True, slots=True)
class Turns:
    lines: Mapping[Address, Line]

    def account(self, address: Address) -> str:
        return self.lines[address].account or "/".join(address)

    def of(self, one: Ready) -> str:
        return self.account(one.address)

    def paced(self, address: Address) -> bool:
        """Whether each request asks for its turn."""
        limits = self.lines[address].limits
        return limits is not None and bool(limits.rates)

    def sharing(self, address: Address) -> Collection[Address]:
        """The channels whose requests count together: two receivers may name one robot."""
        line = self.lines.get(address)
        if line is None or not line.account:
            return (address,)
        return tuple(one for one, other in self.lines.items() if other.account == line.account)

    async def opens(self, connection: AsyncConnection, one: Ready, now: datetime) -> datetime:
        """When the channel's rate lets this go."""
        limits = self.lines[one.address].limits
        if limits is None:
            return now
        urgent = one.level == Level.red
        at = opens_at(limits.rates, await self._made(connection, one.address, limits, now), now, urgent=urgent)
        return off_the_half_hour(at, self.account(one.address)) if limits.crowded and not urgent else at

    async def also(self, connection: AsyncConnection, first: Ready, now: datetime) -> Sequence[int]:
        """What goes in one message with the first of a channel's queue.

        What waited with it for the end of quiet hours; else what would wait too long for its turn.
        Red goes with red only, and singly as long as its own queue is short: it must not drown in a list.
        """
        limits = self.lines[first.address].limits
        if limits is None or limits.digest < 2 or first.carries or not (limits.rates or first.batch):
            return ()
        waiting = await outbox.queue(connection, now, self.sharing(first.address))
        others_here = [
            one for one in waiting if one.id != first.id and one.address == first.address and not one.carries
        ]
        if first.batch:
            together = [one.id for one in others_here if one.batch == first.batch]
            return together[: limits.digest - 1]
        urgent = sum(one.level == Level.red for one in waiting)
        others = 0 if first.level == Level.red else len(waiting) - urgent
        made = await self._made(connection, first.address, limits, now)
        if not waits_too_long(limits.rates, made, now, urgent=urgent, others=others):
            return ()
        alike = [one.id for one in others_here if (one.level == Level.red) == (first.level == Level.red)]
        return alike[: limits.digest - 1]

    async def _made(
        self, connection: AsyncConnection, address: Address, limits: Limits, now: datetime
    ) -> Sequence[datetime]:
        if not limits.rates:
            return ()
        longest = max(rate.per for rate in limits.rates)
        return await outbox.requests(connection, self.sharing(address), since=now - longest)
