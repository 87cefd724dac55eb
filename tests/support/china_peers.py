"""The strict servers of ``china.py`` as the peers that the conformance kit runs over."""

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

from tests.support import china
from tests.support.peer import NOW, SECRET, Peer, refused, serve


class ChinaPeer(Peer):
    """Around one of the strict servers of tests/support/china.py; what it takes and finds wrong is the peer's."""

    server: china.Robot


def platform(kind: str, make: Callable[[], china.Robot], **config):
    @contextlib.asynccontextmanager
    async def serving() -> AsyncIterator[Peer]:
        async def handler(request):
            body = await request.read()
            if (answer := await refused(peer)) is not None:
                return answer
            answer = await server.answer(request, body)
            peer.texts[:] = [text for _, text in server.taken]
            return answer

        peer, server = ChinaPeer(kind, {}), make()
        peer.server, peer.problems, peer.sizes = server, server.problems, server.sizes
        async with serve(handler) as url:
            peer.config = {**config, "api": f"{url}/", "timeout": timedelta(seconds=20)}
            yield peer

    return serving


def strict(server: type[china.Robot], **settings) -> Callable[[], china.Robot]:
    return lambda: server(lambda: NOW, secret=SECRET, per_minute=10_000, **settings)


class SecretKeyRobot(china.WeComRobot):
    key = SECRET


dingtalk = platform(
    "dingtalk",
    strict(china.DingTalk, keyword="舆情", called=("13800000000", "zhangsan")),
    webhook=f"https://oapi.dingtalk.com/robot/send?access_token={china.DingTalk.token}",
    secret=SECRET,
    keyword="舆情",
    at=["13800000000", "zhangsan"],
)
wecom_robot = platform(
    "wecom",
    strict(SecretKeyRobot, called=("zhangsan", "13800000000")),
    webhook=f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={SECRET}",
    at=["zhangsan"],
)
wecom_app = platform(
    "wecom",
    strict(china.WeComApp),
    corp_id=china.WeComApp.corp_id,
    agent=china.WeComApp.agent,
    secret=SECRET,
    to=["zhangsan", "lisi"],
)
feishu_robot = platform(
    "feishu",
    strict(china.FeishuRobot, keyword="舆情", called=("ou_1",)),
    webhook=f"https://open.feishu.cn/open-apis/bot/v2/hook/{china.FeishuRobot.token}",
    secret=SECRET,
    keyword="舆情",
    at=["ou_1"],
)
feishu_app = platform(
    "feishu",
    strict(china.FeishuApp, called=("ou_1", "boss@example.com")),
    app_id=china.FeishuApp.app_id,
    app_secret=SECRET,
    chat=china.FeishuApp.chat,
    at=["ou_1", "boss@example.com"],
)

CHINA_PEERS = {
    "dingtalk": dingtalk,
    "wecom-robot": wecom_robot,
    "wecom-app": wecom_app,
    "feishu-robot": feishu_robot,
    "feishu-app": feishu_app,
}
