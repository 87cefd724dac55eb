"""The conditions, one file each. Adding one: a file, a member of the union below, a section in the documentation."""

from typing import Annotated

from pydantic import Field

from rules.conditions.baseline import Baseline
from rules.conditions.combine import All, Any_, Not
from rules.conditions.ratio import Ratio
from rules.conditions.spike import Spike
from rules.conditions.volume import Volume
from rules.conditions.watch import Watch

AnyCondition = Annotated[Volume | Ratio | Spike | Baseline | Watch | All | Any_ | Not, Field(discriminator="type")]

for _combined in (All, Any_, Not):
    _combined.model_rebuild(_types_namespace={"AnyCondition": AnyCondition})

__all__ = ["All", "AnyCondition", "Any_", "Baseline", "Not", "Ratio", "Spike", "Volume", "Watch"]
