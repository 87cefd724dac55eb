"""``listener collect`` as a program: lines on stdout, messages on stderr, exit codes."""

import asyncio
import sys
from pathlib import Path

from listener.interchange import mention_line, parse_line
from rules.mention import Mention
from tests.support.sites import item, page, rss, site

CONFIG = """
timezone: Asia/Shanghai
sources:
  - {{id: good, type: feed, url: "{url}good", channel: news}}
  - {{id: bad, type: feed, url: "{url}bad", channel: news}}
  - {{id: lines, type: file, path: "in/*.jsonl", channel: weibo}}
targets: {{acme: {{names: [云杉科技]}}}}
topics: [{{id: acme, target: acme, query: "@acme"}}]
rules: [{{id: loud, topics: [acme], when: {{type: volume, window: 1h, at_least: 3}}, levels: {{yellow: {{}}}}}}]
receivers: [{{id: desk, channels: [{{type: console}}]}}]
route: {{receiver: desk}}
"""


async def collect(config: Path, *sources: str) -> tuple[int | None, list[Mention], str]:
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "listener", "collect", "-c", str(config), *sources]
    program = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    out, err = await program.communicate()
    return program.returncode, [parse_line(line) for line in out.splitlines()], err.decode()


async def test_sources_are_polled_once_and_written_as_lines(tmp_path: Path):
    """Good sources give their mentions with the time of collecting; a bad one is told and makes the exit code 1."""
    (tmp_path / "in").mkdir()
    lines = [mention_line(Mention("x", "weibo", str(number), "正文")) for number in range(700)]
    (tmp_path / "in" / "a.jsonl").write_text("\n".join([*lines, "{"]) + "\n")
    config = tmp_path / "listener.yml"
    async with site(good=page(rss(item(1), item(2))), bad=page(status=410)) as url:
        config.write_text(CONFIG.format(url=url))
        code, mentions, told = await collect(config)
        assert code == 1, told
        assert [mention.external_id for mention in mentions[:2]] == ["news-1", "news-2"]
        assert sum(mention.source == "lines" for mention in mentions) == 700
        assert all(mention.collected_at is not None for mention in mentions)
        assert "bad: gone" in told
        assert "a.jsonl:701: is not JSON" in told
        code, mentions, told = await collect(config, "good")
        assert (code, len(mentions), told) == (0, 2, "")
        code, mentions, told = await collect(config, "nobody")
        assert (code, mentions) == (2, [])
        assert "no such source: nobody" in told
