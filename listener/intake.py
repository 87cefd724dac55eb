"""From the sources to the pipeline: a task for each source, one queue, and what waits in it kept together, in order."""

import asyncio
from collections import defaultdict
from contextlib import suppress
from functools import partial

from listener.clock import utc_now
from listener.loops import Loops, sleep_until
from listener.metrics import Metrics
from listener.parts import Parts, host_of
from listener.pipeline import MENTIONS_AT_ONCE, POLLS_AT_ONCE, Pipeline, brought
from listener.poll import Polled, Poller
from listener.storage.sources import SourceState

PER_HOST = 2  # polls under way on one host
QUEUE = 64  # polled batches that wait; when it is full, polling waits
QUIET_WAIT = 0.5  # seconds


class Intake:
    def __init__(self, pipeline: Pipeline, loops: Loops, *, metrics: Metrics) -> None:
        self.pipeline = pipeline
        self._loops = loops
        self._metrics = metrics
        self._queue: asyncio.Queue[Polled] = asyncio.Queue(QUEUE)
        self._hosts: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(PER_HOST))
        self._polling: list[asyncio.Task[None]] = []

    def start(self, parts: Parts) -> None:
        """Poll these sources from now on, each from where it was left."""
        for source in parts.config.sources:
            poller = Poller(
                source,
                parts.collectors[source.id],
                self.pipeline.states.get(source.id) or SourceState(source.id),
                hand_on=self._hand_on,
                host=self._hosts[host_of(source)],
                metrics=self._metrics,
                now=utc_now,
            )
            self._polling.append(asyncio.create_task(self._poll(poller), name=f"poll {source.id}"))

    async def stop(self) -> None:
        """Poll nothing any more. Raises what a poller of ours died of."""
        for task in self._polling:
            task.cancel()
        ended = await asyncio.gather(*self._polling, return_exceptions=True)
        self._polling.clear()
        for outcome in ended:
            if isinstance(outcome, Exception):
                raise outcome

    def raise_dead(self) -> None:
        """A poller never ends by itself: what one died of ends the program."""
        for task in self._polling:
            if task.done() and not task.cancelled():
                task.result()

    async def drain(self) -> None:
        """Polled batches into the database, in order; while it refuses, nothing is taken from the queue."""
        while True:
            self._loops.pulse.rests("pipeline")
            polls = await self._gather()
            self._loops.pulse.began("pipeline", utc_now())
            self._metrics.queue_depth.set(self._queue.qsize())
            await self._loops.until_kept("pipeline", partial(self.pipeline.keep, polls))
            for poll in polls:
                poll.kept.set()

    async def _gather(self) -> list[Polled]:
        """Some polls for one transaction. What brought nothing may wait a moment for company; what brought news may not."""
        polls = [await self._queue.get()]
        mentions = brought(polls[0])
        with suppress(TimeoutError, asyncio.QueueEmpty):
            async with asyncio.timeout(QUIET_WAIT):
                while len(polls) < POLLS_AT_ONCE and mentions < MENTIONS_AT_ONCE:
                    polls.append(self._queue.get_nowait() if mentions else await self._queue.get())
                    mentions += brought(polls[-1])
        return polls

    async def _poll(self, poller: Poller) -> None:
        while True:
            await sleep_until(await poller.step(utc_now()), None)

    async def _hand_on(self, poll: Polled) -> None:
        await self._queue.put(poll)
        self._metrics.queue_depth.set(self._queue.qsize())
        await poll.kept.wait()
