"""What is said and how it is read: brands, sentences, and an analyzer that errs as real ones do."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rules.log import Scored
from sentiment import Label, RiskCategory, Sentiment
from sentiment import Risk as RiskFound
from sentiment.sentiment import CATEGORIES

Ints = NDArray[np.int64]
NEGATIVE, NEUTRAL, POSITIVE = 0, 1, 2
LABELS: tuple[Label, ...] = ("negative", "neutral", "positive")
READ_AS = np.array([[0.75, 0.21, 0.04], [0.05, 0.88, 0.07], [0.02, 0.13, 0.85]])
"""[what it is, what it is read as]: recall of the negative .75, and one neutral in twenty read as negative."""

_FIRST = "云杉 格澜 松果 海棠 北辰 青禾 玉衡 澄湖 苍岚 雁回 竹笙 白榆 沐川 霁月 棠梨 星垣 砚山 芦汀 槐序 岩茶".split()
_SECOND = "科技 数码 食品 出行 家居 乳业 汽车 影业 银行 快运".split()
CHANNELS = ("weibo", "news", "forum", "video", "wechat")

SAID: dict[int, tuple[str, ...]] = {
    NEGATIVE: (
        "{b}的客服排队一个小时，最后自己挂断了",
        "在{b}买的东西第二天就坏，退货还要我出运费",
        "{b}这次更新之后卡得没法用",
        "说好三天到，{b}拖了九天还在路上",
        "{b}的会员悄悄涨价，一条通知都没有",
        "对{b}很失望，以后不会再买",
        "再这样烫下去，{b}怕不是要起火",
        "{b}门店态度很差，问两句就不耐烦",
    ),
    NEUTRAL: (
        "{b}今天在城东开了一家新店",
        "有人用过{b}吗，求说说",
        "{b}发布第三季度的出货量",
        "路过{b}，门口排着队",
        "{b}和另外两家一起参加展会",
        "整理了一下{b}历代型号的参数",
        "朋友去{b}面试了，还在等消息",
        "标题党而已，{b}没有爆炸，是礼花",
    ),
    POSITIVE: (
        "{b}的新品比想象中好用",
        "给{b}点个赞，售后半小时就回了",
        "第三次回购{b}，家里人都喜欢",
        "{b}的包装越来越用心",
        "这个价位里{b}算良心",
        "{b}的店员很耐心，体验很好",
    ),
}
CRISES: tuple[tuple[RiskCategory, str], ...] = (
    ("product_safety", "{b}充电的时候冒烟起火，桌子烧了一个洞，有视频"),
    ("food_safety", "在{b}里吃出虫子，孩子上吐下泻送了医院"),
    ("data_privacy", "{b}的用户资料被人挂出来卖，手机号都在里面"),
    ("people", "{b}拖欠工资三个月，员工堵在总部门口"),
    ("fraud", "{b}宣传的材质和检测报告对不上，涉嫌造假"),
    ("regulatory", "{b}被立案调查，监管部门已经进驻"),
    ("service", "{b}大面积宕机，订单全没了，客服电话打不通"),
    ("values", "{b}的广告冒犯女性，评论区炸了"),
    ("rumor", "网传{b}一名高管被带走，公司还没有回应"),
    ("finance_legal", "{b}的债券违约，供应商起诉要账"),
)
CALM: dict[str, str] = {
    "campaign": "{b}周年庆的短片太好看了，一开口就想哭",
    "lottery": "转发抽奖：关注{b}并转发本条，周五抽十位送新品",
    "launch": "{b}新品发布会开完了，说说我的看法",
    "loud": "{b}第{n}次投诉你们，请回复我的工单",
    "import": "旧帖：{b}当年的那件事",
}
RISKS = {category: number for number, category in enumerate(CATEGORIES)}
NO_RISK = -1


@dataclass(frozen=True, slots=True)
class Brand:
    """``topic`` is its id in the log, ``name`` what people call it; ``daily`` mentions; ``share`` of them negative.

    ``festive``: times what is usual on holidays. ``channels``: the share of each.
    """

    number: int
    topic: str
    name: str
    daily: float
    share: float
    festive: float
    drift: float
    channels: tuple[float, ...]


def brands(count: int, least: float, most: float, rng: np.random.Generator) -> list[Brand]:
    """Volumes are spread evenly over the logarithm between *least* and *most* a day."""
    places = (np.arange(count) + rng.uniform(0.2, 0.8, count)) / count
    daily = np.exp(np.log(least) + places * (np.log(most) - np.log(least)))
    rng.shuffle(daily)
    names = [first + second for second in _SECOND for first in _FIRST]
    order = rng.permutation(len(names))
    found = []
    for number in range(count):
        name = names[order[number % len(names)]] + ("" if number < len(names) else str(number // len(names)))
        festive = float(rng.uniform(1.8, 3.0)) if rng.random() < 0.3 else float(rng.uniform(0.7, 1.1))
        found.append(
            Brand(
                number=number,
                topic=f"b{number:03}",
                name=name,
                daily=float(daily[number]),
                share=float(rng.uniform(0.05, 0.15)),
                festive=festive,
                drift=float(rng.normal(0, 0.2)),
                channels=tuple(rng.dirichlet([11, 2, 2.4, 2.6, 2]).tolist()),
            )
        )
    return found


def read(truth: Ints, rng: np.random.Generator, recall: float | None = None) -> Ints:
    """What an analyzer makes of these. *recall* of the negative, where copies of one text share their fate."""
    table = READ_AS.copy()
    if recall is not None:
        table[NEGATIVE] = (recall, (1 - recall) * 0.85, (1 - recall) * 0.15)
    edges = np.cumsum(table, axis=1)[truth]
    return (rng.random(len(truth))[:, None] > edges[:, :2]).sum(1).astype(np.int64)


def confidences(truth: Ints, label: Ints, rng: np.random.Generator) -> Ints:
    """How sure the analyzer is, in twentieths: surer where it is right."""
    right = truth == label
    sure = np.where(right, rng.beta(7, 1.8, len(truth)), rng.beta(4, 3, len(truth)))
    return np.clip(np.rint(20 * (0.34 + 0.65 * sure)), 7, 19).astype(np.int64)


@lru_cache(maxsize=100_000)
def scored(topic: str, word: str, label: int, twentieths: int, risk: int) -> Scored:
    sure = twentieths / 20
    rest = (1 - sure) / 2
    shares = [rest, rest, rest]
    shares[label] = sure
    risks = () if risk == NO_RISK else (RiskFound(CATEGORIES[risk], 0.8, "text", 0, 1),)
    return Scored(topic, (word,), Sentiment(shares[0], shares[1], shares[2], LABELS[label], sure, risks=risks))
