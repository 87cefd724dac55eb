"""One address for one page: what only tells who shared a link, and from where, is taken off."""

import re

LONGEST_URL = 2_000

# RFC 3986 in its parts, for the web alone: a login, host, port, path, query, fragment. urlsplit takes thrice the time.
_URL = re.compile(
    r"https?://(?:[^/?#@\s]*@)?(\[[0-9a-f:.]+\]|[^/?#@:\s\[\]]*)"
    r"(?::(\d{0,5}))?(/[^?#\s]*)?(?:\?([^#\s]*))?(?:#(\S*))?",
    re.IGNORECASE,
)

TRACKING = frozenset(
    # Campaigns and clicks: the names that Google, Meta, Microsoft, X, TikTok and mail senders document.
    "fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid twclid ttclid igshid igsh mc_cid mc_eid mkt_tok _hsenc _hsmi"
    " ref ref_src ref_url referer referrer cmpid ncid ocid"
    # Chinese platforms: how a page was reached, by whom and on which device.
    " spm scm spm_id_from from from_source from_spmid fromvsogou isappinstalled nsukey wfr wvr refer_flag refer"
    " sudaref retcode luicode lfid featurecode weibo_id chksm scene subscene sessionid clicktime enterid ascene"
    " devicetype pass_ticket wx_header exportkey vd_source unique_k bbid msource bsource seid"
    " utm_id hmsr hmpl hmcu hmkw hmci bd_vid qhclickid tt_from source_channel xsec_source xsec_token xhsshare"
    " apptime appuid app_platform app_version shareredid share_id share_token sharer_shareid shareuid sharer_sharetime"
    " sharefrom".split()
)
"""Query keys that no page needs; those that begin with ``utm_``, ``share_``, ``hmsr`` or ``mtm_`` go as well."""

_TRACKING_BEGINS = ("utm_", "share_", "sharer_", "mtm_", "pk_", "at_custom")

# Short names that are tracking on these hosts, and may be anything elsewhere.
_ON_HOST = {
    "weibo.com": frozenset({"type", "mod", "rid"}),
    "x.com": frozenset({"s", "t"}),
    "twitter.com": frozenset({"s", "t"}),
    "youtube.com": frozenset({"t", "si", "pp", "feature"}),
}


def canonical_url(url: str) -> str:
    """*url* without scheme, ``www.``, tracking and fragment, its query in order; empty where it names no page.

    An address without a path and a query is a whole site, and so names no page; what cannot be parsed names none.
    """
    parts = _URL.fullmatch(url.strip()) if len(url) <= LONGEST_URL else None
    if parts is None:
        return ""
    host, port, path, query, fragment = parts.groups("")
    host = host.lower().rstrip(".").removeprefix("www.")
    if port not in {"", "80", "443"}:
        host = f"{host}:{port}"
    path = path.rstrip("/")
    query = _without_tracking(query, _ON_HOST.get(host, frozenset())) if query else ""
    # Pages of some applications differ behind #! or #/ alone.
    fragment = fragment if fragment.startswith(("!", "/")) else ""
    if not host or not (path or query or fragment):
        return ""
    return f"{host}{path}{'?' + query if query else ''}{'#' + fragment if fragment else ''}"


def _without_tracking(query: str, more: frozenset[str]) -> str:
    kept = []
    for pair in query.split("&"):
        key = pair.partition("=")[0]
        if pair and key not in more and not _is_tracking(key.lower()):
            kept.append(pair)
    return "&".join(sorted(kept))


def _is_tracking(key: str) -> bool:
    return key in TRACKING or key.startswith(_TRACKING_BEGINS)
