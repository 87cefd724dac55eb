"""Words that a topic has used: when one was first used, when it is forgotten, and that memory has a bound."""

from rules.vocabulary import MAX_WORDS, REMEMBERED, Vocabulary

NOW = 100 * 1440


def test_a_word_that_goes_on_keeps_its_first_use() -> None:
    """Used again within 30 days it is as old as it was; after a longer pause it is new."""
    words = Vocabulary()
    words.use(["起火"], NOW)
    words.use(["起火"], NOW + REMEMBERED)
    assert words.first("起火", 0) == NOW
    words.use(["起火"], NOW + 2 * REMEMBERED + 1)
    assert words.first("起火", 0) == NOW + 2 * REMEMBERED + 1
    assert REMEMBERED == 30 * 1440


def test_history_makes_a_word_older() -> None:
    """What comes late, of before its first use, may be the first use; of too long before, it was forgotten since."""
    words = Vocabulary()
    words.use(["召回"], NOW)
    words.use(["召回"], NOW - REMEMBERED)
    assert words.first("召回", 0) == NOW - REMEMBERED
    other = Vocabulary()
    other.use(["召回"], NOW)
    other.use(["召回"], NOW - REMEMBERED - 1)
    assert other.first("召回", 0) == NOW


def test_an_unknown_word_is_what_is_asked_for() -> None:
    """A word that was never used has no first use."""
    assert Vocabulary().first("起火", 7) == 7


def test_the_words_unused_for_longest_go() -> None:
    """Past its bound a vocabulary lets a tenth go, the oldest; what was used last stays."""
    words = Vocabulary()
    for number in range(MAX_WORDS + 1):
        words.use([f"词{number}"], number)
    assert len(words.words) == MAX_WORDS + 1 - MAX_WORDS // 10
    assert words.first("词0", -1) == -1
    assert words.first(f"词{MAX_WORDS}", -1) == MAX_WORDS


def test_it_remembers_until_its_last_word_is_forgotten() -> None:
    """What keeps a quiet topic's key alive."""
    words = Vocabulary()
    assert not words.remembers(NOW)
    words.use(["起火"], NOW)
    assert words.remembers(NOW + REMEMBERED)
    assert not words.remembers(NOW + REMEMBERED + 1)
