"""A real Prometheus scrapes the running demo: the dashboard's queries bring data, and no alert rule fires."""

import asyncio
import contextlib
import json
import math
import shutil
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml

from tests.e2e.demo_process import ADDRESS, ROOT, running_demo

BOARD = ROOT / "deploy" / "grafana" / "dashboards" / "listener.json"
RULES = ROOT / "deploy" / "prometheus" / "listener.rules.yml"
AFTER_THE_ALERT = 20.0  # seconds, so that what follows an alert has been scraped too


@contextlib.asynccontextmanager
async def prometheus(folder: Path, target: str) -> AsyncIterator[str]:
    """A Prometheus that scrapes *target* each second and evaluates our rules; yields its address."""
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("needs a real Prometheus (on Debian: apt-get install prometheus)")
    settings = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "listener", "static_configs": [{"targets": [target]}]}],
    }
    configuration = folder / "prometheus.yml"
    configuration.write_text(yaml.safe_dump(settings), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    log = (folder / "prometheus.log").open("wb")
    process = await asyncio.create_subprocess_exec(
        program,
        f"--config.file={configuration}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address={listen}",
        stdout=log,
        stderr=log,
    )
    try:
        yield f"http://{listen}"
    finally:
        process.terminate()
        await process.wait()
        log.close()


async def ask(http: aiohttp.ClientSession, address: str, **parameters: str | float) -> list[dict[str, Any]]:
    async with http.get(address, params=parameters) as answer:
        body = await answer.json()
    assert body["status"] == "success", (parameters, body)
    result = body["data"]["result"]
    assert isinstance(result, list)
    return result


def filled(expression: str) -> str:
    """The query as Grafana would send it, with every instance chosen."""
    values = {"$instance": ".*", "$__rate_interval": "15s", "$__range": "5m"}
    for name, value in values.items():
        expression = expression.replace(name, value)
    assert "$" not in expression
    return expression


def finite(result: list[dict[str, Any]]) -> bool:
    numbers = [value for series in result for _, value in series.get("values", [series.get("value")])]
    return any(math.isfinite(float(number)) for number in numbers)


@pytest.mark.timeout(240)
async def test_every_query_of_the_dashboard_returns_data(tmp_path: Path) -> None:
    """Each panel's queries answer with numbers from the demo's metrics, and no alert about Listener itself fires."""
    async with running_demo("--port", "0") as demo:
        _, found = await demo.until(ADDRESS, 90)
        target = found.group(1).removeprefix("http://").rstrip("/")
        async with prometheus(tmp_path, target) as address, aiohttp.ClientSession() as http:
            await demo.until("Told after", 90)
            await asyncio.sleep(AFTER_THE_ALERT)
            now = float((await ask(http, f"{address}/api/v1/query", query="time()"))[1])
            empty = []
            asked = 0
            for panel in json.loads(BOARD.read_text(encoding="utf-8"))["panels"]:
                for query in panel.get("targets", ()):
                    expression = filled(query["expr"])
                    if query.get("instant"):
                        result = await ask(http, f"{address}/api/v1/query", query=expression, time=now)
                    else:
                        result = await ask(
                            http, f"{address}/api/v1/query_range", query=expression, start=now - 60, end=now, step=1
                        )
                    asked += 1
                    if not finite(result):
                        empty.append(f"{panel['title']}: {expression}")
            assert empty == []
            assert asked > 40
            async with http.get(f"{address}/api/v1/rules") as answer:
                groups = (await answer.json())["data"]["groups"]
            rules = [rule for group in groups for rule in group["rules"]]
            assert rules
            assert [(rule["name"], rule.get("lastError")) for rule in rules if rule["health"] != "ok"] == []
            assert [rule["name"] for rule in rules if rule["state"] == "firing"] == []
