"""Reads tests/vectors/*.json as its README says."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

FOLDER = Path(__file__).parent.parent / "vectors"


@dataclass(frozen=True)
class Vector:
    file: str
    group: Literal["valid", "lenient", "invalid"]
    direction: Literal["client", "server", "both"]
    body: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.file}-{self.group}-{self.body['name']}"

    @property
    def frame(self) -> bytes:
        """Text or bytes on the wire."""
        if "hex" in self.body:
            return bytes.fromhex(self.body["hex"])
        text: str = self.body["json"]
        if fill := self.body.get("fill"):
            text = text.replace(fill["mark"], fill["text"] * fill["times"])
        return text.encode()


def read_vectors() -> list[Vector]:
    return [
        Vector(path.stem, group, document["direction"], body)
        for path in sorted(FOLDER.glob("*.json"))
        for document in [json.loads(path.read_text(encoding="utf-8"))]
        for group in ("valid", "lenient", "invalid")
        for body in document.get(group, [])
    ]
