"""Rounds on disk, one JSON object a line: a run that was stopped goes on, or is reported as is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callsheet_server.whole_file import write_whole

__all__ = ["Store", "StoreError"]


class StoreError(Exception):
    """The file is not one of ours, or is of another run; the text names it and the fix."""


@dataclass(frozen=True, slots=True)
class _Key:
    table: str
    system: str
    round: int


class Store:
    """Measurements so far, kept in a file."""

    def __init__(self, path: Path, setup: Mapping[str, Any], resume: bool) -> None:
        """Open or begin a file.

        Args:
            path: of the file.
            setup: what the rounds of one file must have in common.
            resume: go on with what is there; otherwise it is overwritten.

        Raises:
            StoreError: what is there cannot be gone on with.
        """
        self._path = path
        self._rounds: dict[_Key, dict[str, float]] = {}
        self._facts: dict[str, Any] = {}
        if resume and path.exists():
            self._read(setup)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, json.dumps({"setup": setup}) + "\n")
        self.setup = dict(setup)

    @classmethod
    def load(cls, path: Path) -> Store:
        """Read a file without a wish to go on. Raises ``StoreError``."""
        try:
            head = json.loads(path.read_text(encoding="utf-8").partition("\n")[0])
            return cls(path, head["setup"], resume=True)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{path}: no rounds of this benchmark: {error}") from None

    def add_round(
        self, table: str, system: str, round_number: int, figures: Mapping[str, float]
    ) -> None:
        """Keep a round's figures, on disk too."""
        self._rounds[_Key(table, system, round_number)] = dict(figures)
        self._append(
            {"table": table, "system": system, "round": round_number, "figures": dict(figures)}
        )

    def add_fact(self, name: str, value: Any) -> None:
        """Keep something that was found out and is not a round's: anything JSON can hold."""
        self._facts[name] = value
        self._append({"fact": name, "value": value})

    def fact(self, name: str) -> Any:
        """Return the value kept under this name; None = nothing."""
        return self._facts.get(name)

    @property
    def facts(self) -> Mapping[str, Any]:
        return self._facts

    def has(self, table: str, system: str, round_number: int) -> bool:
        """Whether this round has been measured."""
        return _Key(table, system, round_number) in self._rounds

    def figures(self, table: str) -> dict[str, dict[int, dict[str, float]]]:
        """System -> round -> figures, in the order they came."""
        found: dict[str, dict[int, dict[str, float]]] = {}
        for key, figures in self._rounds.items():
            if key.table == table:
                found.setdefault(key.system, {})[key.round] = figures
        return found

    def _append(self, line: Mapping[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _read(self, setup: Mapping[str, Any]) -> None:
        text = self._path.read_text(encoding="utf-8")
        if not text.endswith("\n"):  # the run was stopped while it wrote
            text = text[: text.rfind("\n") + 1]
            write_whole(self._path, text)
        lines = text.splitlines()
        found = json.loads(lines[0]).get("setup") if lines else None
        if found != json.loads(json.dumps(setup)):
            raise StoreError(
                f"{self._path} was measured with other options or on another machine: remove it, "
                "or name another file with --results"
            )
        for line in lines[1:]:
            entry = json.loads(line)
            if "fact" in entry:
                self._facts[entry["fact"]] = entry["value"]
            else:
                key = _Key(entry["table"], entry["system"], entry["round"])
                self._rounds[key] = entry["figures"]
