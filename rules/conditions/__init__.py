"""The conditions, one file each. Adding one: a file, a member of the union below, a section in the documentation."""

from typing import Annotated

from pydantic import Field

from rules.conditions.baseline import Baseline
from rules.conditions.cardinality import Cardinality
from rules.conditions.combine import All, Any_, Not
from rules.conditions.drift import Drift
from rules.conditions.flatline import Flatline
from rules.conditions.kpi import Kpi
from rules.conditions.new_term import NewTerm
from rules.conditions.ratio import Ratio
from rules.conditions.sequence import Sequence
from rules.conditions.spike import Spike
from rules.conditions.velocity import Velocity
from rules.conditions.volume import Volume
from rules.conditions.watch import Watch

_Counting = Volume | Ratio | Spike | Baseline | Drift | Velocity | Cardinality | NewTerm | Flatline | Watch | Kpi
AnyCondition = Annotated[_Counting | All | Any_ | Not | Sequence, Field(discriminator="type")]

for _combined in (All, Any_, Not, Sequence):
    _combined.model_rebuild(_types_namespace={"AnyCondition": AnyCondition})

__all__ = [
    "All",
    "AnyCondition",
    "Any_",
    "Baseline",
    "Cardinality",
    "Drift",
    "Flatline",
    "Kpi",
    "NewTerm",
    "Not",
    "Ratio",
    "Sequence",
    "Spike",
    "Velocity",
    "Volume",
    "Watch",
]
