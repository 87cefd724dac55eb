"""Copies as people make them, and look-alikes that are none: labelled stories out of base texts."""

import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

CORPUS = Path(__file__).parents[2] / "sentiment" / "corpus" / "mentions.jsonl"
COMMENTS = (
    "太可怕了！", "真的假的？", "求证", "马住", "这也行？", "天哪，大家注意安全", "转给家里人看看", "无语", "支持维权！",
    "坐等官方回应", "哈哈哈哈", "太离谱了吧…", "有一说一，", "看看这个：", "怎么又是它", "关注", "求扩散", "心疼", "绝了",
)  # fmt: skip
EMOJI = ("😂", "🔥", "😱", "🙏", "💔", "👍🏻", "[怒]", "[泪]", "[doge]", "❗️", "😭😭")
NAMES = ("北京", "上海", "深圳", "成都", "杭州", "张伟", "李强", "小米", "华为", "京东")


@dataclass(frozen=True, slots=True)
class Labelled:
    """``story``: which texts belong together."""

    story: int
    kind: str
    text: str


def base_texts() -> list[str]:
    """The project's own corpus, each text once."""
    with CORPUS.open(encoding="utf-8") as lines:
        return list(dict.fromkeys(json.loads(line)["text"] for line in lines))


@dataclass(frozen=True, slots=True)
class Original:
    """``keep``: the characters that tell it from its look-alikes. A cut before them is of any of these, and labelled by none."""

    text: str
    keep: int


def copy_of(original: Original, dice: random.Random) -> tuple[str, str]:
    """One copy, and how it was made: cut, commented or passed on, then decorated or pointed anew."""
    text = original.text
    kind = dice.choice(("same", "cut", "before", "after", "both", "chain", "spaced"))
    match kind:
        case "cut":
            end = max(len(text) * dice.randint(60, 90) // 100, original.keep)
            text = text[:end] + dice.choice(("…", "...全文", "", "...", "…展开全文"))
        case "before":
            text = dice.choice(COMMENTS) + text
        case "after":
            text += dice.choice(COMMENTS)
        case "both":
            text = dice.choice(COMMENTS) + text + dice.choice(COMMENTS)
        case "spaced":
            text = " ".join(text[at : at + 9] for at in range(0, len(text), 9))
    text = decorated(text, dice)
    if kind == "chain":
        text = f"{dice.choice(COMMENTS)}//@用户{dice.randrange(99)}:{text}"
    return text, kind


def decorated(text: str, dice: random.Random) -> str:
    """Emoji between characters of Chinese, other marks, a link, a handle."""
    between = [one.end() for one in re.finditer(r"[\u4e00-\u9fff，。！？](?=[\u4e00-\u9fff])", text)] or [len(text)]
    for at in sorted(dice.choices(between, k=dice.randrange(3)), reverse=True):
        text = text[:at] + dice.choice(EMOJI) + text[at:]
    if dice.random() < 0.3:
        text = text.translate(str.maketrans("，。！？", dice.choice((",.!?", "、；！？", "  !?"))))
    if dice.random() < 0.2:
        text += dice.choice((" https://t.example/a8Xz", " @小助手", " 网页链接"))
    return text


def originals_of(text: str, dice: random.Random) -> list[Original]:
    """An incident, and look-alikes of it that are others: a number is changed, or a name in the text's midst."""
    if dice.random() < 0.2:
        place = dice.randrange(3, len(text) - 3)
        return [Original(text[:place] + name + text[place:], place + len(name)) for name in dice.sample(NAMES, 2)]
    if dice.random() < 0.4:
        told = f"已有{dice.randint(2, 400)}人受影响"
        text = f"{told}：{text}" if dice.random() < 0.5 else f"{text}，{told}"
    numbers = list(re.finditer(r"\d+", text))
    if not numbers:
        return [Original(text, 0)]
    one = dice.choice(numbers)
    changed = text[: one.start()] + str(int(one[0][:6]) + dice.randint(1, 9)) + text[one.end() :]
    return [Original(text, one.end()), Original(changed, one.end() + 1)]


def labelled(texts: Sequence[str], dice: random.Random, *, copies: int) -> list[Labelled]:
    """Stories of *copies* texts each, those of look-alikes among them."""
    found: list[Labelled] = []
    story = 0
    for text in texts:
        for original in originals_of(text, dice):
            found.append(Labelled(story, "original", original.text))
            for _ in range(copies - 1):
                copied, kind = copy_of(original, dice)
                found.append(Labelled(story, kind, copied))
            story += 1
    return found


def pairwise(labels: Sequence[int], stories: Sequence[str]) -> tuple[float, float]:
    """Precision and recall over pairs: of those told as one story, and of those that are one."""

    def pairs(values: Iterable[object]) -> int:
        return sum(count * (count - 1) // 2 for count in Counter(values).values())

    both = pairs(zip(labels, stories, strict=True))
    return both / max(pairs(stories), 1), both / max(pairs(labels), 1)
