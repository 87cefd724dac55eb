"""The fixed words of messages, in both languages."""

import re
from datetime import datetime, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerts.alert import Level

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
_ONE = re.compile(r"\b1 (mention|author|more alert)s\b")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

LEVELS: dict[Language, dict[Level, str]] = {
    "zh": {Level.blue: "蓝色", Level.yellow: "黄色", Level.orange: "橙色", Level.red: "红色"},
    "en": {Level.blue: "blue", Level.yellow: "yellow", Level.orange: "orange", Level.red: "red"},
}

# the kinds of trouble that an excerpt reports
RISKS: dict[Language, dict[str, str]] = {
    "zh": {
        "food_safety": "食品安全",
        "product_safety": "产品安全",
        "data_privacy": "数据隐私",
        "finance_legal": "财务与诉讼",
        "regulatory": "监管处罚",
        "people": "高管与员工",
        "service": "服务投诉",
        "fraud": "欺诈",
        "rumor": "谣言",
        "values": "价值观争议",
    },
    "en": {
        "food_safety": "food safety",
        "product_safety": "product safety",
        "data_privacy": "data privacy",
        "finance_legal": "finance and lawsuits",
        "regulatory": "regulators",
        "people": "executives and staff",
        "service": "service complaint",
        "fraud": "fraud",
        "rumor": "rumour",
        "values": "values",
    },
}

# what routes and silences match on; English has the configuration's own words
LABELS: dict[str, str] = {
    "brand": "品牌",
    "channel": "渠道",
    "kind": "类别",
    "level": "级别",
    "region": "地区",
    "rule": "规则",
    "site": "站点",
    "source": "来源",
    "topic": "话题",
}
KINDS: dict[str, str] = {"topic": "舆情", "self": "系统告警"}

# what people said of an alert
JUDGED: dict[str, str] = {"real": "真实", "noise": "误报", "known": "已知情况"}

# what a message is, beside its level
TAGS: dict[Language, dict[str, str]] = {
    "zh": {
        "open": "{level}预警",
        "late": "{level}预警·已结束",
        "raised": "升至{level}",
        "lowered": "降至{level}",
        "update": "{level}·有新进展",
        "repeat": "{level}·仍在持续",
        "acknowledge": "{level}·已认领",
        "act": "{level}·处理进展",
        "unowned": "{level}·待认领",
        "remind": "{level}·回应时限将至",
        "lapse": "{level}·认领后无进展",
        "breach": "{level}·回应超时",
        "escalate": "{level}·无人认领",
        "resolve": "{level}·已恢复",
        "breakthrough": "{level}·静默期内加剧",
        "unsilenced": "{level}·静默结束，仍在持续",
        "silence_open": "静默开始",
        "silence_repeat": "静默即将结束",
        "silence_resolve": "静默结束",
        "ended": "{level}·人工解除",
        "expired": "{level}·预警到期·未确认平息",
        "caught_up": "补采告知结束",
        "merged": "{level}·已并入其他事件",
        "merged_number": "{level}·已并入 {other}",
        "withdrawn": "{level}·预警撤销",
        "test": "测试·{level}",
        "alive": "值守日报",
        "self_open": "{level}·系统告警",
        "self_repeat": "{level}·系统告警·仍在持续",
        "self_late": "{level}·系统告警·已结束",
        "self_resolve": "系统告警解除",
    },
    "en": {
        "open": "{level} alert",
        "late": "{level} alert, over",
        "raised": "raised to {level}",
        "lowered": "lowered to {level}",
        "update": "{level}, update",
        "repeat": "{level}, still open",
        "acknowledge": "{level}, acknowledged",
        "act": "{level}, handling update",
        "unowned": "{level}, needs an owner",
        "remind": "{level}, response due soon",
        "lapse": "{level}, no progress",
        "breach": "{level}, response overdue",
        "escalate": "{level}, nobody has taken it",
        "resolve": "{level}, resolved",
        "breakthrough": "{level}, worse while silenced",
        "unsilenced": "{level}, silence over, still open",
        "silence_open": "silenced",
        "silence_repeat": "silence ends soon",
        "silence_resolve": "silence over",
        "ended": "{level}, resolved by hand",
        "expired": "{level}, expired, not confirmed over",
        "caught_up": "catch-up notice closed",
        "merged": "{level}, merged",
        "merged_number": "{level}, merged into {other}",
        "withdrawn": "{level}, withdrawn",
        "test": "test, {level}",
        "alive": "daily report",
        "self_open": "{level} system alert",
        "self_repeat": "{level} system alert, still open",
        "self_late": "{level} system alert, over",
        "self_resolve": "system alert over",
    },
}

WORDS: dict[Language, dict[str, str]] = {
    "zh": {
        "self": "监测系统",
        "headline": "【{tag}】{brand}：{what}",
        "test": "这是一条测试消息，不是真实预警，无需处理。",
        "late": "本预警在送达前已结束，补发备查，无需处理。",
        "lasted": "历时 {duration}。",
        "taken": "已有人接手处理。",
        "breakthrough": "该事件处于静默中，但级别上升或声量增至静默开始时的四倍，特此通知一次。",
        "handling": "处理",
        "taken_by": "{by} 已认领",
        "untaken": "未认领",
        "untaken_owner": "未认领（登记负责人 {owner}，尚未认领）",
        "owner": "负责人 {owner}",
        "said": "附言：“{words}”。",
        "respond": "回应时限",
        "respond_by": "须在 {at} 前对外回应",
        "respond_left": "须在 {at} 前对外回应，剩 {duration}",
        "respond_over": "应在 {at} 前对外回应，已超时 {duration}",
        "due": "须在 {at} 前回应",
        "overdue": "回应已超时，原定 {at} 前",
        "remind_told": "对外回应时限将至，请尽快发布回应并登记。",
        "escalate_told": "尚无人认领，请立即认领并处置。",
        "breach_told": "对外回应已超时，尚未登记回应。请立即发布回应并登记，同时上报管理层。",
        "was": "此前为{level}。",
        "news": "最新变化：{news}。",
        "news_opened": "新增“{title}”（{level}）",
        "news_raised": "“{title}”升至{level}",
        "news_lowered": "“{title}”降至{level}",
        "news_resolved": "“{title}”已恢复",
        "news_more": "另有 {count} 项",
        "perhaps": "（可能重复）",
        "perhaps_notice": "上次发送未获确认；如已收到事件 {incident} 的同一消息，请忽略。",
        "perhaps_digest": "上次发送未获确认；如已收到同一份汇总，请忽略。",
        "passed_late": "原接收人 {receiver} 的 {channels} 渠道 3 分钟内未送达，转由您处理。",
        "passed_failed": "原接收人 {receiver} 的 {channels} 渠道投递失败，转由您处理。",
        "alive_well": "监测系统运行正常。",
        "alive_look": "监测系统在运行，但有需要处理的问题，见下。",
        "alive_quiet": "监测系统在运行，但没有采集到任何内容，请核实来源。",
        "alive_because": "自 {since} 起采集提及 {mentions}，触发预警 {alerts}；{blind}",
        "alive_mentions": "采集提及",
        "alive_alerts": "触发预警",
        "alive_open": "未解除事件",
        "alive_blind": "中断来源",
        "alive_undelivered": "未送达通知",
        "alive_newest": "最新内容",
        "alive_since": "{count}（自 {since} 起）",
        "alive_level": "{level} {count}",
        "alive_source": "{source}（自 {since} 起）",
        "alive_blind_yes": "采集中断：{sources}",
        "alive_blind_no": "全部来源正常",
        "alive_waiting": "待发 {count}",
        "alive_dead": "24 小时内放弃 {count}",
        "alive_class": "{name} {at}",
        "alive_never": "尚无",
        "none": "无",
        "spread": "传播",
        "so_far": "本轮始于 {opened}；以下数据截至 {at}。",
        "mentions": "提及 {count}（负面 {negative}）",
        "authors": "作者 {count}",
        "people": "预估触达 {count}",
        "people_unknown": "触达未知",
        "channels": "渠道",
        "channel": "{name} {count}",
        "window": "时段",
        "coverage": "监测覆盖",
        "complete": "全部来源正常",
        "blind": "{source} 采集中断 {duration}（自 {since} 起）",
        "at_least": "；实际声量可能更高",
        "baseline": "基线",
        "cold": "历史数据不足，对比倍数仅供参考",
        "story": "主要内容",
        "copies": "“{title}”（{count}相同或转载内容）",
        "crossed": "“{title}”（{count}相同或转载内容，见于 {channels}）",
        "also": "同一事件",
        "more": "另有 {count} 条预警",
        "resolved": "{title}（已恢复）",
        "member": "{title}（{level}）",
        "playbook": "预案",
        "console": "查看详情",
        "original": "原文",
        "link": "[链接]",
        "excerpts": "原文摘录",
        "notice": "提示",
        "record": "编号",
        "left": "另有 {count} 段摘录见详情",
        "footer": "事件 {number}{incident} · 数据截至 {at}（{zone}）",
        "stop": "。",
        "digest": "【汇总·最高{level}】{brands}：{count} 条消息",
        "brands": "{brand}等 {count} 个品牌",
        "digest_over": "【汇总·均已结束】{brands}：{count} 条消息",
        "digest_quiet": "。免打扰时段内的消息，时段结束后合并为一条。详情请打开监测台。",
        "digest_why": "。消息集中，为不超出本渠道的发送限额，合并为一条。详情请打开监测台。",
        "digest_count": "{level} {count} 条",
        "digest_over_count": "已结束 {count} 条",
        "digest_footer": "截至 {at}（{zone}）",
        "overview": "打开监测台",
        "comma": "、",
        "semicolon": "；",
        "colon": "：",
        "open_quote": "“",
        "close_quote": "”",
    },
    "en": {
        "self": "Monitoring",
        "headline": "[{tag}] {brand}: {what}",
        "test": "This is a test message, not a real alert. There is nothing to do.",
        "late": "This alert ended before it could be sent; for the record only.",
        "lasted": "It lasted {duration}.",
        "taken": "Somebody is on it.",
        "breakthrough": "This incident is silenced, but its level rose or its volume grew fourfold, "
        "so you are notified once.",
        "handling": "Handling",
        "taken_by": "taken by {by}",
        "untaken": "nobody has taken it",
        "untaken_owner": "nobody has taken it (assigned to {owner})",
        "owner": "owner {owner}",
        "said": 'Note: "{words}".',
        "respond": "Public response",
        "respond_by": "due by {at}",
        "respond_left": "due by {at}, {duration} left",
        "respond_over": "was due by {at}, {duration} overdue",
        "due": "respond by {at}",
        "overdue": "response overdue since {at}",
        "remind_told": "The public response is due soon: publish it and record it.",
        "escalate_told": "Nobody has taken it yet. Please take it.",
        "breach_told": "The response deadline has passed and no response is recorded. Publish one, record it, "
        "and inform management.",
        "was": "It was {level} before.",
        "news": "Latest: {news}.",
        "news_opened": 'new: "{title}" ({level})',
        "news_raised": '"{title}" rose to {level}',
        "news_lowered": '"{title}" fell to {level}',
        "news_resolved": '"{title}" is resolved',
        "news_more": "{count} more",
        "perhaps": "(may be a repeat) ",
        "perhaps_notice": "The last try was not confirmed; ignore this if you have the same message of "
        "incident {incident} already.",
        "perhaps_digest": "The last try was not confirmed; ignore this if you have the same digest. ",
        "passed_late": "Passed on to you: {receiver} was not reached by {channels} within 3 minutes.",
        "passed_failed": "Passed on to you: {receiver} cannot be reached by {channels}.",
        "alive_well": "Monitoring is running normally.",
        "alive_look": "The monitoring works, but something needs a look; see below.",
        "alive_quiet": "The monitoring works, but nothing at all was collected; check the sources.",
        "alive_because": "Since {since}: {mentions} mentions collected, alerts: {alerts}; {blind}",
        "alive_mentions": "Mentions collected",
        "alive_alerts": "Alerts",
        "alive_open": "Open incidents",
        "alive_blind": "Blind sources",
        "alive_undelivered": "Undelivered",
        "alive_newest": "Newest mention",
        "alive_since": "{count} (since {since})",
        "alive_level": "{count} {level}",
        "alive_source": "{source} (since {since})",
        "alive_blind_yes": "no data from {sources}",
        "alive_blind_no": "all sources up",
        "alive_waiting": "{count} waiting",
        "alive_dead": "{count} given up within 24 h",
        "alive_class": "{name} {at}",
        "alive_never": "none yet",
        "none": "none",
        "spread": "Spread",
        "so_far": "This wave began {opened}; figures as of {at}.",
        "mentions": "{count} mentions ({negative} negative)",
        "authors": "{count} authors",
        "people": "est. reach {count}",
        "people_unknown": "reach unknown",
        "channels": "Channels",
        "channel": "{name} {count}",
        "window": "Window",
        "coverage": "Coverage",
        "complete": "all sources up",
        "blind": "no data from {source} for {duration} (since {since})",
        "at_least": "; actual volume may be higher",
        "baseline": "Baseline",
        "cold": "too little history; treat the comparison as approximate",
        "story": "Main story",
        "copies": '"{title}" ({count} copies)',
        "crossed": '"{title}" ({count} copies, on {channels})',
        "also": "Same incident",
        "more": "{count} more alerts",
        "resolved": "{title} (resolved)",
        "member": "{title} ({level})",
        "playbook": "Playbook",
        "console": "Open the incident",
        "original": "original",
        "link": "[link]",
        "excerpts": "What people write",
        "notice": "Note",
        "record": "Record",
        "left": "{count} more excerpts on the incident's page",
        "footer": "Incident {number}{incident} · data as of {at} ({zone})",
        "stop": ". ",
        "digest": "[DIGEST, UP TO {level}] {brands}: {count} messages",
        "brands": "{brand} and {more} more",
        "digest_over": "[DIGEST, ALL ENDED] {brands}: {count} messages",
        "digest_quiet": ". Held back during quiet hours, put together at their end. Open the console for each.",
        "digest_why": ". Many at once: put together to stay within this channel's limit. Open the console for each.",
        "digest_count": "{count} {level}",
        "digest_over_count": "{count} ended",
        "digest_footer": "as of {at} ({zone})",
        "overview": "Open the console",
        "comma": ", ",
        "semicolon": "; ",
        "colon": ": ",
        "open_quote": '"',
        "close_quote": '"',
    },
}

# the chart of a message
CHART: dict[Language, dict[str, str]] = {
    "zh": {
        "title": "{brand} · 每{slot}提及量",
        "mentions": "提及",
        "negative": "其中负面",
        "usual": "近 {weeks} 周同时段",
        "window": "预警时段",
        "told": "{title}，{since} 至 {until}：最近 {count} 条（负面 {negative}），最高 {most} 条（{at}）。",
        "told_usual": "近 {weeks} 周同时段一般为 {low} 至 {high} 条（均值 ± 标准差）。",
    },
    "en": {
        "title": "{brand} · mentions per {slot}",
        "mentions": "mentions",
        "negative": "negative",
        "usual": "usual ({weeks} weeks)",
        "window": "alert",
        "told": "{title}, {since} to {until}: {count} at last ({negative} negative), {most} at most ({at}).",
        "told_usual": " Usual at this time over {weeks} weeks: {low} to {high} (mean ± standard deviation).",
    },
}

# what to do now, for who is woken by it
ACT: dict[Language, dict[Level, str]] = {
    "zh": {
        Level.blue: "知悉即可，持续关注。",
        Level.yellow: "请在 1 小时内核实研判。",
        Level.orange: "请立即处置。",
        Level.red: "请立即处置：通知管理层，启动应急预案。",
    },
    "en": {
        Level.blue: "For information; keep an eye on it.",
        Level.yellow: "Check and assess within the hour.",
        Level.orange: "Act now.",
        Level.red: "Act now: inform management and start the playbook.",
    },
}

# how far the people are, and what one of them did
STATES: dict[Language, dict[str, str]] = {
    "zh": {
        "open": "未认领",
        "acknowledged": "已认领",
        "mitigating": "已回应",
        "resolved": "已解除",
        "closed": "已归档",
    },
    "en": {
        "open": "nobody has taken it",
        "acknowledged": "taken",
        "mitigating": "answer is out",
        "resolved": "resolved",
        "closed": "closed",
    },
}
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


def duration(length: timedelta, language: Language) -> str:
    """The two largest units, floored to minutes: 22 分钟, 1 小时 5 分钟, 2d 3h."""
    minutes = max(int(length.total_seconds() // 60), 0)
    parts = ((minutes // 1440, "天", "d"), (minutes // 60 % 24, "小时", "h"), (minutes % 60, "分钟", "m"))
    first = next((place for place, part in enumerate(parts) if part[0]), None)
    if first is None:
        return "不到 1 分钟" if language == "zh" else "under 1m"
    shown = [part for part in parts[first : first + 2] if part[0]]
    if language == "zh":
        return " ".join(f"{count} {zh}" for count, zh, _ in shown)
    return " ".join(f"{count}{en}" for count, _, en in shown)


def counted(text: str, count: int) -> str:
    """English for one: "1 mentions" is "1 mention"."""
    return _ONE.sub(r"1 \1", text) if count == 1 else text


def zone(name: str) -> ZoneInfo:
    """The zone, UTC where the name is none: a message with times in UTC is better than no message."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def moment(at: datetime, where: ZoneInfo, near: datetime, language: Language) -> str:
    """A time of day, with its date where that is not the day of *near*, and with its year where that is another."""
    local, day = at.astimezone(where), near.astimezone(where)
    return f"{local:%H:%M}" if local.date() == day.date() else _dated(local, day, language)


def _dated(local: datetime, near: datetime, language: Language) -> str:
    other = local.year != near.year
    if language == "zh":
        year = f"{local.year}年" if other else ""
        return f"{year}{local.month}月{local.day}日 {local:%H:%M}"
    year = f" {local.year}" if other else ""
    return f"{local.day} {_MONTHS[local.month - 1]}{year} {local:%H:%M}"


def period(start: datetime, end: datetime, where: ZoneInfo, near: datetime, language: Language) -> str:
    """From a time to another: with its date once where that is one day other than *near*'s, twice where it is two."""
    first, last, day = (at.astimezone(where) for at in (start, end, near))
    if first.date() == last.date():
        return f"{moment(start, where, near, language)}–{last:%H:%M}"
    return f"{_dated(first, day, language)}–{_dated(last, day, language)}"
