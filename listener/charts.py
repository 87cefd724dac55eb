"""The chart of a message: what is counted, read and drawn when it is sent, for the channels that carry pictures."""

import asyncio
from dataclasses import replace

import structlog

from alerts import Notification
from listener.metrics import Metrics
from listener.storage.database import Database
from listener.storage.trend import slot_of, trend

_log = structlog.get_logger()


async def charted(notification: Notification, database: Database, metrics: Metrics) -> Notification:
    """The notification with its chart; without one where it is of no single topic, nothing was counted, or drawing fails.

    No message waits or is lost for its picture: what fails is logged and counted.
    """
    incident = notification.incident
    if notification.digest or incident.kind != "topic" or incident.lead.topic is None:
        return notification
    lead = incident.lead
    window = None if lead.window is None else lead.window.end - lead.window.start
    try:
        async with database.read("trend") as connection:
            found = await trend(connection, incident.lead.topic, until=lead.at, slot=slot_of(window))
        if found is None:
            return notification
        from alerts.render.chart import draw  # noqa: PLC0415 - the picture library: only where a channel carries one

        return replace(notification, chart=await asyncio.to_thread(draw, found, notification))
    except Exception as error:  # noqa: BLE001  whatever it is, the message matters more than its picture
        metrics.charts_failed.inc()
        _log.warning("chart_not_drawn", incident=incident.id, detail=f"{type(error).__name__}: {error}"[:300])
        return notification
