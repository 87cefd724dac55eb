"""What the page for trying texts and queries says, in Chinese and English."""

from typing import Final

TRIAL: Final[dict[str, tuple[str, str]]] = {
    "trial": ("试查询", "Try a query"),
    "trial_lead": (
        "粘贴一段文字，看哪些话题会匹配、依据哪些词；没匹配上的，差在哪里。也可以同时试一条新的查询。这里的内容不会保存。",
        "Paste a text to see which topics match it and on which words, and what the others lack. Nothing is kept.",
    ),
    "trial_text": ("正文", "Text"),
    "field_text": ("正文", "Text"),
    "field_title": ("标题", "Title"),
    "field_query": ("查询语句", "Query"),
    "field_channel": ("渠道", "Channel"),
    "trial_query": ("查询语句（可选）", "Query (optional)"),
    "trial_channel": ("渠道（可选）", "Channel (optional)"),
    "trial_title_optional": ("标题（可选）", "Title (optional)"),
    "trial_query_hint": ("例如 @名称 AND (起火 OR 爆炸) NOT 招聘", "such as @name AND (fire OR smoke) NOT jobs"),
    "trial_names": ("可用的 @名称", "Known @names"),
    "trial_go": ("查看", "Try"),
    "trial_clear": ("清空", "Clear"),
    "trial_only": ("只看话题 {topic}", "Topic {topic} alone"),
    "trial_all": ("查看全部话题", "All topics"),
    # the answer
    "trial_of_query": ("您的查询", "Your query"),
    "trial_readable": ("查询可以读懂，读作：", "The query reads as:"),
    "trial_stands_for": ("{name} 指：", "{name} stands for:"),
    "trial_more_words": ("等共 {count} 个", "{count} in all"),
    "trial_matched": ("匹配", "Matches"),
    "trial_missed": ("不匹配", "Does not match"),
    "trial_matching": ("匹配的话题（{count}）", "Topics that match ({count})"),
    "trial_missing": ("不匹配的话题（{count}）", "Topics that do not match ({count})"),
    "trial_no_topics": (
        "还没有话题。在配置的 topics 中写下要关注的品牌和关键词。",
        "There is no topic yet. Write the brand and the words to watch into the configuration's topics.",
    ),
    "trial_none": ("没有话题匹配这段文字。", "No topic matches this text."),
    "trial_every": ("所有话题都匹配。", "All topics match."),
    "trial_why": ("逐项判断", "Clause by clause"),
    "trial_holds": ("满足", "holds"),
    "trial_fails": ("不满足", "does not hold"),
    "trial_name_of": ("{name}，{variant}", "{name}, {variant}"),
    "trial_in_title": ("标题", "title"),
    "trial_places": ("另 {count} 处", "{count} more"),
    # why not
    "trial_lacks": ("缺少：", "Missing:"),
    "trial_against": ("不得出现：", "Must not match:"),
    "trial_against_words": ("，却有", "but there is"),
    "refused_unless_near": ("不算：附近有 {word}（unless_near）", "does not count: {word} is near (unless_near)"),
    "refused_near": (
        "不算：没有出现 near 所列的词",
        "does not count: none of the words that must be near is (near)",
    ),
    "refused_link": ("不算：在网址 {word} 里", "does not count: it stands in the address {word}"),
    "refused_word": ("不算：此处应读作 {word}", "does not count: the text reads {word} there"),
    # nodes and variants
    "node_and": ("全部满足", "all of"),
    "node_or": ("满足任一", "any of"),
    "node_not": ("不得满足", "none of"),
    "variant_traditional": ("繁体", "in traditional characters"),
    "variant_noise": ("夹杂符号", "with noise"),
    "variant_pinyin": ("拼音", "in pinyin"),
    "variant_initials": ("首字母", "by initials"),
    "variant_homophones": ("谐音", "homophone"),
    "variant_split": ("拆字", "characters taken apart"),
    # mistakes
    "trial_mistake": ("查询有误：第 {line} 行，第 {column} 列", "Mistake in the query: line {line}, column {column}"),
    "trial_expected": ("此处可以是：", "Expected here:"),
    "trial_too_long": (
        "{what}太长：最多 {limit} 个字符",
        "{what}: too long, at most {limit} characters",
    ),
    "trial_refused": ("{what}：{message}", "{what}: {message}"),
    "trial_unknown_topic": ("没有话题 {topic}", "There is no topic {topic}"),
}

# What QueryError expects, in Chinese; what is not here is written as it is, such as NEAR/n and @acme.
EXPECTED: Final[dict[str, str]] = {
    "a word": "一个词",
    "a phrase in quotes": "引号里的短语",
    "@name": "@名称",
    "a field such as title:": "字段，如 title:",
    "a comparison such as followers>10000": "比较，如 followers>10000",
    "an opening bracket": "左括号",
    "a closing bracket": "右括号",
    "the end of the query": "查询到此结束",
    "a number": "一个数",
}
