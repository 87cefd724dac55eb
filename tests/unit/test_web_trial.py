"""Texts and queries tried over real HTTP: what programs read, and the page for people."""

import asyncio
import json
import threading
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import lxml.html
import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import MultiDict
from prometheus_client import CollectorRegistry

from listener.web.app import create_app
from listener.web.asked import LINE_AT_MOST, QUERY_AT_MOST, TEXT_AT_MOST, TITLE_AT_MOST, RefusedError, read
from listener.web.assets import Assets
from listener.web.config import WebSettings
from listener.web.trial_view import fault, pieces
from rules.explain import explain
from rules.mention import Author, Mention, Reach
from rules.query import QueryError, parse
from rules.topic import MatchedWord, Matcher, TargetConfig, TopicConfig
from tests.status_reader import NO_TOPICS, ScriptedReader
from tests.unit.test_web_pages import NOW

ASSETS = Assets.read()
TARGETS = {
    "acme": TargetConfig(names=["云杉科技"], aliases=["云杉"], unless_near=["云杉树"]),
    "fruit": TargetConfig(names=["青禾"], near=["手机"]),
}
SETS = {"fire": ("起火", "冒烟", "爆炸")}
TOPICS = [
    TopicConfig(id="acme", target="acme", query="@acme NOT (招聘 OR 二手)", title="云杉科技"),
    TopicConfig(id="acme-fire", target="acme", query="@acme AND @fire"),
    TopicConfig(id="loud", query="channel:weibo followers>1000 云杉"),
    TopicConfig(id="fruit", target="fruit", query="@fruit"),
]
MATCHER = Matcher(TARGETS, TOPICS, SETS)
HOSTILE = "<script>window.owned=1</script>\"'><img src=x onerror=window.owned=1> {{ 7*7 }} \u202e"


@pytest.fixture
async def serve():
    """``client = await serve(matcher)``; the list that it was put in exchanges it, as a reload does."""
    clients = []

    async def start(matchers=(MATCHER,), language="zh"):
        app = create_app(
            reader=ScriptedReader(),
            registry=CollectorRegistry(),
            problems=list,
            matcher=lambda: matchers[-1],
            refused=lambda: None,
            settings=WebSettings("https://listener.example.com", language, ZoneInfo("Asia/Shanghai")),
            now=lambda: NOW,
            assets=ASSETS,
        )
        server = TestServer(app)
        await server.start_server(max_line_size=LINE_AT_MOST)
        client = TestClient(server)
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.close()


async def get(client, path, status=200, **parameters):
    # Encoded here, so that what is sent is what is tested.
    response = await client.get(f"{path}?{urlencode(parameters, doseq=True)}")
    assert response.status == status, await response.text()
    return response


async def answer(client, path, status=200, **parameters):
    response = await get(client, path, status, **parameters)
    assert response.content_type == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    return await response.json()


async def test_explain_is_what_the_matcher_says(serve):
    """Each topic with its words, offsets in code points of the text as given, the tree and the nearest clause."""
    text = "🔥昨晚Ａ云 杉起火\r\n二手"
    told = await answer(await serve(), "/api/explain", text=text)
    mention = Mention(source="", channel="", external_id="", text=text)
    wanted = [explain(MATCHER, mention, topic.id).as_json() for topic in TOPICS]
    assert told == {"query": None, "topics": json.loads(json.dumps(wanted))}
    by_id = {topic["topic"]: topic for topic in told["topics"]}
    assert [topic for topic in by_id if by_id[topic]["matched"]] == ["acme-fire"]
    for word in by_id["acme-fire"]["words"]:
        assert text[word["start"] : word["end"]] == word["text"]
    assert [(word["text"], word["name"], word["variant"]) for word in by_id["acme-fire"]["words"]] == [
        ("云 杉", "云杉", "noise"),
        ("起火", "", ""),
    ]
    assert by_id["acme"]["nearest"] == ["NOT (招聘 OR 二手)"]
    assert [child["holds"] for child in by_id["acme"]["tree"]["children"]] == [True, False]


async def test_explain_takes_what_a_query_can_ask_for(serve):
    """Channel, followers and the other facts of a mention count; a topic that is named is answered alone."""
    client = await serve()
    facts = {"text": "云杉", "topic": "loud", "channel": "weibo"}
    told = await answer(client, "/api/explain", **facts, followers=1001)
    assert [topic["topic"] for topic in told["topics"]] == ["loud"]
    assert told["topics"][0]["matched"] is True
    told = await answer(client, "/api/explain", **facts, followers=1000)
    assert told["topics"][0]["nearest"] == ["followers>1000"]
    told = await answer(client, "/api/explain", text="a", topic=["fruit", "acme"])
    assert [topic["topic"] for topic in told["topics"]] == ["fruit", "acme"]


def test_every_fact_of_a_query_can_be_given():
    """Each field that a query can ask for has its parameter, and it reaches the mention."""
    given = {
        "text": "t", "title": "T", "channel": "c", "source": "s", "site": "x.example.com", "url": "https://x.example.com/1",
        "author": "n", "lang": "zh", "repost": "true", "followers": "1", "views": "2", "likes": "3", "comments": "4", "reposts": "5",
    }  # fmt: skip
    assert read(MultiDict(given)).mention == Mention(
        source="s", channel="c", external_id="", text="t", title="T", url="https://x.example.com/1",
        author=Author("n", "n", 1), reach=Reach(2, 3, 4, 5), repost_of="another", site="x.example.com", lang="zh",
    )  # fmt: skip


async def test_explain_tries_a_query_beside_the_topics(serve):
    """A query that is no topic is explained too, by the targets and sets of the configuration."""
    told = await answer(await serve(), "/api/explain", text="云杉冒烟", query="@acme NEAR/3 @fire", topic="acme")
    assert told["query"]["matched"] is True
    assert told["query"]["query"] == "@acme NEAR/3 @fire"
    assert "topic" not in told["query"]
    assert [word["text"] for word in told["query"]["words"]] == ["云杉", "冒烟"]


async def test_explain_says_which_rule_refused_a_name(serve):
    """A name that does not count comes with the rule and the word that decided."""
    told = await answer(await serve(), "/api/explain", text="院里的云杉树", topic="acme")
    (refused,) = told["topics"][0]["tree"]["children"][0]["refused"]
    assert (refused["rule"], refused["because"]["text"]) == ("unless_near", "云杉树")


async def test_query_tells_what_it_is_made_of(serve):
    """A good query comes back as it reads, with each part's place and what its @names stand for."""
    told = await answer(await serve(), "/api/query", query="@acme (@fire 或 title:鼓包) 非 招聘")
    assert told["query"] == "@acme AND (@fire OR title:鼓包) AND NOT 招聘"
    assert told["names"] == [
        {"name": "acme", "is": "target", "words": ["云杉科技", "云杉"]},
        {"name": "fire", "is": "set", "words": ["起火", "冒烟", "爆炸"]},
    ]
    assert [(part["kind"], part["line"], part["column"]) for part in told["tree"]["children"]] == [
        ("alias", 1, 1),
        ("or", 0, 0),
        ("not", 1, 26),
    ]


@pytest.mark.parametrize("path", ["/api/query", "/api/explain"])
@pytest.mark.parametrize(
    ("query", "line", "column", "message", "expected"),
    [
        ("@acme AND\n OR b", 2, 2, "OR cannot stand after AND: a word is missing before it", "a word"),
        ("@nobody", 1, 1, "there is no target or set 'nobody'; there is @acme, @fruit, @fire", "@acme"),
        ("云杉 NEAR b", 1, 4, "NEAR needs its distance", "NEAR/n"),
        ("NOT a", 1, 1, "NOT alone would match every text", "a word"),
        ("(" * 60 + "a", 1, 51, "brackets are nested more than 50 deep", None),
    ],
)
async def test_query_mistakes_are_located(serve, path, query, line, column, message, expected):
    """A query that cannot be read is 400 with line, column, message and what was expected."""
    text = {"text": "云杉"} if path == "/api/explain" else {}
    (problem,) = (await answer(await serve(), path, 400, query=query, **text))["problems"]
    assert problem["parameter"] == "query"
    assert (problem["line"], problem["column"]) == (line, column)
    assert message in problem["message"]
    assert expected in problem["expected"] if expected else problem["expected"] == []


@pytest.mark.parametrize(
    ("path", "parameters", "told"),
    [
        ("/api/explain", {}, [("text", "is missing")]),
        ("/api/explain", {"text": "  ", "title": ""}, [("text", "is missing")]),
        ("/api/explain", {"text": "x" * (TEXT_AT_MOST + 1)}, [("text", "at most 5000 characters")]),
        ("/api/explain", {"text": "a", "title": "x" * (TITLE_AT_MOST + 1)}, [("title", "at most 500 characters")]),
        ("/api/explain", {"text": "a", "query": "x" * (QUERY_AT_MOST + 1)}, [("query", "at most 5000 characters")]),
        ("/api/explain", {"text": "a", "topic": [f"t{n}" for n in range(101)]}, [("topic", "at most 100 items")]),
        ("/api/explain", {"text": "a", "followers": "many"}, [("followers", "valid integer")]),
        ("/api/explain", {"text": "a", "views": "-1"}, [("views", "greater than or equal to 0")]),
        ("/api/explain", {"text": "a", "repost": "perhaps"}, [("repost", "valid boolean")]),
        ("/api/explain", {"text": ["a", "b"]}, [("text", "more than once")]),
        ("/api/explain", {"text": "a", "q": "b"}, [("q", "there is no such parameter; there are text, title,")]),
        ("/api/query", {"query": "a", "text": "b"}, [("text", "there is no such parameter; there are query")]),
        ("/api/query", {}, [("query", "the query is empty")]),
        ("/api/explain", {"txt": "a", "likes": "x", "lang": ["a", "b"]}, [("txt", "no such"), ("lang", "more than once"), ("likes", "integer")]),
    ],
)  # fmt: skip
async def test_bad_parameters_are_all_named(serve, path, parameters, told):
    """Each parameter that is unknown, repeated, too long or of another kind is named with what is wrong: 400."""
    problems = (await answer(await serve(), path, 400, **parameters))["problems"]
    assert [problem["parameter"] for problem in problems] == [name for name, _ in told]
    for problem, (_, message) in zip(problems, told, strict=True):
        assert message in problem["message"]


async def test_unknown_topic_is_not_found(serve):
    """A topic that the configuration does not have is 404, by name."""
    told = await answer(await serve(), "/api/explain", 404, text="a", topic=["acme", "nobody", "else"])
    assert [problem["message"] for problem in told["problems"]] == [
        "there is no topic nobody",
        "there is no topic else",
    ]


async def test_the_longest_that_is_allowed_is_answered(serve):
    """Text, title and query at their limits, in the characters that take most room in an address, fit one request."""
    client = await serve()
    text, title = "🔥" * TEXT_AT_MOST, "🔥" * TITLE_AT_MOST
    told = await answer(client, "/api/explain", text=text, title=title, query=f'"{"🔥" * (QUERY_AT_MOST - 2)}"')
    assert told["query"]["matched"] is True
    told = await answer(client, "/api/explain", text="云杉" * (TEXT_AT_MOST // 2), topic="acme")
    assert len(told["topics"][0]["words"]) == 100
    await get(client, "/try", text=text, title=title)


async def test_bytes_that_are_no_text_are_answered(serve):
    """Addresses with broken UTF-8, surrogates, NUL and direction marks get an answer, never 500."""
    client = await serve()
    for raw in ("%ff", "%ED%A0%80", "%00", "%E2%80%AE", "+", "%", "%zz"):
        for path in (
            "/api/explain?text=",
            "/api/query?query=",
            "/try?query=",
            "/try?text=",
            "/api/explain?text=a&topic=",
        ):
            response = await client.get(path + raw)
            assert response.status in {200, 400, 404}, (path, raw)


async def test_a_reload_is_seen(serve):
    """What is asked after a reload is answered by the new configuration."""
    matchers = [MATCHER]
    client = await serve(matchers)
    matchers.append(Matcher(TARGETS, [TopicConfig(id="new", query="@acme")]))
    told = await answer(client, "/api/explain", text="云杉")
    assert [topic["topic"] for topic in told["topics"]] == ["new"]
    await answer(client, "/api/query", 400, query="@fire")


class Held(dict):
    """Topics that are told only once the test lets them go."""

    def __init__(self, topics):
        super().__init__(topics)
        self.asked, self.go = threading.Event(), threading.Event()

    def __getitem__(self, key):
        self.asked.set()
        assert self.go.wait(30)
        return super().__getitem__(key)


async def test_the_loop_goes_on_meanwhile(serve):
    """While a text is explained, other requests are answered."""
    matcher = Matcher(TARGETS, TOPICS, SETS)
    held = matcher.topics = Held(matcher.topics)
    client = await serve([matcher])
    slow = asyncio.create_task(answer(client, "/api/explain", text="云杉"))
    while not held.asked.is_set():
        await asyncio.sleep(0.01)
    assert (await client.get("/healthz")).status == 200
    assert not slow.done()
    held.go.set()
    assert len((await slow)["topics"]) == len(TOPICS)


# The page


def tree(html):
    return lxml.html.fromstring(html)


async def page(client, status=200, **parameters):
    response = await get(client, "/try", status, **parameters)
    assert response.content_type == "text/html"
    return tree(await response.text())


def said(node):
    return " ".join(node.text_content().split())


async def test_page_marks_the_words_and_says_what_is_missing(serve):
    """Topics that match come first with the words marked and their spelling; each other says what it lacks."""
    html = await page(await serve(), text="昨晚云 杉冒烟，\n二手平台都在传")
    yes, *no = html.xpath("//article")
    assert "匹配 acme-fire" in said(yes)
    assert [mark.text for mark in yes.xpath(".//div[contains(@class, 'marked')]//mark")] == ["云 杉", "冒烟"]
    assert "云杉，夹杂符号" in said(yes)
    assert yes.xpath("string(.//div[contains(@class, 'marked')]/p)") == "昨晚云 杉冒烟，\n二手平台都在传"
    assert [article.xpath("string(.//h3)") for article in no] == ["云杉科技", "loud", "fruit"]
    assert "不得出现： 招聘 OR 二手 ，却有 二手" in said(no[0])
    assert "缺少： channel:weibo 缺少： followers>1000" in said(no[1])
    assert "匹配的话题（1）" in said(html)
    assert "不匹配的话题（3）" in said(html)


async def test_page_in_english(serve):
    """The same in English, with the form kept and the link to the other language keeping what was asked."""
    html = await page(await serve(), text="云杉 起火", query="@acme AND @fire", lang="en")
    for part in ("Your query Matches", "Topics that match (2)", "Missing: channel:weibo", "All times in"):
        assert part in said(html)
    assert html.xpath("string(//textarea[@name='text'])") == "\n云杉 起火"
    (other,) = html.xpath("//nav[@class='languages']/a/@href")
    again = await page(await serve(), text="云杉 起火", lang="zh")
    assert "匹配的话题（2）" in said(again)
    assert other == f"?text={quote('云杉')}+{quote('起火')}&query=%40acme+AND+%40fire&lang=zh"


async def test_page_tells_why_a_name_does_not_count(serve):
    """Names that rules refuse are shown with the rule: a forbidden neighbour, a missing one."""
    html = await page(await serve(), text="院里的云杉树，青禾发芽")
    assert "云杉 不算：附近有 云杉树（unless_near）" in said(html)
    assert "青禾 不算：没有出现 near 所列的词" in said(html)


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_page_points_at_the_mistake_and_still_tells_the_topics(serve, language):
    """A query's mistake comes with line, column, the character marked and what could stand there; topics are told."""
    html = await page(await serve(), 400, text="云杉起火", query="@acme AND\r\n起火 NEAR b", lang=language)
    (section,) = html.xpath("//section[@id='fault']")
    wanted = {
        "zh": ("查询有误：第 2 行，第 4 列", "NEAR 缺少距离：请写 NEAR/5（不分先后）", "此处可以是： NEAR/n、NEAR/nf"),
        "en": ("line 2, column 4", "NEAR needs its distance: write NEAR/5", "Expected here: NEAR/n, NEAR/nf"),
    }
    for part in wanted[language]:
        assert part in said(section)
    assert section.xpath("string(.//pre)") == "起火 NEAR b"
    assert section.xpath("string(.//mark)") == "N"
    assert html.xpath("//textarea[@name='query']/@aria-describedby") == ["fault"]
    assert len(html.xpath("//article")) == len(TOPICS)


async def test_page_reads_a_query_without_a_text(serve):
    """A query alone is read back with what its names stand for."""
    html = await page(await serve(), query="@acme @fire 非 招聘")
    assert "查询可以读懂" in said(html)
    assert "@fire 指： 起火、冒烟、爆炸" in said(html)
    assert not html.xpath("//article")


async def test_page_bare_and_refusals(serve):
    """The bare form asks nothing; too long, unknown topics and parameters are told in words with the right status."""
    client = await serve()
    html = await page(client)
    assert not html.xpath("//article | //*[@role='alert' and not(@hidden)]")
    assert {"@acme", "@fruit", "@fire"} == {code.text for code in html.xpath("//form//code")}
    assert "正文太长：最多 5,000 个字符" in said(await page(client, 400, text="x" * 5001))
    assert "没有话题 nobody" in said(await page(client, 404, text="a", topic="nobody"))
    assert "q：there is no such parameter" in said(await page(client, 400, text="a", q="b"))
    one = await page(client, text="云杉", topic="acme")
    assert len(one.xpath("//article")) == 1
    assert one.xpath("//form/input[@name='topic']/@value") == ["acme"]
    assert "还没有话题" in said(await page(await serve([NO_TOPICS]), text="a"))


async def test_page_of_very_many_topics_stays_light(serve):
    """Of many topics the first show their clauses, each other a link to a page that shows it alone; none is missing."""
    topics = [TopicConfig(id=f"t{n}", query="云杉" if n % 2 else "云杉 起火") for n in range(400)]
    client = await serve([Matcher({}, topics)])
    html = await page(client, text="云杉 & 青禾", channel="x", lang="en")
    assert {title.text_content() for title in html.xpath("//article//h3")} == {topic.id for topic in topics}
    assert len(html.xpath("//div[contains(@class, 'marked')]")) == 20
    assert len(html.xpath("//article//details")) == 20 + 50
    links = html.xpath("//article/p/a/@href")
    assert len(links) == 400 - 70
    alone = tree(await (await client.get(f"/try{links[-1]}")).text())
    assert [title.text_content() for title in alone.xpath("//article//h3")] == ["t398"]
    assert len(alone.xpath("//article//details")) == 1
    assert alone.xpath("string(//textarea[@name='text'])") == "\n云杉 & 青禾"
    (back,) = alone.xpath("//main/p[@class='aside']/a/@href")
    assert len(tree(await (await client.get(f"/try{back}")).text()).xpath("//article")) == 400


async def test_page_is_not_reloaded_by_the_browser(serve):
    """The page that a person types into never refreshes by itself, scripts or not."""
    assert not (await page(await serve())).xpath("//meta[@http-equiv='refresh']")


async def test_navigation(serve):
    """Every page leads to the status page and to this one, and says which of them it is."""
    client = await serve()
    for path, here in (("/", "./"), ("/try", "./try")):
        html = tree(await (await client.get(path)).text())
        links = html.xpath("//header/nav[1]/a")
        assert [link.get("href") for link in links] == ["./", "./try"]
        assert [link.get("href") for link in links if link.get("aria-current") == "page"] == [here]
    lost = tree(await (await client.get("/incidents/none")).text())
    assert lost.xpath("//header/nav[1]/a/@href") == ["../", "../try"]


async def test_hostile_text_stays_text(serve):
    """Markup in text, title, query, channel and topic, and in what is configured, is shown as text."""
    bad = Matcher(
        {"acme": TargetConfig(names=[HOSTILE[:20]], aliases=["云杉"])},
        [TopicConfig(id="t", query=f"云杉 AND NOT '{HOSTILE[:8]}'", title=HOSTILE)],
        {"x": (HOSTILE,)},
    )
    client = await serve([bad])
    for parameters in (
        {"text": HOSTILE + "云杉", "title": HOSTILE + "云杉", "channel": HOSTILE, "query": "@x @acme"},
        {"text": HOSTILE, "query": HOSTILE},
        {"query": "@x"},
        {"text": "a", "topic": HOSTILE},
        {"text": "a", HOSTILE: HOSTILE},
    ):
        response = await client.get(f"/try?{urlencode(parameters)}")
        html = tree(await response.text())
        assert all(script.get("src", "").endswith(".js") and not script.text for script in html.iter("script"))
        assert not html.xpath("//img | //style | //*[@style]")
        assert not [name for node in html.iter() for name in node.attrib if name.startswith("on")]
        assert HOSTILE[:20] in html.text_content() + "".join(html.xpath("//@value"))


text_and_words = st.text(max_size=40).flatmap(
    lambda text: st.tuples(
        st.just(text),
        st.lists(st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted), max_size=5),
    )
)


@given(text_and_words)
def test_pieces_are_the_text_again(drawn):
    """Whatever words are marked, overlapping or empty, the pieces joined are the text, and each mark lies in its word."""
    text, places = drawn
    marked = [MatchedWord("text", start, end, text[start:end]) for start, end in places]
    cut = pieces(text, [*marked, MatchedWord("title", 0, len(text), text)], "text")
    assert "".join(piece.text for piece in cut) == text
    at = 0
    for piece in cut:
        if piece.word:
            assert piece.word.start <= at < at + len(piece.text) <= piece.word.end
        at += len(piece.text)
    covered = {at for start, end in places for at in range(start, end)}
    assert sum(len(piece.text) for piece in cut if piece.word) == len(covered)


@settings(max_examples=200)
@given(st.text('a云@()"NEAROTND/ \n5*>:，', max_size=30))
def test_the_fault_shows_the_line_of_the_mistake(query):
    """For any query that cannot be read, what is shown is its line, cut at the column; both languages say why."""
    try:
        parse(query)
    except QueryError as error:
        shown = fault(query, error)
        assert shown.before + shown.here + shown.after == query.split("\n")[error.line - 1]
        assert len(shown.before) == min(error.column - 1, len(query.split("\n")[error.line - 1]))
        assert error.because.zh
        assert error.because.en == error.message


@given(
    st.dictionaries(
        st.sampled_from(["text", "title", "topic", "query", "followers", "repost", "x"]), st.text(max_size=9)
    )
)
def test_reading_parameters_raises_nothing_else(given_):
    """Any parameters are read or refused with each problem named."""
    try:
        read(MultiDict(given_))
    except RefusedError as error:
        assert error.problems
        assert all(problem.parameter in given_ for problem in error.problems)
