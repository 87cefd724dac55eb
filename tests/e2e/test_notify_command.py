"""``listener notify --test`` as a person calls it."""

import asyncio
import json
import sys
from pathlib import Path

from aiohttp import web


async def notify(config: Path, receiver: str) -> tuple[int, list[dict], str]:
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "listener", "notify", "-c", str(config), "--test", receiver],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, [json.loads(line) for line in out.splitlines()], err.decode()


async def test_each_channel_gets_a_marked_test(tmp_path):
    """Every channel is tried and told of by a line; one refusal makes the command fail, and no address is printed."""
    bodies = []

    async def handler(request):
        bodies.append(await request.json())
        return web.Response(text="ok") if request.path == "/good" else web.Response(status=404, text="no_service")

    app = web.Application()
    app.router.add_post("/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    config = tmp_path / "listener.yml"
    config.write_text(
        f"""
sources: [{{id: news, type: feed, url: "https://news.example.com/rss", channel: news}}]
topics: [{{id: acme, query: "云杉科技"}}]
route: {{receiver: pr}}
receivers:
  - id: pr
    channels:
      - {{type: console}}
      - {{type: slack, webhook: "{url}/good"}}
      - {{type: slack, webhook: "{url}/bad-4711-secret"}}
  - {{id: duty, language: en, channels: [{{type: webhook, url: "{url}/good"}}]}}
""",
        encoding="utf-8",
    )
    try:
        code, lines, err = await notify(config, "pr")
        assert (code, [line["ok"] for line in lines]) == (1, [True, True, False])
        assert [line["channel"] for line in lines] == ["console", "slack", "slack-2"]
        assert lines[2]["reason"] == "client"
        assert "no_service" in lines[2]["detail"]
        assert "【测试·黄色】" in err
        assert "不是真实预警" in json.dumps(bodies[0], ensure_ascii=False)
        assert "4711" not in json.dumps(lines) + err
        code, lines, _ = await notify(config, "duty")
        assert (code, len(lines), lines[0]["ok"]) == (0, 1, True)
        assert bodies[-1]["notification"]["kind"] == "test"
        code, lines, err = await notify(config, "nobody")
        assert (code, lines) == (1, [])
        assert "no receiver 'nobody'; configured: pr, duty" in err
    finally:
        await runner.cleanup()
