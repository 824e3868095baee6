"""YAML documents, as text-generation-webui writes them: no tags, no aliases."""

from __future__ import annotations

import re
from typing import Any, Final

from callsheet.cast.containers import sound
from callsheet.cast.errors import NotACharacterError

__all__ = ["is_yaml", "yaml_in"]

TOP_KEY: Final = re.compile(
    r"^(?:- |  )?[\"']?(name|char_name|context|persona|greeting|bio|personality|spec|data)[\"']?:",
    re.MULTILINE,
)
MAX_CHARS: Final = 1 << 20
"""Longest document: the parser is slow."""


def is_yaml(text: str) -> bool:
    """Tell whether a text has two fields of a character at the start of lines."""
    return len({found[1] for found in TOP_KEY.finditer(text[:100_000])}) > 1


def yaml_in(text: str) -> Any:
    """Parse YAML: one document, or a list of several. ``yes`` and ``on`` are words.

    Raises:
        NotACharacterError: it is none, too long, or says things that only code may say.
    """
    if len(text) > MAX_CHARS:
        raise NotACharacterError(f"is YAML of more than {MAX_CHARS >> 20} MiB")
    try:
        import yaml
    except ModuleNotFoundError:
        raise NotACharacterError("is YAML: pip install pyyaml to read it") from None

    class Words(yaml.SafeLoader):
        """Safe loader to which a name may be ``Yes`` and a title ``2020-01-01``."""

    Words.yaml_implicit_resolvers = {
        first: [rule for rule in rules if not rule[0].endswith((":bool", ":timestamp"))]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, yaml.SafeLoader)):
            raise NotACharacterError("is YAML with aliases, which can unpack to any size")
        documents = list(yaml.load_all(text, Words))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise NotACharacterError(f"is damaged YAML: {str(error).splitlines()[0]}") from None
    return sound(documents[0] if len(documents) == 1 else documents)
