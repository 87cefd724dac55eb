"""``listener notify --test RECEIVER``: a marked test message over each of the receiver's channels."""

import argparse
import asyncio
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alerts import Notification
    from alerts.config import ReceiverConfig
    from alerts.texts import Texts
    from listener.config import Config


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="the configuration")
    parser.add_argument("--test", required=True, metavar="RECEIVER", help="the receiver to send a test message to")


def run(args: argparse.Namespace) -> int:
    """One JSON line per channel; 1 where a channel refused, or there is no such receiver."""
    from listener.config import load  # noqa: PLC0415

    config = load(args.config)
    receiver = next((one for one in config.receivers if one.id == args.test), None)
    if receiver is None:
        known = ", ".join(one.id for one in config.receivers) or "none"
        print(f"there is no receiver {args.test!r}; configured: {known}", file=sys.stderr)
        return 1
    return asyncio.run(_send(config, receiver, datetime.now(UTC)))


async def _send(config: "Config", receiver: "ReceiverConfig", now: datetime) -> int:
    import aiohttp  # noqa: PLC0415

    from alerts.channel import DeliveryError  # noqa: PLC0415
    from alerts.sample import sample_notification  # noqa: PLC0415

    notification = sample_notification(
        now, receiver.language, console_url=config.web.public_url or "", timezone=config.timezone
    )
    failed = 0
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        for name, channel in zip(receiver.channel_names, receiver.channels, strict=True):
            told = {"receiver": receiver.id, "channel": name, "type": channel.type}
            try:
                sent, missing = _worded(notification, receiver.texts(channel))
                charted = getattr(channel, "carries_charts", False)
                receipt = await channel.build(http).send(_charted(sent, now) if charted else sent)
            except DeliveryError as error:
                failed += 1
                line = {
                    **told,
                    "ok": False,
                    "reason": error.reason,
                    "detail": error.detail,
                    "retryable": error.retryable,
                }
            except OSError as error:  # a font that is missing; or ca_file, which was there before
                failed += 1
                line = {**told, "ok": False, "reason": "client", "detail": str(error)}
            else:
                line = {**told, "ok": True, "ref": receipt.ref}
                missing += [receipt.missing] if receipt.missing else []
                line |= {"missing": "; ".join(missing)} if missing else {}
            print(json.dumps(line, ensure_ascii=False), flush=True)
    return 1 if failed else 0


def _charted(notification: "Notification", now: datetime) -> "Notification":
    """With a chart of invented figures. Raises OSError where the font is missing."""
    from alerts.render.chart import draw  # noqa: PLC0415
    from alerts.sample import sample_trend  # noqa: PLC0415

    return replace(notification, chart=draw(sample_trend(now), notification))


def _worded(notification: "Notification", texts: "Texts | None") -> "tuple[Notification, list[str]]":
    """In the receiver's own words, and which of them failed."""
    from alerts.render.wording import worded  # noqa: PLC0415

    if texts is None:
        return notification, []
    told = worded(notification, texts)
    return told.notification, [f"{text}: {why}" for text, why in told.failed]
