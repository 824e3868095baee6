"""The table of events in docs/python-sdk.md has every event, with all of its fields."""

from __future__ import annotations

import re
from dataclasses import fields

from documents.test_code import ROOT

import callsheet
from callsheet import ServerMessage

ANSWERS = {"Joined", "Explanation", "Welcome"}
"""Messages that methods return."""
PLUMBING = {"type", "seq", "id"}


def test_every_event_stands_there_with_all_its_fields() -> None:
    text = (ROOT / "docs" / "python-sdk.md").read_text(encoding="utf-8")
    table = text.partition("### All events")[2].partition("### ")[0]
    told = {
        event: set(re.findall(r"`(\w+)`", columns))
        for event, columns in re.findall(r"^\| `(\w+)` \|([^|]*)\|", table, re.MULTILINE)
    }
    messages = {
        name: set(one.model_fields) - PLUMBING
        for name, one in vars(callsheet).items()
        if isinstance(one, type) and issubclass(one, ServerMessage) and one is not ServerMessage
    }
    own = {
        one.__name__: {field.name for field in fields(one)}
        for one in (callsheet.StateChanged, callsheet.SessionReset)
    }
    wanted = {name: names for name, names in messages.items() if name not in ANSWERS} | own
    assert told == wanted
