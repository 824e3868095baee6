"""docs/protocol.json is what the models say, and enough to judge a message by."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from wire.vectors import Vector, read_vectors

from callsheet.wire import CLIENT_MESSAGES, SERVER_MESSAGES
from callsheet.wire.describe import describe, main

PATH = Path(__file__).parents[2] / "docs" / "protocol.json"
WRITTEN: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
MESSAGES: dict[str, Any] = WRITTEN["client_messages"] | WRITTEN["server_messages"]


def test_the_file_is_current(tmp_path: Path) -> None:
    main(tmp_path / "protocol.json")
    again = (tmp_path / "protocol.json").read_text(encoding="utf-8")
    assert again == PATH.read_text(encoding="utf-8"), (
        "run: python -m callsheet.wire.describe docs/protocol.json"
    )


def test_every_message_is_there() -> None:
    assert list(WRITTEN["client_messages"]) == list(CLIENT_MESSAGES)
    assert list(WRITTEN["server_messages"]) == list(SERVER_MESSAGES)
    assert describe()["errors"].keys() == WRITTEN["errors"].keys()


@pytest.mark.parametrize("name", MESSAGES)
def test_its_schemas_admit_the_golden_vectors(name: str) -> None:
    judge = Draft202012Validator(
        {
            "type": "object",
            "properties": MESSAGES[name]["fields"],
            "required": MESSAGES[name]["required"],
            "objects": WRITTEN["objects"],
        }
    )
    vectors: list[Vector] = [v for v in read_vectors() if (v.file, v.group) == (name, "valid")]
    assert vectors
    for vector in vectors:
        judge.validate(json.loads(vector.frame))
