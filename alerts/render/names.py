"""What readers call the values of labels, verdicts, states and kinds of trouble."""

from alerts.render.words import Language

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
JUDGED: dict[str, str] = {"real": "属实", "noise": "误报", "known": "已知情况"}

# how far the people are
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
