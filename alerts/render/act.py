"""What a person did with an incident, in a sentence."""

from alerts.alert import Level
from alerts.deadline import SILENCE
from alerts.handling import Act
from alerts.render.text import cut, defuse
from alerts.render.words import LEVELS, WORDS, Language

_NAME, _TEXT = 40, 300

ACTS: dict[Language, dict[str, str]] = {
    "zh": {
        "acknowledge": "{by} 已认领。",
        "unacknowledge": "{by} 取消了认领，请重新认领。",
        "broken": "因级别升至{level}，原认领失效，请重新认领。",
        "silent": "认领后长时间无任何操作，系统已自动取消认领，请重新认领。",
        "assign": "{by} 指派给 {value}。",
        "unassign": "{by} 取消了负责人。",
        "note": "{by} 添加了备注。",
        "check": "{by} 完成了预案步骤 {value}。",
        "uncheck": "{by} 撤回了预案步骤 {value}。",
        "respond": "{by} 登记：已对外回应。",
        "resolve": "{by} 手动解除了该事件。相关预警如仍在触发将不再提醒，出现新预警或级别上升时会重新通知。",
        "reopen": "{by} 重新打开了该事件。",
        "close": "{by} 归档了该事件。",
        "merge": "{by} 将其并入另一事件。",
        "merge_number": "{by} 将其并入事件 {other}。",
        "merged": "{by} 将另一事件并入本事件。",
        "merged_number": "{by} 将事件 {other} 并入本事件。",
        "split": "{by} 拆分了该事件。",
        "split_number": "{by} 从事件 {other} 拆分出本事件。",
    },
    "en": {
        "acknowledge": "Taken by {by}.",
        "unacknowledge": "{by} released it; it needs a new owner.",
        "silent": "Nothing was done for long after it was taken: it is nobody's again, and somebody must take it.",
        "broken": "It rose to {level}, so the earlier acknowledgement no longer holds. Please take it again.",
        "assign": "{by} assigned it to {value}.",
        "unassign": "{by} removed the owner.",
        "note": "{by} added a note.",
        "check": "{by} did step {value} of the playbook.",
        "uncheck": "{by} took back step {value} of the playbook.",
        "respond": "{by}: the public response is out.",
        "resolve": "Resolved by {by}. Alerts that still fire stay quiet; a new alert or a higher level notifies you again.",
        "reopen": "{by} opened it again.",
        "close": "{by} closed it.",
        "merge": "{by} merged it into another incident.",
        "merge_number": "{by} merged it into incident {other}.",
        "merged": "{by} merged another incident into it.",
        "merged_number": "{by} merged incident {other} into it.",
        "split": "{by} split it.",
        "split_number": "{by} split it from incident {other}.",
    },
}


def spoken(act: Act, language: Language) -> str:
    """Who did what, and their own words, defused and cut."""
    kind: str = act.kind
    if kind == "unacknowledge" and not act.by:
        kind = "silent" if act.value == SILENCE else "broken"
    elif kind == "assign" and not act.value:
        kind = "unassign"
    if act.other and f"{kind}_number" in ACTS[language]:
        kind = f"{kind}_number"
    level = LEVELS[language][Level[act.value]] if kind == "broken" and act.value in Level.__members__ else ""
    told = ACTS[language][kind].format(
        by=named(act.by, language), value=named(act.value, language), level=level, other=f"#{act.other}"
    )
    words = cut(defuse(act.text[: 10 * _TEXT], WORDS[language]["link"]), _TEXT)
    if not words:
        return told
    said = WORDS[language]["said"].format(words=words.rstrip("。."))
    return f"{told}{said}" if language == "zh" else f"{told} {said}"


def named(text: str, language: Language) -> str:
    """Somebody's or something's name as it may stand in a line."""
    return cut(defuse(text[:200], WORDS[language]["link"]), _NAME)
