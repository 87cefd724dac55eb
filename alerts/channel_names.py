"""What Chinese readers call the channels that sources name: in messages, reasons and pages."""

_ZH = {
    "app": "客户端",
    "baidu": "百度",
    "bilibili": "B站",
    "blog": "博客",
    "bluesky": "Bluesky",
    "complaint": "投诉平台",
    "complaints": "投诉平台",
    "douban": "豆瓣",
    "douyin": "抖音",
    "forum": "论坛",
    "forums": "论坛",
    "heimao": "黑猫投诉",
    "hot": "热榜",
    "hotlist": "热榜",
    "hupu": "虎扑",
    "kuaishou": "快手",
    "mail": "邮件",
    "mastodon": "Mastodon",
    "microblog": "微博客",
    "news": "新闻",
    "print": "报刊",
    "qa": "问答",
    "reddit": "Reddit",
    "review": "评价",
    "reviews": "评价",
    "shop": "电商",
    "tieba": "百度贴吧",
    "tiktok": "TikTok",
    "toutiao": "今日头条",
    "tv": "电视",
    "video": "视频",
    "web": "网页",
    "wechat": "微信",
    "weibo": "微博",
    "weixin": "微信",
    "x": "X",
    "xiaohongshu": "小红书",
    "xhs": "小红书",
    "youtube": "YouTube",
    "zhihu": "知乎",
}


def in_chinese(channel: str) -> str:
    """As a Chinese reader knows it, where it is one of these; else as the configuration has it."""
    return _ZH.get(channel.lower(), channel)
