from __future__ import annotations

import re
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from telemetry.small_world import playing, serving, tick
from waiting import until

from callsheet import CallsheetError
from callsheet_server.telemetry import tracing

ROOT = Path(__file__).parent.parent.parent
PHASES = ("callsheet.queue", "callsheet.load", "callsheet.prefill", "callsheet.decode")


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)  # can be done once in a process
    return exporter


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> InMemorySpanExporter:
    exporter.clear()
    return exporter


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == name]


def period_ns(span: ReadableSpan) -> tuple[int, int]:
    assert span.start_time is not None
    assert span.end_time is not None
    return span.start_time, span.end_time


async def test_a_reply_is_traced_phase_by_phase(spans: InMemorySpanExporter) -> None:
    async with serving() as server, playing(server) as (game, handles):
        await tick(game, handles, 0.0)
        await (await game.say("ada", "Good day."))
        await server.mover.idle()
    (reply,) = named(spans, "callsheet.reply")
    attributes = dict(reply.attributes or {})
    assert attributes["callsheet.world"] == "town"
    assert attributes["callsheet.npc"] == "ada"
    assert attributes["callsheet.finish_reason"] == "stop"
    assert int(str(attributes["gen_ai.usage.output_tokens"])) > 0
    children = {
        span.name: period_ns(span)
        for span in spans.get_finished_spans()
        if span.parent is not None and span.parent.span_id == reply.context.span_id
    }
    assert set(children) <= set(PHASES)
    queue, prefill, decode = (children[f"callsheet.{n}"] for n in ("queue", "prefill", "decode"))
    start, end = period_ns(reply)
    slack_ns = 1_000_000  # the wall clock is read anew for every span
    assert start - slack_ns <= queue[0] <= queue[1] <= prefill[1] <= decode[1] <= end + slack_ns


async def test_plans_and_moves_are_traced(spans: InMemorySpanExporter) -> None:
    async with serving() as server, playing(server) as (game, handles):
        await tick(game, handles, 0.0, {"ada": 1.0})
        await until(lambda: named(spans, "callsheet.move"))
    plan, move = named(spans, "callsheet.plan")[0], named(spans, "callsheet.move")[0]
    assert dict(plan.attributes or {})["callsheet.loads"] == 1
    attributes = dict(move.attributes or {})
    assert (attributes["callsheet.target"], attributes["callsheet.kind"]) == ("device", "prefix")
    assert "ada" in str(attributes["callsheet.key"])


async def test_a_reply_that_breaks_off_is_an_error(spans: InMemorySpanExporter) -> None:
    async with serving(fail_npcs=("bram",)) as server, playing(server) as (game, _):
        with pytest.raises(CallsheetError):
            await (await game.say("bram", "Say more than three words to me."))
    (reply,) = named(spans, "callsheet.reply")
    assert reply.status.status_code is StatusCode.ERROR
    assert reply.status.description == "generation_failed"


def test_the_document_names_every_span() -> None:
    text = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `(callsheet\.[a-z]+)` \|", text, re.MULTILINE))
    source = Path(tracing.__file__).read_text(encoding="utf-8")
    assert told == set(
        re.findall(r'"(callsheet\.(?:reply|plan|move|queue|load|prefill|decode))"', source)
    )


async def test_a_server_works_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracing, "INSTALLED", False)
    monkeypatch.delattr(tracing, "trace")
    async with serving() as server, playing(server) as (game, handles):
        await tick(game, handles, 0.0, {"ada": 1.0})
        assert (await (await game.say("ada", "Good day."))).finish_reason == "stop"
