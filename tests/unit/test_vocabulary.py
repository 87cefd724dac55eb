"""Words that a topic has used: when one was first used, when it is forgotten, and that memory has a bound."""

from rules.vocabulary import MAX_VOICES, MAX_WORDS, REMEMBERED, Vocabulary

NOW = 100 * 1440


def test_a_word_that_goes_on_keeps_its_first_use() -> None:
    """Used again within 30 days it is as old as it was; after a longer pause it is new."""
    words = Vocabulary()
    words.use(["起火"], NOW, 1, 60)
    words.use(["起火"], NOW + REMEMBERED, 1, 60)
    assert words.first("起火", 0) == NOW
    words.use(["起火"], NOW + 2 * REMEMBERED + 1, 1, 60)
    assert words.first("起火", 0) == NOW + 2 * REMEMBERED + 1
    assert REMEMBERED == 30 * 1440


def test_history_makes_a_word_older() -> None:
    """What comes late, of before its first use, may be the first use; of too long before, it was forgotten since."""
    words = Vocabulary()
    words.use(["召回"], NOW, 1, 60)
    words.use(["召回"], NOW - REMEMBERED, 1, 60)
    assert words.first("召回", 0) == NOW - REMEMBERED
    other = Vocabulary()
    other.use(["召回"], NOW, 1, 60)
    other.use(["召回"], NOW - REMEMBERED - 1, 1, 60)
    assert other.first("召回", 0) == NOW


def test_an_unknown_word_is_what_is_asked_for() -> None:
    """A word that was never used has no first use."""
    assert Vocabulary().first("起火", 7) == 7


def test_the_words_unused_for_longest_go() -> None:
    """Past its bound a vocabulary lets a tenth go, the oldest; what was used last stays."""
    words = Vocabulary()
    for number in range(MAX_WORDS + 1):
        words.use([f"词{number}"], number, 1, 60)
    assert len(words.words) == MAX_WORDS + 1 - MAX_WORDS // 10
    assert words.first("词0", -1) == -1
    assert words.first(f"词{MAX_WORDS}", -1) == MAX_WORDS


def test_it_remembers_until_its_last_word_is_forgotten() -> None:
    """What keeps a quiet topic's key alive."""
    words = Vocabulary()
    assert not words.remembers(NOW)
    words.use(["起火"], NOW, 1, 60)
    assert words.remembers(NOW + REMEMBERED)
    assert not words.remembers(NOW + REMEMBERED + 1)


def test_who_uses_a_new_word_is_counted_once() -> None:
    """Different voices while the word is new, in any order, to a bound; of an old word nobody is known any more."""
    words, other = Vocabulary(), Vocabulary()
    for voice in (3, 1, 3, 2):
        words.use(["自燃"], NOW, voice, 60)
    for voice in (2, 3, 1):
        other.use(["自燃"], NOW, voice, 60)
    assert words.spoken_by("自燃") == 3
    assert words.voices == other.voices
    for voice in range(2 * MAX_VOICES):
        words.use(["自燃"], NOW + 60, voice, 60)
    assert words.spoken_by("自燃") == MAX_VOICES
    words.use(["自燃"], NOW + 61, 9, 60)
    assert words.spoken_by("自燃") == 0
    words.use(["自燃"], NOW + 62 + REMEMBERED, 9, 60)
    assert words.spoken_by("自燃") == 1


def test_voices_are_kept_of_new_words_alone() -> None:
    """Past a bound those of words that are no longer new go."""
    words = Vocabulary()
    words.use(["旧词"], NOW, 1, 60)
    words.use([f"词{number}" for number in range(20_000)], NOW + 100, 1, 60)
    assert "旧词" not in words.voices
    assert len(words.voices) == 10_000
