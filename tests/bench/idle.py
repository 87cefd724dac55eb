"""What doing nothing costs: CPU per unchanged poll, CPU at rest with a hundred feeds, memory.

python -m tests.bench.idle
"""

import asyncio
import os
import sqlite3
import statistics
import tempfile
from pathlib import Path

from aiohttp import web

from tests.support.program import Feed, Program, serving

FEEDS = 100
ITEMS = 50
POLLS = 1000
REST = 60.0

CONFIG = """
storage: {{url: "sqlite:///idle.db"}}
web: {{listen: "127.0.0.1:0"}}
log: {{level: warning}}
sources:
{sources}
targets: {{acme: {{names: [云杉科技], aliases: [云杉]}}}}
topics: [{{id: acme, target: acme, query: "@acme"}}]
rules:
  - {{id: loud, topics: [acme], when: {{type: volume, window: 1h, at_least: 100000}}}}
receivers:
  - {{id: me, channels: [{{type: console}}]}}
"""


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mb(pid: int, what: str = "VmRSS") -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) / 1024
    raise ValueError(what)


class Unchanged:
    """Feeds of fifty items that answer 304 to who has seen them."""

    def __init__(self) -> None:
        self.polls = 0
        feed = Feed()
        for number in range(ITEMS):
            feed.add(f"云杉科技发布了第{number}款充电宝，外观和上一代没有太大区别，价格便宜了一些。" * 3)
        self.document = feed.document()

    async def handle(self, request: web.Request) -> web.Response:
        self.polls += 1
        if request.headers.get("If-None-Match") == '"v1"':
            return web.Response(status=304, headers={"ETag": '"v1"'})
        return web.Response(text=self.document, content_type="application/rss+xml", headers={"ETag": '"v1"'})


async def measure(every: str, folder: Path, site: Unchanged, url: str) -> Program:
    lines = [f'  - {{id: f{n}, type: feed, url: "{url}/{n}.xml", channel: news, every: {every}}}' for n in range(FEEDS)]
    config = folder / "idle.yml"
    config.write_text(CONFIG.format(sources="\n".join(lines)), encoding="utf-8")
    (folder / "idle.db").unlink(missing_ok=True)
    program = Program(config)
    await program.start()
    site.polls = 0
    while site.polls < FEEDS or stored(folder / "idle.db") < FEEDS * ITEMS:
        await asyncio.sleep(0.5)
    await asyncio.sleep(20)  # and the engine has seen it
    return program


def stored(database: Path) -> int:
    connection = sqlite3.connect(database)
    try:
        return int(connection.execute("select count(*) from mentions").fetchone()[0])
    finally:
        connection.close()


async def main() -> None:
    site = Unchanged()
    app = web.Application()
    app.router.add_get("/{name}", site.handle)
    async with serving(app) as url:
        with tempfile.TemporaryDirectory() as name:
            program = await measure("5m", Path(name), site, url)
            before = cpu_seconds(program.pid)
            await asyncio.sleep(REST)
            rest = (cpu_seconds(program.pid) - before) / REST
            print(f"at rest, {FEEDS} feeds every 5 min: {rest:.2%} of a core over {REST:.0f} s")
            print(f"memory: {memory_mb(program.pid):.0f} MB (peak {memory_mb(program.pid, 'VmHWM'):.0f} MB)")
            await program.stop()

            program = await measure("1s", Path(name), site, url)
            runs = []
            for _ in range(5):
                before, polls = cpu_seconds(program.pid), site.polls
                while site.polls - polls < POLLS // 5:
                    await asyncio.sleep(0.05)
                runs.append((cpu_seconds(program.pid) - before) / (site.polls - polls) * 1000)
            shown = ", ".join(f"{run:.2f}" for run in runs)
            print(f"unchanged poll, {POLLS} polls: median {statistics.median(runs):.2f} ms of CPU (runs: {shown})")
            print(f"memory: {memory_mb(program.pid):.0f} MB")
            await program.stop()


if __name__ == "__main__":
    asyncio.run(main())
