"""The ``sentiment`` section of the configuration; each model builds its analyzer."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from sentiment.analyzer import Analyzer


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BayesConfig(Strict):
    """jieba's words in snownlp's Bayes tables: fast, the default."""

    type: Literal["bayes"] = "bayes"

    def build(self) -> Analyzer:
        """Load the tables and the dictionary, 0.3 s; raises AnalysisError."""
        from sentiment.bayes import Bayes  # noqa: PLC0415 - loaded only when chosen

        return Bayes.load()


class SnowNLPConfig(Strict):
    """SnowNLP as it is: the reference, slow and large, loaded only when chosen."""

    type: Literal["snownlp"] = "snownlp"

    def build(self) -> Analyzer:
        """Import snownlp, 2 to 4 s and 400 MB; raises AnalysisError."""
        from sentiment.snownlp import SnowNLP  # noqa: PLC0415 - loaded only when chosen

        return SnowNLP.load()


AnalyzerConfig = Annotated[BayesConfig | SnowNLPConfig, Field(discriminator="type")]
