"""What Chinese readers call the reasons why a poll or a delivery failed; the word of metrics and docs stays beside it."""

from typing import Final

REASONS: Final[dict[str, str]] = {
    "auth": "鉴权失败",
    "bad_encoding": "压缩内容无法解码",
    "bad_redirect": "跳转地址无效",
    "bad_response": "响应异常",
    "bad_url": "地址无效",
    "blocked_address": "指向非公网地址，已拦截",
    "bug": "程序出错",
    "client": "请求被拒",
    "client_error": "请求被拒",
    "connect": "无法连接",
    "cut_short": "响应不完整",
    "dns": "域名解析失败",
    "forbidden": "无权访问",
    "gone": "页面已永久移除",
    "network": "网络故障",
    "no_answer": "没有响应",
    "not_a_feed": "内容不是订阅源",
    "not_found": "地址或文件不存在",
    "proxy": "代理不可用",
    "rate_limited": "请求过于频繁，被限流",
    "redirect_loop": "循环跳转",
    "refused": "对方拒收",
    "server": "对方服务器出错",
    "server_error": "对方服务器出错",
    "timeout": "超时",
    "tls": "证书或加密连接失败",
    "too_large": "内容过大",
    "too_long": "内容过长",
    "unauthorised": "未授权",
    "unreadable": "文件无法读取",
    "unsafe_xml": "XML 不安全",
}


def failure_zh(reason: str) -> str:
    """域名解析失败（dns）; what has no Chinese name, as it is."""
    name = REASONS.get(reason)
    return f"{name}（{reason}）" if name else reason
