"""Reading a configuration: assemble the files, validate, cross-check, and report everything at once."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from listener.config.assemble import assemble
from listener.config.crosscheck import cross_check
from listener.config.explain import hide, mistakes, speller
from listener.config.findings import placed
from listener.config.model import Config
from listener.config.schema import Shape
from listener.config.surprises import surprises
from listener.document import Document
from listener.problem import ConfigError, Mistake, Problem

_SHAPE = Shape(Config)


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """Read and check a configuration. Raises ConfigError with every problem that it has."""
    config, _ = check(path, environ)
    return config


def load_with_rules(path: Path, rules: Path, environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration *path* with the rules of another file in the place of its own. Raises ConfigError."""
    return _sound(path, assemble(path, environ, rules=rules))[0]


def check(path: Path, environ: Mapping[str, str] = os.environ) -> tuple[Config, tuple[Problem, ...]]:
    """The configuration, and what works in it but may surprise. Raises ConfigError with every problem that it has."""
    config, document = sound(path, environ)
    return config, problems(placed(surprises(config, document, path.parent), document), document)


def sound(path: Path, environ: Mapping[str, str] = os.environ) -> tuple[Config, Document]:
    """The configuration and where its values stand. Raises ConfigError with every problem that it has."""
    return _sound(path, assemble(path, environ))


def _sound(path: Path, document: Document) -> tuple[Config, Document]:
    found = list(document.mistakes)
    config: Config | None = None
    if (
        document.value or not document.mistakes
    ):  # else the file itself could not be read, and that is all there is to say
        try:
            config = Config.model_validate(document.value)
        except ValidationError as error:
            found += mistakes(error, document, _SHAPE)
        found += cross_check(document)
    if config is None or found:
        raise ConfigError(problems(found, document))
    return config.placed(path.parent.absolute(), tuple(document.files)), document


def problems(found: list[Mistake], document: Document) -> tuple[Problem, ...]:
    """Spelled out for a person, each once, in the order that the files were read in, line by line."""
    spell = speller(document)
    order = {str(file): index for index, file in enumerate(document.files)}
    told = {Problem(*mistake.place, spell(mistake.keys), hide(mistake.message, document)) for mistake in found}
    return tuple(sorted(told, key=lambda problem: (order.get(problem.file, len(order)), problem)))
