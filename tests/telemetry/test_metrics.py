from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from telemetry.small_world import NPCS, get, playing, scrape, serving, tick
from waiting import until

import callsheet
from callsheet import CallsheetError
from callsheet_server.engine.engine import ReplicaLoad

ROOT = Path(__file__).parent.parent.parent


async def test_ticks_sessions_and_people_are_counted() -> None:
    async with serving() as server, playing(server) as (game, handles):
        for number in range(3):
            await tick(game, handles, number * 0.05)
        url = f"ws://127.0.0.1:{server.port}"
        async with callsheet.connect(url, role="observer", world="town"):
            seen = await scrape(server)
        assert seen["callsheet_ticks_total"] == 3
        assert seen["callsheet_npc_updates_total"] == 9
        assert seen["callsheet_tick_seconds_count"] == 3
        assert seen["callsheet_sessions{role=game},{state=open}"] == 1
        assert seen["callsheet_sessions{role=observer},{state=open}"] == 1
        assert (seen["callsheet_worlds"], seen["callsheet_npcs"]) == (1, 3)
        assert seen["callsheet_players"] == 1
        assert seen["callsheet_tier_budget_bytes{kind=prefix},{tier=device}"] == 64_000_000
        assert seen["process_cpu_seconds_total"] > 0


async def test_a_reply_is_counted_by_where_its_prefix_lay() -> None:
    async with serving() as server, playing(server) as (game, handles):
        await tick(game, handles, 0.0)
        await (await game.say("ada", "Good day."))
        await server.mover.idle()
        await (await game.say("ada", "Good day again."))
        seen = await scrape(server)
    assert seen["callsheet_requests_total"] == 2
    assert seen["callsheet_replies_total{finish_reason=stop}"] == 2
    ttft = [seen.get(f"callsheet_ttft_seconds_count{{resident={r}}}", 0) for r in ("true", "false")]
    assert sum(ttft) == 2
    assert ttft[0] >= 1
    assert seen["callsheet_generated_tokens_total"] > 0
    assert seen["callsheet_queue_seconds_count"] == 2
    moves = counted(seen, "callsheet_moves_total")
    assert moves
    assert all("{target=device}" in name for name in moves)


async def test_errors_are_counted_by_code_in_and_after_sessions_and_in_replies() -> None:
    async with serving(fail_npcs=("bram",)) as server:
        url = f"ws://127.0.0.1:{server.port}"
        async with playing(server) as (game, handles):
            await tick(game, handles, 0.0)
            with pytest.raises(CallsheetError, match="nobody"):
                await (await game.say("nobody", "Hello?"))
            with pytest.raises(CallsheetError):
                await (await game.say("bram", "Say more than three words to me."))
            with pytest.raises(CallsheetError):
                async with callsheet.connect(url, role="game", world="town"):
                    pass
        await until(lambda: len(server.sessions) == 0)
        seen = await scrape(server)
    assert counted(seen, "callsheet_errors_total") == {
        "callsheet_errors_total{code=generation_failed}": 1,
        "callsheet_errors_total{code=unknown_npc}": 1,
        "callsheet_errors_total{code=world_taken}": 1,
    }
    assert seen["callsheet_replies_total{finish_reason=error}"] == 1


async def test_the_gap_that_was_predicted_is_compared_with_the_actual_one() -> None:
    """A call announced for 30 s comes at 20 s: 10 s earlier than predicted, at every lookback."""
    async with serving() as server, playing(server) as (game, handles):
        await tick(game, handles, 0.0, {"ada": 30.0})
        for time_s in range(1, 21):
            await tick(game, handles, float(time_s))
        await (await game.say("ada", "Already?"))
        seen = await scrape(server)
    for lookback in ("1s", "5s", "15s"):
        labels = f"{{estimator=schedule}},{{lookback={lookback}}},{{predicted=late}}"
        assert seen[f"callsheet_distance_error_seconds_count{labels}"] == 1
        assert seen[f"callsheet_distance_error_seconds_sum{labels}"] == pytest.approx(10.0)
    assert not counted(seen, "callsheet_unexpected_calls_total")


async def test_a_call_that_no_estimator_expected_is_counted() -> None:
    async with serving() as server, playing(server) as (game, handles):
        for time_s in range(10):
            await tick(game, handles, float(time_s), absent="cleo")
        await (await game.say("cleo", "Nobody thought that I would come."))
        seen = await scrape(server)
    assert counted(seen, "callsheet_unexpected") == {
        "callsheet_unexpected_calls_total{lookback=1s}": 1,
        "callsheet_unexpected_calls_total{lookback=5s}": 1,
    }


async def test_ready_until_drained() -> None:
    async with serving() as server:
        assert (await get(server, "/healthz"))[::2] == (200, "ok\n")
        assert (await get(server, "/readyz"))[::2] == (200, "ready\n")
        server.draining = True
        assert (await get(server, "/readyz"))[::2] == (503, "draining\n")
        assert (await get(server, "/healthz"))[0] == 200
        status, content_type, _ = await get(server, "/metrics")
        assert (status, content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")


async def test_two_servers_count_apart() -> None:
    async with serving() as one, serving() as other, playing(one) as (game, handles):
        await tick(game, handles, 0.0)
        assert (await scrape(one))["callsheet_ticks_total"] == 1
        assert (await scrape(other))["callsheet_ticks_total"] == 0


async def families(monkeypatch: pytest.MonkeyPatch) -> dict[str, tuple[str, frozenset[str]]]:
    """Every metric of a server that has seen everything: name -> (type, labels)."""
    async with (
        serving(fail_npcs=("bram",), scripted={"device_budget_bytes": 1_500_000}) as server,
        playing(server) as (game, handles),
    ):
        await tick(game, handles, 0.0, {"ada": 30.0})
        for time_s in range(1, 21):
            await tick(game, handles, float(time_s), absent="cleo")
        for npc in ("ada", "cleo", "ada"):
            await (await game.say(npc, "Good day."))
            await server.mover.idle()
        with pytest.raises(CallsheetError):
            await (await game.say("bram", "Say more than three words to me."))
        server.quotas.refusals["world", "messages"] += 1
        server.storage.quarantined["turns"] += 1
        server.moderator.judged["heard", "allowed"] += 1
        server.retriever.outcomes["found"] += 1
        server.telemetry._metrics.failed_moves.labels("prefix", "host", "device")
        server.telemetry._metrics.shed_requests.labels("background")
        server.telemetry._metrics.closes.labels("1000")
        occupancy = server.engine.occupancy()
        load = ReplicaLoad("gpu0", "serving", 1, 0, (), 0, 0, 1, 1, occupancy.tiers)
        of_cluster = replace(occupancy, replicas=(load,))
        monkeypatch.setattr(server.engine, "occupancy", lambda: of_cluster)
        _, _, body = await get(server, "/metrics")
    found = {}
    for family in text_string_to_metric_families(body):
        labels = {name for sample in family.samples for name in sample.labels} - {"le"}
        name = family.name + ("_total" if family.type == "counter" else "")
        found[name] = family.type, frozenset(labels)
    return found


async def test_the_document_lists_every_metric_with_type_and_labels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_]+)` \| (\w+) \|([^|]*)\|", text, re.MULTILINE)
    told = {name: (kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}
    assert told == await families(monkeypatch)


async def test_the_dashboard_queries_metrics_and_labels_that_exist(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    board = json.loads((ROOT / "docs" / "grafana" / "callsheet.json").read_text(encoding="utf-8"))
    queries = [t["expr"] for panel in board["panels"] for t in panel.get("targets", ())]
    assert len(queries) >= 15
    known = {}
    for name, (kind, labels) in (await families(monkeypatch)).items():
        parts = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
        known.update({name + part: labels | {"le", "instance", "job"} for part in parts})
    for query in queries:
        names = re.findall(r"\b(?:callsheet|process)_[a-z_]+", query)
        assert names, query
        assert set(names) <= set(known), query
        used = set(re.findall(r"(\w+)\s*=~?\s*\"", query))
        for grouped in re.findall(r"by \(([^)]*)\)", query):
            used.update(part.strip() for part in grouped.split(","))
        assert used <= set().union(*(known[name] for name in names)), query


async def test_series_are_there_before_they_count() -> None:
    """`rate()` sees no first error in a series that is born with it."""
    async with serving() as server:
        seen = await scrape(server)
    for series in (
        "callsheet_errors_total{code=engine_unavailable}",
        "callsheet_replies_total{finish_reason=error}",
        "callsheet_closes_total{code=4009}",
        "callsheet_closes_total{code=other}",
        "callsheet_shed_requests_total{priority=player}",
        "callsheet_unexpected_calls_total{lookback=5s}",
        "callsheet_failed_moves_total{kind=prefix},{source=disk},{target=device}",
        "callsheet_quota_refusals_total{resource=open_requests},{scope=address}",
        "callsheet_moderated_total{kind=heard},{outcome=failed}",
        "callsheet_recalls_total{outcome=timeout}",
        "callsheet_storage_quarantined_rows_total{table=turns}",
        "callsheet_internal_failures_total{where=mover}",
        "callsheet_ttft_seconds_count{resident=false}",
    ):
        assert seen[series] == 0


async def test_every_counter_of_the_document_is_on_a_fresh_server() -> None:
    text = (ROOT / "docs" / "observability.md").read_text(encoding="utf-8")
    counters = set(re.findall(r"^\| `(callsheet_[a-z_]+)` \| counter ", text, re.MULTILINE))
    counters = {name for name in counters if "_replica_" not in name}  # those of a cluster
    async with serving() as server:
        seen = {name.partition("{")[0] for name in await scrape(server)}
    assert len(counters) > 20
    assert counters - seen == set()


async def test_no_counter_gets_a_series_that_a_fresh_server_lacks() -> None:
    def series(body: str) -> set[str]:
        return {
            f"{sample.name} {sorted(sample.labels.items())}"
            for family in text_string_to_metric_families(body)
            if family.type == "counter"
            for sample in family.samples
        }

    async with serving(fail_npcs=("bram",), scripted={"device_budget_bytes": 1_500_000}) as server:
        _, _, fresh = await get(server, "/metrics")
        async with playing(server) as (game, handles):
            for time_s in range(20):
                await tick(game, handles, float(time_s), absent="cleo")
            for npc in ("ada", "cleo", "ada"):
                await (await game.say(npc, "Good day."))
                await server.mover.idle()
            for npc in ("bram", "nobody"):
                with pytest.raises(CallsheetError):
                    await (await game.say(npc, "Say more than three words to me."))
        await until(lambda: len(server.sessions) == 0)
        _, _, used = await get(server, "/metrics")
    assert series(used) - series(fresh) == set()


def counted(seen: dict[str, float], prefix: str) -> dict[str, float]:
    """Series that are not at 0."""
    return {name: count for name, count in seen.items() if name.startswith(prefix) and count}


async def test_what_was_said_of_calls_is_counted_beside_what_came() -> None:
    """The same in the metrics and in the ``stats`` of the world."""
    async with serving() as server, playing(server) as (game, handles):
        for time_s in range(90):
            await tick(game, handles, float(time_s))
            if time_s % 2 == 0:
                await (await game.say(NPCS[time_s // 2 % len(NPCS)], "And you?"))
        seen = await scrape(server)
        told = server.subscriptions.stats(server.rooms["town"]).forecast
    assert told is not None
    for one in told.chances:
        labels = f"{{chance={one.band}}},{{within={one.within_s:g}s}}"
        assert seen[f"callsheet_forecast_looks_total{labels}"] == one.looks
        assert seen[f"callsheet_forecast_calls_came_total{labels}"] == one.came
        said = seen[f"callsheet_forecast_calls_said_total{labels}"]
        assert said == pytest.approx(one.said, abs=1e-3)
    assert seen["callsheet_forecast_callers_total"] == told.callers > 0
    assert seen["callsheet_forecast_foremost_total{without=none}"] == told.foremost
    for source in told.sources:
        assert (
            seen[f"callsheet_forecast_foremost_total{{without={source.name}}}"] == source.foremost
        )
