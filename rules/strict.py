"""What the models of rules have in common."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic import Strict as StrictType

from sentiment import RiskCategory

_MINUTE = timedelta(minutes=1)
LONGEST_WINDOW = timedelta(days=7)
LONGEST_REFERENCE = timedelta(days=28)


class Strict(BaseModel):
    """A model that refuses keys it does not know and cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ConditionModel(Strict):
    """A condition of a rule."""

    @property
    def remembers(self) -> bool:
        return False


def _not_negative(value: timedelta) -> timedelta:
    if value < timedelta(0):
        raise ValueError("must not be negative")
    return value


def _whole_minutes(value: timedelta) -> timedelta:
    if value < _MINUTE or value % _MINUTE:
        raise ValueError("must be whole minutes, 1m or more: mentions are counted by the minute")
    return value


def _window(value: timedelta) -> timedelta:
    if _whole_minutes(value) > LONGEST_WINDOW:
        raise ValueError("must be 7d at most")
    return value


def _reference(value: timedelta) -> timedelta:
    if _whole_minutes(value) > LONGEST_REFERENCE:
        raise ValueError("must be 28d at most")
    return value


def distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    """Refuses a name that stands twice."""
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"named twice: {', '.join(twice)}")
    return names


def as_tuple(value: Any) -> Any:
    """One value as a list of one, for a key that takes one or a list."""
    return value if isinstance(value, list | tuple) else (value,)


def _lines(value: Any) -> Any:
    """A text, such as a word list read by ``!file``, as its lines; ``#`` begins a comment."""
    if not isinstance(value, str):
        return value
    words = (line.split("#", 1)[0].strip() for line in value.splitlines())
    return tuple(word for word in words if word)


Duration = Annotated[timedelta, StrictType(), AfterValidator(_not_negative)]
WindowLength = Annotated[timedelta, StrictType(), AfterValidator(_window)]
ReferenceLength = Annotated[timedelta, StrictType(), AfterValidator(_reference)]
Names = Annotated[tuple[str, ...], BeforeValidator(as_tuple, json_schema_input_type=str | list[str])]
Words = Annotated[tuple[str, ...], BeforeValidator(_lines, json_schema_input_type=str | list[str])]
LabelName = Literal["negative", "neutral", "positive", "unknown"]
Risks = Annotated[
    tuple[RiskCategory, ...],
    BeforeValidator(as_tuple, json_schema_input_type=RiskCategory | list[RiskCategory]),
    Field(min_length=1),
]
Labels = Annotated[tuple[LabelName, ...], BeforeValidator(as_tuple, json_schema_input_type=LabelName | list[LabelName])]
