"""Secrets that stand in the file itself, in place of a variable or a file of their own."""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, SecretStr

from listener.config.findings import Finding
from listener.config.model import Config
from listener.document import Document
from listener.problem import Keys

_ADVICE = "use !env NAME or !file PATH"
# Addresses that are a key themselves: a password before the host, a key in the query, the paths of robots and webhooks.
_IN_ADDRESS = re.compile(
    r"://[^/@\s:]+:[^/@\s]+@"
    r"|[?&](?:access_?token|api_?key|app_?key|auth|key|passw(?:or)?d|secret|sign?|signature|token)=[^&\s]{6,}"
    r"|hooks\.slack\.com/(?:services|workflows)/|/open-apis/bot/v2/hook/|discord(?:app)?\.com/api/webhooks/",
    re.IGNORECASE,
)


def open_secrets(config: Config, document: Document) -> Iterator[Finding]:
    """Keys that are secret, and addresses that hold one, wherever they were written out."""
    secret = set(_secret_keys(config, ()))
    for keys in secret:
        if not document.origin(keys).tag:
            yield Finding("secret-in-file", keys, f"a secret stands in the file: {_ADVICE}")
    for keys, text in _texts(document.value, ()):
        if keys not in secret and not document.origin(keys).tag and _IN_ADDRESS.search(text):
            yield Finding("secret-in-file", keys, f"a password or a key stands in this address: {_ADVICE}")


def _secret_keys(value: object, keys: Keys) -> Iterator[Keys]:
    if isinstance(value, SecretStr):
        yield keys
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            if name in value.model_fields_set:
                yield from _secret_keys(getattr(value, name), (*keys, field.alias or name))
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _secret_keys(inner, (*keys, key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _secret_keys(inner, (*keys, index))


def _texts(value: Any, keys: Keys) -> Iterator[tuple[Keys, str]]:
    if isinstance(value, str):
        yield keys, value
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(inner, (*keys, key))
