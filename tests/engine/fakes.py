"""Link between a test and ``fake_sglang.py``."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass
from typing import Any

from waiting import PATIENCE_S


@dataclass(frozen=True, slots=True)
class Fake:
    """Orders of a test to a fake SGLang, and its reports."""

    url: str

    def behave(self, **behaviour: Any) -> None:
        body = json.dumps(behaviour).encode()
        urllib.request.urlopen(f"{self.url}/fake", body, timeout=PATIENCE_S).close()

    def seen(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/fake", timeout=PATIENCE_S) as answer:
            told: dict[str, Any] = json.loads(answer.read())
            return told
