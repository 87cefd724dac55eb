"""A small driver of Debian's Chromium over the DevTools protocol: one process, a tab per page."""

import asyncio
import base64
import itertools
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest

CHROMIUM = Path("/usr/bin/chromium")
SECONDS = 30
needs_chromium = pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Debian's chromium: apt-get install chromium")

# The page tells of its own violations before any script of it runs.
WATCH = """
window.__violations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.__violations.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`);
});
"""


class BrowserError(Exception):
    """Chromium did not start, or refused a command."""


class Page:
    """One tab. ``errors``: console errors, uncaught exceptions, violations of the content security policy, failed loads."""

    def __init__(self, browser: "Browser", session: str, context: str) -> None:
        self.browser = browser
        self.context = context
        self.session = session
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.loaded = asyncio.Event()

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        return await self.browser.send(method, self.session, **params)

    async def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression (a promise is awaited); BrowserError where it throws."""
        answer = await self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    async def until(self, script: str, within: float = SECONDS) -> Any:
        """Waits until the expression is true and returns it; BrowserError with the errors so far where it never is."""
        try:
            async with asyncio.timeout(within):
                while not (value := await self.evaluate(script)):
                    await asyncio.sleep(0.05)
                return value
        except TimeoutError as error:
            raise BrowserError(f"never true: {script}; errors: {self.errors}") from error

    async def violations(self) -> list[str]:
        return await self.evaluate("window.__violations")

    async def screenshot(self, path: Path | str, *, whole: bool = True) -> None:
        answer = await self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        Path(path).write_bytes(base64.b64decode(answer["data"]))

    async def goto(self, url: str) -> None:
        self.loaded.clear()
        answer = await self.send("Page.navigate", url=url)
        if "errorText" in answer:
            raise BrowserError(f"{url}: {answer['errorText']}")
        async with asyncio.timeout(SECONDS):
            await self.loaded.wait()

    async def close(self) -> None:
        """Closes the tab and forgets its cookies."""
        self.browser.pages.pop(self.session, None)
        await self.browser.send("Target.disposeBrowserContext", browserContextId=self.context)

    def on_event(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Page.loadEventFired":
                self.loaded.set()
            case "Runtime.exceptionThrown":
                details = params["exceptionDetails"]
                self.errors.append(details.get("exception", {}).get("description") or details["text"])
            case "Runtime.consoleAPICalled" if params["type"] in {"error", "assert"}:
                said = " ".join(str(each.get("value", each.get("description"))) for each in params["args"])
                self.errors.append(said)
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                self.errors.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])


class Browser:
    """``async with Browser() as b: page = await b.open(url, width=390, dark=True)``."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}

    async def __aenter__(self) -> Self:
        self._profile = tempfile.mkdtemp(prefix="listener-chromium-")
        self._process = await asyncio.create_subprocess_exec(
            str(CHROMIUM),
            "--headless=new",
            "--no-sandbox",  # tests run as root in a container, on loopback pages of our own
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-extensions",
            "--no-first-run",
            "--no-proxy-server",
            "--hide-scrollbars",
            "--remote-debugging-port=0",
            f"--user-data-dir={self._profile}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            endpoint = await self._endpoint()
            self._http = aiohttp.ClientSession()
            self._socket = await self._http.ws_connect(endpoint, max_msg_size=0)
        except BaseException:
            await self._end_process()
            raise
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self._socket.close()
        await self._http.close()
        await self._end_process()

    async def open(
        self, url: str, *, width: int = 1280, height: int = 900, dark: bool = False, lang: str = "zh-CN"
    ) -> Page:
        """A new tab on *url* with cookies of its own, once it has loaded."""
        context = (await self.send("Target.createBrowserContext"))["browserContextId"]
        target = await self.send("Target.createTarget", url="about:blank", browserContextId=context)
        attached = await self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        page = self.pages[attached["sessionId"]] = Page(self, attached["sessionId"], context)
        for domain in ("Page", "Runtime", "Log", "Network"):
            await page.send(f"{domain}.enable")
        await page.send("Page.addScriptToEvaluateOnNewDocument", source=WATCH)
        await page.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await page.send("Emulation.setEmulatedMedia", features=[scheme])
        await page.send("Network.setExtraHTTPHeaders", headers={"Accept-Language": lang})
        await page.goto(url)
        return page

    async def send(self, method: str, session: str | None = None, /, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        message: dict[str, Any] = {"id": number, "method": method, "params": params}
        await self._socket.send_str(json.dumps(message | ({"sessionId": session} if session else {})))
        async with asyncio.timeout(SECONDS):
            return await answer

    async def _endpoint(self) -> str:
        """Chromium prints where it listens as one of its first lines."""
        async with asyncio.timeout(SECONDS):
            while line := await self._process.stderr.readline():
                if line.startswith(b"DevTools listening on "):
                    self._drain = asyncio.create_task(self._process.stderr.read())
                    return line.split()[-1].decode()
        raise BrowserError("chromium ended before it listened")

    async def _read(self) -> None:
        async for message in self._socket:
            data = json.loads(message.data)
            if "id" in data:
                self._settle(self._answers.pop(data["id"]), data)
            elif page := self.pages.get(data.get("sessionId", "")):
                page.on_event(data["method"], data["params"])

    @staticmethod
    def _settle(answer: "asyncio.Future[dict[str, Any]]", data: dict[str, Any]) -> None:
        if answer.done():
            return
        if "error" in data:
            answer.set_exception(BrowserError(data["error"]["message"]))
        else:
            answer.set_result(data["result"])

    async def _end_process(self) -> None:
        end: Callable[[], None]
        for end in (self._process.terminate, self._process.kill):
            if self._process.returncode is not None:
                break
            end()
            try:
                async with asyncio.timeout(5):
                    await self._process.wait()
            except TimeoutError:
                continue
        if drain := getattr(self, "_drain", None):
            await drain
        shutil.rmtree(self._profile, ignore_errors=True)
