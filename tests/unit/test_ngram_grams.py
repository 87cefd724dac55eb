"""Texts as folded code points, a batch at a time: nothing moves, nothing crosses from one text to the next."""

import numpy as np
import pytest
from numpy.typing import NDArray

from sentiment.grams import BRAND, OTHER, Batch, Folding, hashes
from sentiment.ngram import Ngram, Scorer, shipped, whole
from sentiment.train.folding import folding_table

LINK, HANDLE = "\ue002", "\ue003"
BITS = 12
TEXTS = [
    "质量太差，客服态度恶劣！！！", "", "好", "\0", "\ud800差劲\udfff", "https://a.cn/b 很好", "@张三", "差" * 300, "hello",
    "１２３ 很喜欢", "\n\n", "转发 //@李四:失望", "www.a.cn", "可惜", "但是", "很喜歡，非常滿意",
]  # fmt: skip


@pytest.fixture(scope="module")
def folding() -> Folding:
    return Folding(folding_table())


def folded(folding: Folding, text: str) -> str:
    """*text* as it is counted, without the separators before it."""
    return "".join(map(chr, codes_of(folding.batch([text]), 0)))


def codes_of(batch: Batch, index: int) -> list[int]:
    """The codes of one text of the batch, behind its two separators."""
    ends = [*batch.starts[1:].tolist(), len(batch.codes)]
    part: list[int] = batch.codes[int(batch.starts[index]) : ends[index]].tolist()
    assert part[:2] == [0, 0]
    return part[2:]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ＡＢＣ", "abc"), ("iPhone", "iphone"), ("！，？", "!,?"), ("㈱", "("),
        ("質量", "质量"), ("很喜歡", "很喜欢"), ("云杉", "云杉"),
        ("2026年", "0年"), ("１２3", "0"), ("٣", "0"), ("1.5", "0.0"), ("a  \t\n b", "a b"), ("a\u3000b", "a b"), ("a\u200bb", "a b"),
        ("哈哈", "哈哈"), ("哈哈哈", "哈哈"), ("哈" * 50, "哈哈"), ("!！!！", "!!"), ("哈哈嘿嘿哈哈", "哈哈嘿嘿哈哈"),
        (BRAND * 4 + "好" + OTHER * 2, BRAND + "好" + OTHER), (BRAND + OTHER, BRAND + OTHER),
        ("", ""), ("\0", " "), ("a\0\0b", "a b"), ("\ud800", "\ufffd"), ("\udfff\ud800a", "\ufffd\ufffda"), ("😀", "😀"),
    ],
)  # fmt: skip
def test_what_counts_as_one_is_folded_together(folding: Folding, text: str, expected: str) -> None:
    """Full width, case, traditional forms, digits, blanks and runs fall together; nothing else does."""
    assert folded(folding, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("看https://t.cn/A6x?b=1&c=%20这里", f"看{LINK}这里"), ("http://a.cn", LINK), ("www.a-b.cn/x.", LINK),
        ("https://a.cn很好", f"{LINK}很好"), ("://", "://"), ("www", "ww"), ("www.", "ww."), ("https://", "https://"),
        ("@张三 你好", f"{HANDLE} 你好"), ("@a_b-c:好", f"{HANDLE}:好"), ("a@", "a@"), ("@ 好", "@ 好"), ("@@张三", f"@{HANDLE}"),
        ("@" + "a" * 30 + "b", HANDLE + "b"), (f"@{BRAND}", f"@{BRAND}"), (f"https://{BRAND}.cn", f"https://{BRAND}.cn"),
    ],
)  # fmt: skip
def test_a_link_and_a_handle_count_as_one_character(folding: Folding, text: str, expected: str) -> None:
    """What a link or a handle says is not read; what only looks like one stays, and a brand's mark is never eaten."""
    assert folded(folding, text) == expected


def test_every_code_is_traceable_to_its_character(folding: Folding) -> None:
    """``origin`` and ``offsets`` lead each code back to a character of its own text that folds to it."""
    batch = folding.batch(TEXTS)
    ends = [*batch.starts[1:].tolist(), len(batch.codes)]
    for index, text in enumerate(TEXTS):
        part = slice(int(batch.starts[index]) + 2, ends[index])
        places = (batch.origin[part] - batch.offsets[index]).tolist()
        assert places == sorted(set(places))
        assert all(0 <= place < len(text) for place in places)
        assert (places[:1] == [0]) is bool(text)
        for place, code in zip(places, batch.codes[part].tolist(), strict=True):
            if chr(code) not in (LINK, HANDLE):
                assert folded(folding, text[place]) == chr(code)


def test_a_text_folds_alike_in_any_company(folding: Folding) -> None:
    """Codes of a text are the same alone, first, last and between others, and so are its n-grams' buckets."""
    together = folding.batch(TEXTS)
    ends = np.append(together.starts[1:], len(together.codes))
    buckets = hashes(together.codes, BITS)
    for index, text in enumerate(TEXTS):
        alone = folding.batch([text])
        assert codes_of(together, index) == codes_of(alone, 0)
        for many, one in zip(buckets, hashes(alone.codes, BITS), strict=True):
            assert many[together.starts[index] : ends[index]].tolist() == one.tolist()


def test_the_link_of_one_text_does_not_reach_into_the_next(folding: Folding) -> None:
    """A handle, link, digit, blank or run at the end of a text and the like at the next one's beginning stay two."""
    for end, begin in (
        ("@", "张三"), ("http:", "//a.cn"), ("https://a", "b.cn"), ("1", "2"), (" ", " "), ("哈哈", "哈哈"), (BRAND, BRAND), ("\0", "\0"),
    ):  # fmt: skip
        batch = folding.batch([end, begin])
        assert codes_of(batch, 0) == codes_of(folding.batch([end]), 0)
        assert codes_of(batch, 1) == codes_of(folding.batch([begin]), 0)


def test_every_bucket_is_in_range_and_no_order_is_another(folding: Folding) -> None:
    """Buckets lie below 2**bits; the three orders of the same place differ; the same n-gram has the same bucket."""
    one, two, three = hashes(folding.batch(["质量太差，质量太差"]).codes, BITS)
    for buckets in (one, two, three):
        assert int(buckets.max()) < 1 << BITS
        assert buckets[2:4].tolist() == buckets[7:9].tolist()  # 质 and 量, with two behind them
    assert three[4] != three[9]  # 太差 before a comma, and at the end
    assert len({int(one[2]), int(two[2]), int(three[2])}) == 3


def test_a_trigram_is_told_from_its_characters_in_another_order(folding: Folding) -> None:
    """The order of characters counts in bigrams and trigrams, not in unigrams."""
    forth, back = (hashes(folding.batch([text]).codes[2:], BITS) for text in ("甲乙丙", "丙乙甲"))
    assert sorted(forth[0].tolist()) == sorted(back[0].tolist())
    assert not set(forth[1][:2].tolist()) & set(back[1][:2].tolist())
    assert forth[2][0] != back[2][0]


def test_a_score_is_the_sum_of_the_weights_of_its_own_grams(folding: Folding) -> None:
    """Each text's sums are those of a slow count of its n-grams one by one, in a batch of any size."""
    weights = shipped("standard")
    scorer = Scorer(weights.text, weights.bits)
    batch = folding.batch(TEXTS)
    together = scorer.scores(batch, None)
    for index, text in enumerate(TEXTS):
        codes = [0, 0, *codes_of(folding.batch([text]), 0), 0, 0]
        sums = np.zeros(2)
        for place in range(len(codes) - 2):
            for order in (1, 2, 3):
                gram = np.array(codes[place : place + order], dtype=np.uint32)
                bucket = int(hashes(gram, weights.bits)[order - 1][0])
                sums += weights.text.shared[:, bucket].astype(float) + weights.text.zones[0, :, bucket]
        sums *= np.array(weights.text.scale) / np.sqrt(3 * (len(codes) - 2))
        sums += np.array(weights.text.bias)
        assert [together.polarity[index], together.neutrality[index]] == pytest.approx(sums.tolist(), abs=1e-9)


def test_neighbours_and_the_size_of_a_batch_do_not_matter() -> None:
    """A text is judged alike alone, among others, in other order, and where many texts make several passes."""
    analyzer = Ngram(shipped("standard"))
    alone = np.concatenate([analyzer.probabilities([text]) for text in TEXTS])
    assert same(analyzer.probabilities(TEXTS), alone)
    assert same(analyzer.probabilities(TEXTS[::-1])[::-1], alone)
    many = [*TEXTS, "长篇" * 40_000, *TEXTS]
    found = analyzer.probabilities(many)
    assert same(found[: len(TEXTS)], alone)
    assert same(found[len(TEXTS) + 1 :], alone)
    judged = [analyzer.score([whole(text)])[0] for text in TEXTS]
    assert list(analyzer.score([whole(text) for text in TEXTS])) == judged
    assert analyzer.probabilities([]).shape == (0, 3)


def same(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    return bool(np.allclose(one, other, rtol=0, atol=1e-12))


def test_full_width_and_traditional_forms_are_judged_like_the_plain_ones() -> None:
    """Forms that fold together are judged alike, to the last digit."""
    analyzer = Ngram(shipped("standard"))
    plain, traditional, wide = analyzer.probabilities(["质量太差!APP很卡", "質量太差!APP很卡", "质量太差！ＡＰＰ很卡"])
    assert same(plain, traditional)
    assert same(plain, wide)


def test_the_table_folds_nothing_onto_a_separator_or_a_mark(folding: Folding) -> None:
    """No code point becomes NUL or one of our marks, and folding twice changes nothing."""
    table = folding.table
    kept = {0, *map(ord, (BRAND, OTHER, LINK, HANDLE))}
    for code in kept:
        assert np.flatnonzero(table == code).tolist() == [code]
    assert int(table.max()) < len(table)
    ordinary = table[0x20:0x7F]
    assert table[ordinary].tolist() == ordinary.tolist()
