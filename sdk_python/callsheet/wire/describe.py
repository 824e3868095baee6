"""Description of callsheet.v1 for other languages, as JSON: docs/protocol.json.

    python -m callsheet.wire.describe docs/protocol.json

Fields are JSON schemas (draft 2020-12) whose references lead to ``objects``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from callsheet.wire import fields
from callsheet.wire.base import ClientMessage, Reliable, Request, ServerMessage
from callsheet.wire.codec import CLIENT_MESSAGES, SERVER_MESSAGES
from callsheet.wire.errors import RULES, CloseCode
from callsheet.wire.tick import HEADER_DTYPE, NPC_DTYPE, PLAYER_DTYPE, NpcFlag, TickFlag, TickKind

__all__ = ["describe"]


def describe() -> dict[str, Any]:
    """Describe every message, object, code and constant, as JSON values."""
    types: Sequence[type[BaseModel]] = [*CLIENT_MESSAGES.values(), *SERVER_MESSAGES.values()]
    _, found = models_json_schema(
        [(one, "validation") for one in types], ref_template="#/objects/{model}"
    )
    schemas: dict[str, Any] = found["$defs"]
    messages = {one.__name__: schemas.pop(one.__name__) for one in types}
    return {
        "protocol": fields.PROTOCOL,
        "subprotocol": fields.SUBPROTOCOL,
        "constants": {k: v for k, v in sorted(vars(fields).items()) if k.startswith("MAX_")},
        "client_messages": {
            name: _of_client(one) | _fields(messages[one.__name__])
            for name, one in CLIENT_MESSAGES.items()
        },
        "server_messages": {
            name: _of_server(one) | _fields(messages[one.__name__])
            for name, one in SERVER_MESSAGES.items()
        },
        "objects": schemas,
        "errors": {
            code.value: {
                "class": rule.raises.__name__,
                "closes": rule.closes and rule.closes.value,
                "resumable": rule.resumable,
            }
            for code, rule in RULES.items()
        },
        "close_codes": {code.name.lower(): code.value for code in CloseCode},
        "binary_tick": {
            "header": _layout(HEADER_DTYPE),
            "npc": _layout(NPC_DTYPE),
            "player": _layout(PLAYER_DTYPE),
            "kinds": {kind.name.lower(): kind.value for kind in TickKind},
            "flags": {flag.name.lower(): flag.value for flag in TickFlag if flag.name},
            "npc_flags": {flag.name.lower(): flag.value for flag in NpcFlag if flag.name},
        },
    }


def _of_client(message: type[ClientMessage]) -> dict[str, Any]:
    return {"roles": sorted(message.roles), "is_request": issubclass(message, Request)}


def _of_server(message: type[ServerMessage]) -> dict[str, Any]:
    return {"is_reliable": issubclass(message, Reliable)}


def _fields(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "meaning": " ".join(schema.get("description", "").split()),
        "fields": schema["properties"],
        "required": sorted({"type", *schema.get("required", [])}),
    }


def _layout(record: np.dtype[np.void]) -> dict[str, Any]:
    """The size of a record and, by field, its offset, numpy type (little-endian) and shape."""
    assert record.fields is not None
    return {
        "bytes": record.itemsize,
        "fields": {
            name: {"offset": offset, "type": part.base.str, "count": int(np.prod(part.shape))}
            for name, (part, offset, *_) in record.fields.items()
        },
    }


def main(path: Path) -> None:
    """Write the description to a file."""
    text = json.dumps(describe(), indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
