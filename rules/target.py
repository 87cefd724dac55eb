"""A brand as it is configured: its names, how else they are spelt, and what else they may mean."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from rules.fold import fold
from rules.spelling import Variant
from rules.strict import Strict


def findable(word: str) -> str:
    if not fold(word).text.strip():
        raise ValueError("there is nothing to look for in this word")
    return word


Name = Annotated[str, AfterValidator(findable)]


class TargetConfig(Strict):
    """A brand, and how people call it."""

    names: tuple[Name, ...] = Field(min_length=1, description="Full names; the first is shown to people.")
    aliases: tuple[Name, ...] = Field(default=(), description="Short forms, nicknames, names in Latin script.")
    variants: tuple[Variant, ...] | None = Field(
        default=None,
        description="In which other spellings the names are found too; [] for as they stand. Unless it is set: all, but "
        "initials alone of three characters and more.",
    )
    exact: tuple[Literal["case", "width"], ...] = Field(
        default=(), description="What must agree where a name is written as it stands, as case for a brand called ON."
    )
    homophones: tuple[Name, ...] = Field(
        default=(), description="Of the names and aliases, those that other characters of the same sound stand for too."
    )
    near: tuple[Name, ...] = Field(
        default=(),
        description="Words of which one must stand in the mention for a name to count. A name that holds another "
        "(小米科技 beside 小米) needs none.",
    )
    unless_near: tuple[Name, ...] = Field(
        default=(),
        description="Words that tell that something else is meant. One that holds a name (云杉树 for 云杉) says so of "
        "the place where it stands; any other (红富士 for 苹果) of each name within 10 characters.",
    )
    inside_words: bool = Field(
        default=False, description="Whether a name counts inside a common word too, as 小米 in 小米粥."
    )

    @property
    def all_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.names, *self.aliases)))

    def looks_for(self, variant: Variant) -> bool:
        return self.variants is None or variant in self.variants

    @model_validator(mode="after")
    def _homophones_are_names(self) -> "TargetConfig":
        known = {fold(name).text.strip() for name in self.all_names}
        for name in self.homophones:
            if fold(name).text.strip() not in known:
                raise ValueError(f"homophones: {name} is none of the names and aliases")
        return self
