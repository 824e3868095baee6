"""docs/wire-protocol.md and the code say the same."""

import re
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel
from wire.shapes import Row, all_parts, direction, rows

from callsheet.wire import (
    CLIENT_MESSAGES,
    HEADER_DTYPE,
    NPC_DTYPE,
    PLAYER_DTYPE,
    PROTOCOL,
    RULES,
    SERVER_MESSAGES,
    CloseCode,
    Limits,
    Request,
    TickKind,
    decode_tick,
    errors,
    fields,
    npc_records,
    player_records,
)
from callsheet_server.handlers import rate_limits
from callsheet_server.limits.settings import LimitSettings

TEXT = (Path(__file__).parents[2] / "docs" / "wire-protocol.md").read_text(encoding="utf-8")
MESSAGES = {**CLIENT_MESSAGES, **SERVER_MESSAGES}
Table = list[dict[str, str]]


def read_sections(text: str) -> dict[str, str]:
    """The text under each heading, by heading; a heading stands once."""
    _, *pieces = re.split(r"^#{1,4} (.+)\n", text, flags=re.MULTILINE)
    titles, bodies = pieces[::2], pieces[1::2]
    anchors = [title.lower() for title in titles]
    assert len(anchors) == len(set(anchors)), "a heading stands twice"
    return dict(zip(titles, bodies, strict=True))


def read_tables(body: str) -> list[Table]:
    tables = []
    for block in re.findall(r"(?:^\|.*\n)+", body + "\n", flags=re.MULTILINE):
        head, _, *lines = ([c.strip() for c in x.strip("|").split("|")] for x in block.splitlines())
        tables.append([dict(zip(head, line, strict=True)) for line in lines])
    return tables


SECTIONS = read_sections(TEXT)


def tables_of(title: str) -> list[Table]:
    return read_tables(SECTIONS[title])


def codes_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("name", [*MESSAGES, *all_parts()])
def test_field_tables(name: str) -> None:
    model: type[BaseModel] = {**MESSAGES, **all_parts()}[name]
    documented = [
        Row(line["Field"].strip("`"), line["Type"], line["Default"], line["Limits"])
        for table in tables_of(name)
        for line in table
    ]
    assert documented == rows(model)
    assert all(line["Meaning"] for table in tables_of(name) for line in table)


@pytest.mark.parametrize("name", MESSAGES)
def test_direction_and_reliability(name: str) -> None:
    assert SECTIONS[name].strip().startswith(direction(MESSAGES[name]))


def test_no_message_or_object_is_documented_that_does_not_exist() -> None:
    described = {title for title, body in SECTIONS.items() if "| Field | Type | Default |" in body}
    empty = {title for title, body in SECTIONS.items() if "\nNo fields.\n" in body}
    assert described | empty == {*MESSAGES, *all_parts()}


def test_roles() -> None:
    sent, received = tables_of("Roles")
    documented = {
        codes_in(line["Message"])[0]: {r for r in ("game", "mod", "observer") if line[r] == "yes"}
        for line in sent
        if line["Message"] != "binary frame"
    }
    assert documented == {name: set(model.roles) for name, model in CLIENT_MESSAGES.items()}
    assert {"Message": "binary frame", "game": "yes", "mod": "no", "observer": "no"} in sent
    listed = [name for line in received for name in codes_in(line["Message"])]
    assert sorted(listed) == sorted(SERVER_MESSAGES)


def test_requests_and_their_answers() -> None:
    (answers,) = tables_of("Requests")
    requests = [name for line in answers for name in codes_in(line["Request"])]
    assert sorted(requests) == sorted(
        name for name, model in CLIENT_MESSAGES.items() if issubclass(model, Request)
    )
    for name in (name for line in answers for name in codes_in(line["Answer"])):
        assert "id" in SERVER_MESSAGES[name].model_fields


def test_drop_policy_names_every_unreliable_message() -> None:
    (policy,) = tables_of("Order and reliability")
    named = {name for line in policy for name in codes_in(line["Message"])}
    unreliable = {
        name for name, model in SERVER_MESSAGES.items() if "seq" not in model.model_fields
    }
    assert named == unreliable - {"welcome"}


def test_versions() -> None:
    (history,) = tables_of("Versions")
    assert history[-1]["Version"] == PROTOCOL


def test_limits() -> None:
    defaults, constants = tables_of("Size and rate limits")
    named = {codes_in(line["Limit"])[0] for line in defaults if line["Limit"].startswith("`")}
    assert named == set(Limits.model_fields)
    documented = {line["Constant"].strip("`"): line["Value"] for line in constants}
    assert documented == {
        name: str(value)
        for name, value in vars(fields).items()
        if name.startswith("MAX_") or name in ("PROTOCOL", "SUBPROTOCOL")
    }


def test_default_limits() -> None:
    defaults, _ = tables_of("Size and rate limits")
    settings = LimitSettings()
    for line in defaults:
        if line["Limit"].startswith("`"):
            name = codes_in(line["Limit"])[0]
            number, _, unit = line["Default"].replace(",", "").partition(" ")
            assert int(number) * {"": 1, "MiB": 2**20}[unit] == getattr(settings, name), name
    by_limit = {line["Limit"]: line["Default"].replace(",", "") for line in defaults}
    assert by_limit["sessions of a server"] == str(settings.max_sessions)
    assert by_limit["worlds of a server"] == str(settings.max_worlds)
    assert by_limit["scripts of a mod"] == str(rate_limits.MAX_SCRIPTS_PER_SESSION)
    (changes,) = (default for limit, default in by_limit.items() if limit.startswith("changes by"))
    assert float(changes) == rate_limits.CHANGES_PER_MIN


def test_error_codes() -> None:
    (table,) = tables_of("Error codes")
    documented = {
        line["Code"].strip("`"): (line["Class"], line["Close"], line["Resumable"]) for line in table
    }
    assert documented == {
        code.value: (
            rule.raises.__name__,
            str(rule.closes.value) if rule.closes else "-",
            ("yes" if rule.resumable else "no") if rule.closes else "-",
        )
        for code, rule in RULES.items()
    }
    assert all(line["Who is to blame"] and line["Fix"] for line in table)


def test_error_tree() -> None:
    tree = re.search(r"^    CallsheetError\n(?:    [├└].*\n)+", TEXT, flags=re.MULTILINE)
    assert tree is not None
    assert tree.group() in (errors.__doc__ or "")


def test_close_codes() -> None:
    (table,) = tables_of("Close codes")
    documented = {int(line["Close"]): line for line in table}
    assert documented.keys() == {int(code) for code in CloseCode} | {1001, 1006}
    for code, rule in RULES.items():
        if rule.closes is not None:
            line = documented[rule.closes]
            assert line["Name"] == rule.closes.name.lower().replace("_", " ")
            assert line["Resumable"] == ("yes" if rule.resumable else "no")
            assert (line["Reconnect by itself"] in ("No", "Ask the user")) == rule.is_final
            assert code.value in codes_in(line["When"])


@pytest.mark.parametrize(
    ("title", "dtype"),
    [("Header", HEADER_DTYPE), ("NPC record", NPC_DTYPE), ("Player record", PLAYER_DTYPE)],
)
def test_binary_offsets(title: str, dtype: np.dtype[np.void]) -> None:
    body = SECTIONS["Binary layout"]
    start = body.index(f"{title}, {dtype.itemsize} bytes:\n")
    table = read_tables(body[start:])[0]
    assert dtype.fields is not None
    documented = [
        (line["Field"].strip("`"), int(line["Offset"]), int(line["Size"]), line["Type"])
        for line in table
    ]
    assert documented == [
        (name, offset, part.itemsize, _type_name(part))
        for name, (part, offset, *_) in dtype.fields.items()
    ]


def _type_name(dtype: np.dtype[np.generic]) -> str:
    if dtype.subdtype is not None:
        base, (count,) = dtype.subdtype
        return f"{_type_name(base)} x {count}"
    assert dtype == dtype.newbyteorder("<")
    if dtype.kind == "S":
        return "bytes"
    return f"{dtype.kind}{dtype.itemsize * 8}"


def test_frame_size_formula() -> None:
    assert (
        f"{HEADER_DTYPE.itemsize} + {NPC_DTYPE.itemsize} * `npc_count` + "
        f"{PLAYER_DTYPE.itemsize} * `player_count` bytes" in SECTIONS["Binary layout"]
    )


def test_worked_example() -> None:
    lines = re.findall(
        r"^ {4}([ \d]{3})  ((?:[0-9a-f]{2} )+) +(\w+)\.(\w+)$",
        SECTIONS["Binary layout"],
        flags=re.MULTILINE,
    )
    frame = b""
    for offset, octets, _, _ in lines:
        assert int(offset) == len(frame)
        frame += bytes.fromhex(octets)
    assert len(frame) == 100
    tick = decode_tick(frame)
    assert (tick.kind, tick.tick, tick.game_time_s, tick.ack) == (TickKind.KEYFRAME, 7, 12.5, True)
    npc = npc_records([1], [[1, 2, 3]], [[0.5, 0, -0.5]], [30])
    assert tick.npcs.tobytes() == npc.tobytes()
    assert tick.players.tobytes() == player_records([2], [[4, 0, 3]]).tobytes()


def test_every_link_leads_somewhere() -> None:
    anchors = {title.lower().replace(" ", "-") for title in SECTIONS}
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) <= anchors


def test_every_message_code_in_prose_exists() -> None:
    """A word in backticks that looks like a message or a code is one that exists."""
    known = {*MESSAGES, *(code.value for code in RULES), *Limits.model_fields}
    for model in [*MESSAGES.values(), *all_parts().values()]:
        known |= set(model.model_fields)
    for dtype in (HEADER_DTYPE, NPC_DTYPE, PLAYER_DTYPE):
        known |= set(dtype.names or ())
    words = {word for word in codes_in(TEXT) if re.fullmatch(r"[a-z]+(_[a-z]+)+", word)}
    assert words <= known
