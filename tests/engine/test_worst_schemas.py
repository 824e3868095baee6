"""The dearest schemas that registration admits, judged and compiled as both local engines do it.

Thread CPU seconds are judged: they are the same on a busy machine.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from callsheet.wire import ActionSpec
from callsheet_server.engine.engine import GenerationRequest
from callsheet_server.engine.errors import GenerationError
from callsheet_server.engine.llamacpp import client
from callsheet_server.talk.action_schemas import MAX_SCHEMA_NODES, check_actions
from callsheet_server.talk.actions import action_schema, read_choice

MOST_S = 0.3
"""Ten times what the worst of them takes on a slow laptop; it was 0.93 s without a budget."""


def needed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def ways(kind: str, count: int, each: int) -> dict[str, Any]:
    """So many choices, all of which have to be made at once."""
    choices = [[needed(**{f"p{i}_{j}": {}}) for j in range(each)] for i in range(count)]
    return {"type": "object", "allOf": [{kind: alternatives} for alternatives in choices]}


MANY = [{"const": number} for number in range(300)]
FORK = {"anyOf": [{"$ref": "#/$defs/tree"}, {"type": "null"}]}
BOUNDS = {"type": "number", "minimum": -1.23456789e15, "maximum": 9.87654321e15}
WORST: dict[str, dict[str, Any]] = {
    "a large enum of many items": needed(
        a={"type": "array", "items": {"enum": list(range(MAX_SCHEMA_NODES - 20))}}
    ),
    "constants one by one": needed(a={"type": "array", "items": {"anyOf": MANY}}),
    "something contained": needed(a={"type": "array", "contains": {"anyOf": MANY}}),
    "no two alike": needed(a={"type": "array", "uniqueItems": True}),
    "choices that multiply": ways("anyOf", 6, 3),
    "choices that multiply more": ways("anyOf", 8, 6),
    "one of each": ways("oneOf", 8, 6),
    "numbers with bounds": needed(**{f"a{number}": BOUNDS for number in range(150)}),
    "long text": needed(a={"type": "string", "minLength": 900, "maxLength": 10**9}),
    "a tree": {
        **needed(a={"$ref": "#/$defs/tree"}),
        "$defs": {"tree": {"type": "object", "properties": dict.fromkeys("abcdefghij", FORK)}},
    },
}
CHOICES: list[Any] = [
    {"a": list(range(200))},
    {"a": [[[1]]] * 60},
    {"a": "x" * 900},
    {"a": {"a": {"b": {"c": {"d": {"e": None}}}}}},
    {f"p{number}_0": 1 for number in range(20)},
]


def spec(schema: dict[str, Any]) -> ActionSpec:
    return ActionSpec(name="go", description="Goes.", parameters=schema)


def cpu_s(work: Callable[[], object]) -> float:
    start_s = time.thread_time()
    work()
    return time.thread_time() - start_s


@pytest.mark.parametrize("schema", WORST.values(), ids=WORST)
def test_registration_and_checks_of_choices_are_short(schema: dict[str, Any]) -> None:
    go = spec(schema)
    assert cpu_s(lambda: check_actions({"actions": [go]})) < MOST_S
    for arguments in CHOICES:
        text = orjson.dumps({"action": "go", "arguments": arguments}).decode()
        assert cpu_s(lambda text=text: read_choice(text, [go])) < MOST_S  # type: ignore[misc]


def test_a_long_enum_takes_as_many_steps_as_it_has_values(caplog: pytest.LogCaptureFixture) -> None:
    go = spec(WORST["a large enum of many items"])
    text = orjson.dumps({"action": "go", "arguments": {"a": [1] * 200}}).decode()
    assert read_choice(text, [go]) is None
    assert "takes too long to check" in caplog.text
    short = orjson.dumps({"action": "go", "arguments": {"a": [1, 2]}}).decode()
    assert read_choice(short, [go]) == ("go", {"a": [1, 2]})


def judged_for_llamacpp(schema: dict[str, Any]) -> None:
    client._enforceable(schema)


def compiled_by_the_embedded_engine(schema: dict[str, Any]) -> None:
    sampling = pytest.importorskip("callsheet_server.engine.embedded.sampling")
    from engine.harness import tiny_tokenizer

    grammars = sampling.GrammarCompiler(tiny_tokenizer(), 259, frozenset({258}))
    grammars.matcher({"type": "object"})  # The first use takes a second.
    started_s = time.thread_time()
    try:
        grammars.matcher(schema)
    finally:
        assert time.thread_time() - started_s < MOST_S


@pytest.mark.parametrize("build", [judged_for_llamacpp, compiled_by_the_embedded_engine])
@pytest.mark.parametrize("schema", WORST.values(), ids=WORST)
def test_grammars_are_built_within_a_budget(
    schema: dict[str, Any], build: Callable[[dict[str, Any]], None]
) -> None:
    whole = action_schema([spec(schema)])

    def attempt() -> None:
        with contextlib.suppress(GenerationError):
            build(whole)

    client._problem.cache_clear()
    taken_s = cpu_s(attempt)
    if build is judged_for_llamacpp:
        assert taken_s < MOST_S
        assert cpu_s(attempt) < MOST_S / 10, "the verdict is remembered"


def test_thirty_two_honest_actions_fit() -> None:
    point = needed(
        place={"enum": ["inn", "mill", "well"]},
        x={"type": "number", "minimum": -1e4, "maximum": 1e4},
        count={"type": "integer", "minimum": 1, "maximum": 99},
        why={"type": "string", "maxLength": 200},
    )
    honest = [spec(point).model_copy(update={"name": f"a{number}"}) for number in range(32)]
    client._enforceable(action_schema(honest))


async def test_llamacpps_is_not_judged_on_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = []

    def judge(request: GenerationRequest) -> dict[str, Any]:
        threads.append(threading.get_ident())
        raise GenerationError("far enough")

    monkeypatch.setattr(client, "completion_body", judge)
    server: Any = None
    call: Any = SimpleNamespace(request=None)
    with pytest.raises(GenerationError, match="far enough"):
        await anext(client.LlamaClient(server).generate(0, (), call, client.Outcome()))
    assert threads
    assert threading.get_ident() not in threads
