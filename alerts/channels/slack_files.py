"""A picture in a thread of Slack.

Three requests (docs.slack.dev, Working with files, and the methods files.getUploadURLExternal and
files.completeUploadExternal; scope files:write): ask for an address, send the bytes there, say where it is shown. The
channel must be an id, which the answer to the message has. What fails here leaves a message that has arrived without its
picture; it is told, and nothing is sent again.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from alerts.channel import DeliveryError
from alerts.channels.http import Poster
from alerts.trend import Chart

NAME = "trend.png"
_ALT = 1000  # characters

Call = Callable[..., Awaitable[dict[str, Any]]]


async def show(chart: Chart, poster: Poster, call: Call, *, channel: str, ts: str, secure: bool) -> None:
    """Put the chart into the thread of the message *ts*. Raises DeliveryError. *secure*: the address must be https."""
    asked = {"filename": NAME, "length": len(chart.png), "alt_txt": chart.text[:_ALT]}
    lent = await call("files.getUploadURLExternal", asked, as_form=True)
    url, file = lent.get("upload_url"), lent.get("file_id")
    if not isinstance(url, str) or not isinstance(file, str) or not url.startswith("https://" if secure else "http"):
        raise DeliveryError("refused", "Slack: no address to send the picture to", retryable=False)
    answer = await poster.post(url, chart.png, {"Content-Type": "application/octet-stream"})
    if answer.status != 200:
        raise DeliveryError("refused", f"Slack: the picture was answered with {answer.status}", retryable=False)
    shown = {"files": [{"id": file, "title": chart.text[:_ALT]}], "channel_id": channel, "thread_ts": ts}
    await call("files.completeUploadExternal", shown)
