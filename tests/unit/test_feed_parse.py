"""Documents to items: formats, charsets, dates, links, ids, text, and what is refused."""

import random
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from listener.collectors.charset import decode
from listener.collectors.document import UnsafeXmlError, prepared
from listener.collectors.html import line_of, text_of
from listener.collectors.items import Document, NotAFeedError, identified, untracked
from listener.collectors.parse import parse
from tests.support.sites import item, rss

SHANGHAI = ZoneInfo("Asia/Shanghai")
URL = "https://news.example.com/feeds/all.xml"
ATOM = 'xmlns="http://www.w3.org/2005/Atom"'


def read(document: str | bytes, content_type: str = "", zone=SHANGHAI) -> Document:
    body = document.encode() if isinstance(document, str) else document
    return parse(body, content_type=content_type, url=URL, zone=zone)


def one(document: str | bytes, content_type: str = ""):
    (only,) = read(document, content_type).items
    return only


FORMATS = {
    "rss 2.0": '<rss version="2.0"><channel><title>站</title><item><title>标题</title><link>http://a.example/1</link>'
    "<description>正文</description><pubDate>Mon, 05 Jan 2026 02:00:00 GMT</pubDate></item></channel></rss>",
    "rss 0.91": '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/publish/formats/'
    'rss-0.91.dtd"><rss version="0.91"><channel><title>站</title><item><title>标题</title><link>http://a.example/1</link>'
    "<description>正文</description><pubDate>Mon, 05 Jan 2026 02:00:00 GMT</pubDate></item></channel></rss>",
    "rdf 1.0": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="http://a.example/"><title>站</title></channel>'
    '<item rdf:about="http://a.example/1"><title>标题</title><link>http://a.example/1</link><description>正文</description>'
    "<dc:date>2026-01-05T10:00:00+08:00</dc:date></item></rdf:RDF>",
    "rdf 0.90": '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/'
    '0.9/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>站</title></channel><item><title>标题</title>'
    "<link>http://a.example/1</link><description>正文</description><dc:date>2026-01-05T02:00:00Z</dc:date></item></rdf:RDF>",
    "atom 1.0": f'<feed {ATOM}><title>站</title><entry><id>http://a.example/1</id><title>标题</title><link '
    'href="http://a.example/1"/><content type="html">&lt;p&gt;正文&lt;/p&gt;</content><updated>2026-01-05T02:00:00Z</updated>'
    "</entry></feed>",
    "atom 0.3": '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>站</title><entry><id>http://a.example/1</id>'
    '<title>标题</title><link rel="alternate" href="http://a.example/1"/><content>正文</content>'
    "<issued>2026-01-05T02:00:00Z</issued><modified>2026-01-05T02:00:00Z</modified></entry></feed>",
    "json 1.0": '{"version":"https://jsonfeed.org/version/1","title":"站","items":[{"id":"http://a.example/1","title":"标题",'
    '"url":"http://a.example/1","content_text":"正文","date_published":"2026-01-05T10:00:00+08:00"}]}',
    "json 1.1": '{"version":"https://jsonfeed.org/version/1.1","title":"站","items":[{"id":"http://a.example/1","title":"标题",'
    '"url":"http://a.example/1","content_html":"<p>正文</p>","date_modified":"x","date_published":"2026-01-05T02:00:00Z"}]}',
}  # fmt: skip


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_item(name):
    """RSS 0.9x to 2.0, RDF, Atom and JSON Feed all say the same here."""
    document = read(FORMATS[name])
    (only,), _ = identified(document, shared=False)
    assert (document.title, only.title, only.text, only.link, only.id) == (
        "站", "标题", "正文", "http://a.example/1", "http://a.example/1",
    )  # fmt: skip
    assert only.published == datetime(2026, 1, 5, 2, tzinfo=UTC)


@pytest.mark.parametrize("name", FORMATS)
def test_no_truncation_of_a_feed_raises_anything_unexpected(name):
    """A document cut at any byte is read or refused by type, never by accident."""
    whole = FORMATS[name].encode()
    for end in range(0, len(whole), 7):
        try:
            read(whole[:end])
        except (NotAFeedError, UnsafeXmlError):
            continue


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("Mon, 05 Jan 2026 10:00:00", "2026-01-05T02:00"), ("2026-01-05 10:00:00", "2026-01-05T02:00"),
        ("2026-01-05T10:00:00", "2026-01-05T02:00"), ("2026-01-05", "2026-01-04T16:00"),
        ("2026年1月5日 10:00", "2026-01-05T02:00"), ("2026年01月05日 下午3点20分", "2026-01-05T07:20"),
        ("2026/1/5 10:00:30", "2026-01-05T02:00"), ("2026-1-5 9:05", "2026-01-05T01:05"),
        ("Mon, 05 Jan 2026 10:00:00 CST", "2026-01-05T02:00"), ("Mon Jan 05 10:00:00 CST 2026", "2026-01-05T02:00"),
        ("Mon, 05 Jan 2026 10:00:00 GMT", "2026-01-05T10:00"), ("Mon, 05 Jan 2026 10:00:00 +0800", "2026-01-05T02:00"),
        ("Mon, 05 Jan 2026 10:00:00 EST", "2026-01-05T15:00"), ("2026-01-05T10:00:00Z", "2026-01-05T10:00"),
        ("2026-01-05T10:00:00.123456789+08:00", "2026-01-05T02:00"), ("2026-01-05T10:00:00+0800", "2026-01-05T02:00"),
        ("Mon, 05 Jan 2026 10:00:00 Z", "2026-01-05T10:00"),
        ("soon", None), ("0001-01-01T00:00:00Z", None), ("1970-01-01T00:00:00Z", None), ("99999-01-01", None),
    ],
)  # fmt: skip
def test_dates_without_a_zone_are_the_sources_own(raw, expected):
    """A zoneless date is Shanghai's here, CST is China's, a zone that is named counts, nonsense is no date."""
    published = one(rss(item(1, date=raw))).published
    assert (published and published.strftime("%Y-%m-%dT%H:%M")) == expected


def test_cst_stays_chicago_elsewhere():
    """In a source whose zone does not call itself CST, CST is what RFC 822 says."""
    (only,) = read(rss(item(1, date="Mon, 05 Jan 2026 10:00:00 CST")), zone=ZoneInfo("Europe/London")).items
    assert only.published == datetime(2026, 1, 5, 16, tzinfo=UTC)


TEXT = (
    '<?xml version="1.0" encoding="{}"?><rss version="2.0"><channel><item><title>云杉手机充电时起火，客服称“正在核实”</title>'
    "<link>http://a.example/1</link></item></channel></rss>"
)


@pytest.mark.parametrize(
    ("declared", "header", "actual"),
    [
        ("utf-8", "", "utf-8"), ("gb2312", "", "gb18030"), ("GBK", "", "gbk"), ("gb18030", "", "gb18030"),
        ("gb2312", "", "utf-8"), ("utf-8", "", "gb18030"), ("utf-8", "text/xml; charset=gbk", "gb18030"),
        ("gbk", "text/xml; charset=utf-8", "gb18030"), ("gbk", "text/xml; charset=iso-8859-1", "gb18030"),
        ("iso-8859-1", "", "utf-8"), ("utf-8", "text/xml;charset=ISO-8859-1", "utf-8"), ("no-such", "", "utf-8"),
        ("no-such", "", "gb18030"), ("utf-16", "", "utf-16"), ("utf-16", "", "utf-8"), ("utf-8", "", "utf-16-le"),
        ("utf-8", "", "utf-16-be"), ("utf-8", "", "utf-8-sig"), ("hex", 'application/xml; charset=""', "utf-8"),
        ("unicode_escape", "", "utf-8"), ("utf-8", "text/xml; charset=utf-16", "utf-8"), ("utf-32", "", "utf-32"),
    ],
)  # fmt: skip
def test_the_charset_is_found_whatever_is_declared(declared, header, actual):
    """Chinese text arrives whole in every charset of the wild, rightly or wrongly declared."""
    body = TEXT.format(declared).encode(actual)
    assert one(body, header).title == "云杉手机充电时起火，客服称“正在核实”"


@pytest.mark.parametrize(("declared", "actual", "text"), [
    ("big5", "big5", "雲杉手機起火"), ("shift_jis", "cp932", "スマホが発火した"), ("euc-kr", "cp949", "스마트폰 화재"),
    ("windows-1252", "cp1252", "Téléphone — “feu”"), ("koi8-r", "koi8-r", "Пожар"), ("iso-8859-1", "cp1252", "“feu” à Paris"),
    ("iso-2022-jp", "iso-2022-jp", "発火"), ("hz-gb-2312", "hz", "起火"),
])  # fmt: skip
def test_other_scripts_keep_their_charsets(declared, actual, text):
    """Declared charsets of other scripts are believed where they fit."""
    body = f'<?xml version="1.0" encoding="{declared}"?><rss><channel><title>'.encode() + text.encode(actual)
    assert text in decode(body)


def test_undeclared_accents_are_not_taken_for_chinese():
    """Single accented letters without a declaration are Western, a run of pairs is Chinese."""
    assert "Montréal à côté" in decode("<rss><title>Montréal à côté</title>".encode("cp1252"))
    assert "云杉起火" in decode("<rss><title>云杉起火</title>".encode("gb18030"))


@pytest.mark.parametrize("seed", range(20))
def test_no_bytes_break_the_charset_guess(seed):
    """Any bytes give a text."""
    body = random.Random(seed).randbytes(2000)
    assert isinstance(decode(body, "text/xml; charset=gbk"), str)


def test_html_becomes_text_with_its_paragraphs():
    """Paragraphs stay apart, lines break, entities resolve, scripts and comments go, emoticons stay."""
    markup = (
        "<div><p>第一段&nbsp;&amp; <b>粗</b>体</p><p>第二段<br/>下一行</p><script>alert(1)</script><!-- x --><style>p{}</style>"
        "<ul><li>一</li><li>二</li></ul><img src=x alt='[怒]'><img src=y alt='照片'>完</div>"
    )
    assert text_of(markup) == "第一段 & 粗体\n\n第二段\n下一行\n\n一\n\n二\n\n[怒]完".replace(
        "一\n\n二\n\n", "一\n\n二\n\n"
    )


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("plain", "plain"), ("a &lt;b&gt; c", "a <b> c"), ("1 < 2 & 3 > 2", "1 < 2 & 3 > 2"), ("<云杉>发布", "<云杉>发布"),
        ("AT&amp;T", "AT&T"), ("", ""), ("<p></p>", ""), ("<p>unclosed <b>tags", "unclosed tags"), ("零\u200b宽", "零宽"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"), ("a\x00b\x08c", "abc"), ("<img src=x onerror=alert(1)>", ""),
        ("a\r\n\r\n\r\n\r\nb", "a\n\nb"), ("&#x1F525;", "🔥"), ("<svg><text>x</text></svg>y", "y"), ("<b", "<b"),
    ],
)  # fmt: skip
def test_text_is_what_a_reader_sees(source, text):
    """HTML or not, the text comes out as it would be read."""
    assert text_of(source) == text


def test_titles_are_one_line():
    """A title over several lines becomes one."""
    assert line_of(" <b>云杉</b>\n  起火<br>了 ") == "云杉 起火 了"


def test_hostile_html_is_quick():
    """A hundred kilobytes of open tags, bare brackets and odd quotes take linear time."""
    began = time.perf_counter()
    for source in (
        "<div>" * 20_000 + "x", "<" * 200_000, "<a href='" * 20_000, "&" * 200_000, "<p>x</p>" * 20_000, "<script>" * 50_000,
        "<script></script>" * 20_000 + "<style>" * 10_000, "<a \"' " * 40_000, "<!--" * 50_000,
    ):  # fmt: skip
        text_of(source)
    assert time.perf_counter() - began < 10


def test_markup_in_titles_of_atom_survives_as_text():
    """XHTML, escaped and base64 titles are read, not lost."""
    xhtml = (
        f'<feed {ATOM}><entry><id>1</id><link href="http://a/"/><title type="xhtml"><div '
        'xmlns="http://www.w3.org/1999/xhtml">云杉<b>起火</b></div></title></entry></feed>'
    )
    html = f'<feed {ATOM}><entry><id>1</id><link href="http://a/"/><title type="html">云杉&lt;b&gt;起火&lt;/b&gt;</title></entry></feed>'
    assert (one(xhtml).title, one(html).title) == ("云杉起火", "云杉起火")


@pytest.mark.parametrize(
    ("document", "link"),
    [
        (rss("<title>t</title><link>/a/1</link>"), "http://news.example.com/a/1"),
        (rss("<title>t</title><link>//cdn.example.com/1</link>"), "http://cdn.example.com/1"),
        ("<rss version='2.0'><channel><item><title>t</title><link>1.html</link></item></channel></rss>",
         "https://news.example.com/feeds/1.html"),
        (("<rss version='2.0' xml:base='http://b.example/x/'><channel><link>http://c.example/</link><item><title>t</title>"
          "<link>1</link></item></channel></rss>"), "http://b.example/x/1"),
        (f"<feed {ATOM} xml:base='http://b.example/'><entry xml:base='y/'><id>1</id><title>t</title><link href='1'/></entry></feed>",
         "http://b.example/y/1"),
        ((f"<feed {ATOM}><entry><id>urn:1</id><title>t</title><link rel='self' href='http://a/self'/><link rel='alternate' "
          "href='http://a/alt'/></entry></feed>"), "http://a/alt"),
        (rss("<title>t</title><guid>http://a.example/9</guid>"), "http://a.example/9"),
        ('{"version":"https://jsonfeed.org/version/1.1","home_page_url":"https://j.example/","items":[{"id":1,"url":"/p"}]}',
         "https://j.example/p"),
    ],
)  # fmt: skip
def test_links_are_absolute(document, link):
    """Relative links stand on xml:base, else on the feed's own link, else on its address."""
    assert one(document).link == link


def test_authors_lose_their_mail_address():
    """The author is a name; addresses that RSS puts there are left out."""
    document = rss(
        "<title>a</title><link>http://a/1</link><author>desk@news.example.com (李雷)</author>",
        "<title>b</title><link>http://a/2</link><author>韩梅梅 &lt;h@news.example.com&gt;</author>",
        "<title>c</title><link>http://a/3</link><author>lone@news.example.com</author>",
    )
    assert [entry.author for entry in read(document).items] == ["李雷", "韩梅梅", ""]


def test_ids_without_guid_do_not_depend_on_order_or_neighbours_campaigns():
    """A feed without ids gives the same ids whatever the order, and whatever campaign its links name."""
    entries = [f"<title>t{n}</title><link>http://a.example/{n}?id={n}&amp;utm_source=x{n}</link>" for n in range(50)]
    chance = random.Random(1)
    seen = set()
    for _ in range(100):
        chance.shuffle(entries)
        changed = [entry.replace("utm_source=x", f"utm_source={chance.random()}x") for entry in entries]
        items, shared = identified(read(rss(*changed)), shared=False)
        assert not shared
        seen |= {entry.id for entry in items}
    assert seen == {f"http://a.example/{n}?id={n}" for n in range(50)}


def test_items_that_share_a_link_are_told_apart_for_good():
    """Where all items point at the home page they get ids of their own, which hold when only one is left."""
    entries = [f"<title>t{n}</title><link>http://a.example/</link>" for n in range(3)]
    items, shared = identified(read(rss(*entries)), shared=False)
    assert shared
    assert len({entry.id for entry in items}) == 3
    (last,), _ = identified(read(rss(entries[2])), shared=shared)
    assert last.id == items[2].id


def test_an_item_without_anything_to_name_it_is_named_by_what_it_says():
    """No guid and no link: the id is a digest of title and text, the same at every poll."""
    document = rss("<title>只有标题</title>", "<description>只有正文</description>")
    first, _ = identified(read(document), shared=False)
    second, _ = identified(read(document), shared=False)
    assert [entry.id for entry in first] == [entry.id for entry in second]
    assert len({entry.id for entry in first}) == 2
    assert all(entry.id.startswith("h:") for entry in first)


def test_both_parsers_give_the_same_ids_and_items():
    """An item that the fast parser reads today and the lenient one tomorrow is the same item."""
    entries = [item(n) for n in range(5)]
    fast = read(rss(*entries))
    lenient = read(rss(*entries, item(9, date="2026-01-05 10:00:00")))
    assert (fast.parser, lenient.parser) == ("fast", "lenient")
    assert lenient.items[:5] == fast.items


def test_tracking_parameters_go_and_others_stay():
    """Only parameters that name a campaign are removed; a link without any stays as it is, byte by byte."""
    assert untracked("http://a/?id=1&utm_source=x&fbclid=y&b=%E4%BA%91") == "http://a/?id=1&b=%E4%BA%91"
    assert untracked("http://a/?B=1&a=+%20~#f") == "http://a/?B=1&a=+%20~#f"


BOMBS = {
    "laughs": '<!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><rss><channel><item><title>&b;</title></item></channel></rss>',
    "external": '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><item><title>&x;</title></item></channel></rss>',
    "remote": '<!DOCTYPE rss [<!ENTITY x PUBLIC "p" "http://127.0.0.1:1/">]><rss><channel/></rss>',
    "parameter": '<!DOCTYPE rss [<!ENTITY % p SYSTEM "http://127.0.0.1:1/"> %p;]><rss><channel/></rss>',
    "quadratic": f'<!DOCTYPE rss [<!ENTITY a "{"x" * 200}">]><rss><channel><item><title>{"&a;" * 100_000}</title></item></channel></rss>',
    "long": f'<!DOCTYPE rss [<!ENTITY a "{"x" * 5000}">]><rss><channel/></rss>',
    "open": "<!DOCTYPE rss [<rss><channel></channel></rss>",
    "deep": "<rss><channel>" + "<a>" * 100_000,
    "deep closed": "<rss><channel>" + "<a>" * 100_000 + "</a>" * 100_000 + "</channel></rss>",
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_xml_that_is_built_to_hurt_is_refused_at_once(name):
    """Bombs, external entities and absurd depth never reach a parser."""
    began = time.perf_counter()
    with pytest.raises(UnsafeXmlError):
        read(BOMBS[name])
    assert time.perf_counter() - began < 8


HOSTILE = {
    "comments": "<!---->" * 40 + "<x/><item ", "instructions": "<?a?>" * 100_000 + "<item>",
    "unclosed cdata": "<rss><channel>" + "<![CDATA[" * 300_000, "date of spaces": rss(item(1, date="2026 1 " + " " * 10**6 + "x")),
    "author of spaces": rss(item(1) + f"<author>{' ' * 10**6}@</author>"), "titles": "<title " * 10**6 + "<rss>",
    "long name": "<rss><" + "a" * 10**6 + ":x", "attributes": "<rss " + "a='b' " * 10**6 + ">", "query": rss(f"<link>http://a/?{'a&amp;' * 10**5}</link>"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_documents_that_are_built_to_be_slow_are_not(name):
    """A megabyte that would make a careless pattern take hours takes seconds at most."""
    began = time.perf_counter()
    try:
        read(HOSTILE[name])
    except (NotAFeedError, UnsafeXmlError):
        pass
    assert time.perf_counter() - began < 8


def test_unescaped_html_with_many_line_breaks_is_a_feed():
    """Bare HTML in a description, never closed, is sloppy and not an attack."""
    document = rss(f"<title>t</title><link>http://a/1</link><description>{'行<br>' * 2000}</description>")
    assert one(document).text.count("行") == 2000


def test_harmless_entities_and_html_names_are_read():
    """A feed's own simple entity and HTML's names become their characters; unknown ones stay as they were written."""
    document = (
        '<!DOCTYPE rss [<!ENTITY brand "云杉">]><rss version="2.0"><channel><item><title>&brand;&nbsp;&eacute; &nix; A&B</title>'
        "<link>http://a/1</link></item></channel></rss>"
    )
    assert one(document).title == "云杉 é &nix; A&B"
    assert "&lt;" in prepared("<rss><title>&lt;</title></rss>")


@pytest.mark.parametrize(
    "body", [b"", b"   ", b"<html><body>Not found</body></html>", b"hello", b"\x00" * 1000, b"{}", b"[1,2]", b'{"items":5}',
             b"{" * 100_000, b"[" * 100_000, b"<!DOCTYPE html><html><head><title>x</title></head></html>", b"%PDF-1.4"]
)  # fmt: skip
def test_what_is_no_feed_is_told(body):
    """Pages, nonsense and other JSON are refused as no feed."""
    with pytest.raises(NotAFeedError):
        read(body)


@pytest.mark.parametrize(
    "document",
    [
        "<rss version='2.0'/>",
        "<rss><channel></channel></rss>",
        f"<feed {ATOM}/>",
        '{"version":"https://jsonfeed.org/version/1.1","items":[]}',
    ],
)
def test_a_feed_without_items_is_a_feed(document):
    """An empty feed is no failure."""
    assert read(document).items == ()


def test_garbage_between_is_survived():
    """Unclosed tags, stray ampersands and control characters lose nothing else."""
    document = (
        "<rss version=2.0><channel><title>x</title><item><title>A & B \x08&#8; <br> C</title><link>http://a/1</link></item>"
        "<item><title>D</title><link>http://a/2</link></channel></rss>"
    )
    assert [(entry.title, entry.link) for entry in read(document).items] == [
        ("A & B C", "http://a/1"),
        ("D", "http://a/2"),
    ]


def test_json_items_that_are_none_are_told_and_the_rest_is_read():
    """One bad item of a JSON Feed does not cost the others."""
    document = read(
        '{"version":"https://jsonfeed.org/version/1.1","items":[7,{"id":"a","title":5,"content_text":"<b>x</b>"},null]}'
    )
    assert [(entry.id, entry.title, entry.text) for entry in document.items] == [("a", "", "<b>x</b>")]
    assert document.problems == ("item 1: is not an object", "item 3: is not an object")
