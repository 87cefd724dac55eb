"""The JSON Schema of the configuration (2020-12), for editors, and for naming the keys that a place knows."""

import functools
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from listener.problem import Keys
from listener.yaml_scalars import DURATION, duration_text

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """Writes durations and secrets as they stand in the YAML file, not as they would in JSON."""

    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> JsonSchemaValue:
        del schema
        return {"type": "string", "pattern": f"^{DURATION}$", "examples": ["30s", "5m", "1h30m", "7d"]}

    def encode_default(self, dft: Any) -> Any:
        return super().encode_default(_as_written(dft))


def _as_written(value: Any) -> Any:
    """A default as it would stand in the file; of a section, only what differs from the defaults of its keys."""
    if isinstance(value, timedelta):
        return duration_text(value)
    if isinstance(value, BaseModel):
        return _as_written(value.model_dump(by_alias=True, exclude_unset=True))
    return {key: _as_written(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value


def json_schema(model: type[BaseModel]) -> Schema:
    """The schema of *model* with its aliases, which are the keys that stand in the file."""
    schema = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    for node in _nodes(schema):
        if node.get("format") == "password":  # a secret: in the file it is text, mostly "!env NAME"
            del node["format"]
            node.pop("writeOnly", None)
            node.pop("default", None)
            node["$comment"] = "A secret: write !env NAME or !file PATH."
    return {"$schema": DIALECT, **schema}


def _nodes(value: Any) -> Iterator[Schema]:
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(inner)


class Shape:
    """What a model allows at each place of a document."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._model = model

    @functools.cached_property
    def _schema(self) -> Schema:
        return json_schema(self._model)

    def known_keys(self, data: Any, keys: Keys) -> list[str]:
        """The keys that the mapping at *keys* of *data* may hold, sorted; none where any key may stand."""
        return sorted({name for node in self._at(data, keys) for name in node.get("properties", ())})

    def tags(self, data: Any, keys: Keys) -> list[str]:
        """The values that ``type`` may have in the mapping at *keys*, sorted."""
        return sorted({tag for node in self._unions(data, keys) for tag in node["discriminator"]["mapping"]})

    def _unions(self, data: Any, keys: Keys) -> Iterator[Schema]:
        for node in self._walk(data, keys):
            yield from (option for option in self._alternatives(node) if "discriminator" in option)

    def _at(self, data: Any, keys: Keys) -> Iterator[Schema]:
        value = data
        for key in keys:
            value = _inner(value, key)
        for node in self._walk(data, keys):
            yield from self._options(node, value)

    def _walk(self, data: Any, keys: Keys) -> list[Schema]:
        nodes, value = [self._schema], data
        for key in keys:
            nodes = [inner for node in nodes for option in self._options(node, value) for inner in _down(option, key)]
            value = _inner(value, key)
        return nodes

    def _options(self, node: Schema, value: Any) -> Iterator[Schema]:
        """The schemas that *value* may be meant for: of a tagged union, the one that it names."""
        for option in self._alternatives(node):
            if "discriminator" not in option:
                yield option
                continue
            mapping = option["discriminator"]["mapping"]
            named = mapping.get(value.get("type")) if isinstance(value, dict) else None
            for reference in [named] if named else mapping.values():
                yield from self._options({"$ref": reference}, value)

    def _alternatives(self, node: Schema) -> Iterator[Schema]:
        if "$ref" in node:
            target: Any = self._schema
            for part in node["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            yield from self._alternatives(target)
        elif "discriminator" in node:
            yield node
        elif inner := node.get("anyOf") or node.get("oneOf") or node.get("allOf"):
            for option in inner:
                yield from self._alternatives(option)
        else:
            yield node


def _down(node: Schema, key: str | int) -> list[Schema]:
    if isinstance(key, int):
        found = node.get("items")
    else:
        found = node.get("properties", {}).get(key, node.get("additionalProperties"))
    return [found] if isinstance(found, dict) else []


def _inner(value: Any, key: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(key)
    return value[key] if isinstance(value, list) and isinstance(key, int) and key < len(value) else None
