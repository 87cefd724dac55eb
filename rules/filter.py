"""Which mentions a rule, or one condition of it, looks at: typed YAML that composes."""

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from rules.facts import Facts, lexicon_id
from rules.strict import Labels, Names, Risks, Strict, Words
from rules.terms import Terms

Test = Callable[[Facts], bool]


class AtLeastShare(Strict):
    at_least: float = Field(ge=0, le=1)


class AtLeastCount(Strict):
    at_least: int = Field(ge=0)


class Filter(Strict):
    """A mention passes when every key that is given holds; in a list, one of its members is enough.

    ``author`` is an id or a name. ``risk``: the mention reports one of these kinds of trouble of the target. ``words``:
    the title or the text holds one of them. A follower count that the platform does not tell passes no ``followers``,
    and an unknown mark of verification no ``verified``.
    """

    label: Labels | None = None
    confidence: AtLeastShare | None = None
    risk: Risks | None = None
    channel: Names | None = None
    source: Names | None = None
    tier: Literal["core", "auxiliary"] | None = None
    site: Names | None = None
    region: Names | None = None
    author: Names | None = None
    followers: AtLeastCount | None = None
    verified: bool | None = None
    words: Words | None = None
    all: tuple["Filter", ...] = ()
    any: tuple["Filter", ...] = ()
    not_: "Filter | None" = Field(default=None, alias="not")

    @field_validator("words")
    @classmethod
    def _findable(cls, words: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if words is not None:
            if not words:
                raise ValueError("needs a word at least")
            Terms(words)
        return words

    @model_validator(mode="after")
    def _says_something(self) -> "Filter":
        if not self.model_fields_set:
            raise ValueError("an empty filter passes everything; leave it out instead")
        return self

    @property
    def members(self) -> tuple["Filter", ...]:
        return (*self.all, *self.any, *((self.not_,) if self.not_ else ()))

    def lexicons(self) -> tuple[tuple[str, ...], ...]:
        """Every word list in it, its members' too."""
        own = (self.words,) if self.words else ()
        return own + tuple(words for member in self.members for words in member.lexicons())

    @property
    def asks_more(self) -> bool:
        """Whether it asks for more than a label, how sure that is, and a channel."""
        plain = {"label", "confidence", "channel"}
        return any(getattr(self, name) not in {None, ()} for name in type(self).model_fields if name not in plain)

    def labels(self) -> bool:
        """Whether it, or a member, asks for a label."""
        return self.label is not None or any(member.labels() for member in self.members)

    def test(self) -> Test:
        """The filter as a function of a mention's facts, the cheap tests first."""
        tests = [*_scalar_tests(self), *_number_tests(self)]
        if self.words is not None:
            lexicon = lexicon_id(self.words)
            tests.append(lambda facts: lexicon in facts.found)
        tests.extend(member.test() for member in self.all)
        if self.any:
            choices = tuple(member.test() for member in self.any)
            tests.append(lambda facts: any(choice(facts) for choice in choices))
        if self.not_ is not None:
            refused = self.not_.test()
            tests.append(lambda facts: not refused(facts))
        return both(*tests)


def _of_all(where: Filter | None) -> Filter | None:
    if where is not None and where.labels():
        raise ValueError("must not ask for a label: the share is of all mentions that it passes")
    return where


OfAll = Annotated[Filter | None, AfterValidator(_of_all)]
"""A filter of what a share is taken of."""


def both(*tests: Test) -> Test:
    """A test that holds when all do."""
    if not tests:
        return _passes
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        one, other = tests
        return lambda facts: one(facts) and other(facts)
    return lambda facts: all(test(facts) for test in tests)


def _passes(_facts: Facts) -> bool:
    return True


def _scalar_tests(given: Filter) -> list[Test]:
    tests: list[Test] = []
    if given.label is not None:
        labels = frozenset(given.label)
        tests.append(lambda facts: facts.label in labels)
    if given.risk is not None:
        asked = frozenset(given.risk)
        tests.append(lambda facts: not asked.isdisjoint(facts.risks))
    if given.channel is not None:
        channels = frozenset(given.channel)
        tests.append(lambda facts: facts.channel in channels)
    if given.source is not None:
        sources = frozenset(given.source)
        tests.append(lambda facts: facts.source in sources)
    if given.site is not None:
        sites = frozenset(given.site)
        tests.append(lambda facts: facts.site in sites)
    if given.region is not None:
        regions = frozenset(given.region)
        tests.append(lambda facts: facts.region in regions)
    if given.tier is not None:
        tier = given.tier
        tests.append(lambda facts: facts.tier == tier)
    if given.author is not None:
        authors = frozenset(given.author)
        tests.append(lambda facts: facts.author_id in authors or facts.author in authors)
    if given.verified is not None:
        verified = given.verified
        tests.append(lambda facts: facts.verified is verified)
    return tests


def _number_tests(given: Filter) -> list[Test]:
    tests: list[Test] = []
    if given.confidence is not None:
        sure = given.confidence.at_least
        tests.append(lambda facts: facts.confidence >= sure)
    if given.followers is not None:
        followers = given.followers.at_least
        tests.append(lambda facts: facts.followers is not None and facts.followers >= followers)
    return tests
