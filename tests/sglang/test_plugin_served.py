"""The plugin in a real SGLang: one start, shared by all tests here."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from sglang_harness import VOCABULARY, Sglang

from callsheet_residency.state import Tier
from callsheet_sglang import wire

pytestmark = pytest.mark.sglang

REQUESTS = int(os.environ.get("CALLSHEET_TEST_SGLANG_REQUESTS", "1000"))
"""Mixed requests before the audit; set it to 10000 for a long run."""
NPCS = 12
POOL_TOKENS = 1200
KEY = "a-key-of-the-test"


class Director:
    """Tells an SGLang distances, as the server's engine would."""

    def __init__(self, sglang: Sglang) -> None:
        self.sglang = sglang
        self._seq = 0
        self._now_s = 0.0
        self._lock = threading.Lock()

    def tell(self, distance_s: dict[int, float], full: bool = False, after_s: float = 1.0) -> None:
        with self._lock:
            self._seq += 1
            self._now_s += after_s
            update = wire.Distances(
                self._seq,
                self._now_s,
                np.array(list(distance_s), np.uint32),
                np.array(list(distance_s.values()), np.float32),
                full,
            )
            self.sglang.call("POST", wire.DISTANCES_PATH, wire.encode_distances(update))

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.sglang.get_json(wire.STATUS_PATH)
        return found

    def residency(self, since: int = 0) -> wire.Residency:
        body = self.sglang.call("GET", f"{wire.RESIDENCY_PATH}?since={since}")
        return wire.decode_residency(body)

    def tiers(self) -> dict[int, Tier]:
        now = self.residency()
        return {h: Tier(t) for h, t in zip(now.handles.tolist(), now.tier.tolist(), strict=True)}

    def audit(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self.sglang.call("POST", wire.AUDIT_PATH, b""))
        except urllib.error.HTTPError as error:
            return {"ok": False, "broken": error.read().decode()}
        return found


@pytest.fixture(scope="module")
def director(launch_sglang: Callable[..., Any]) -> Iterator[Director]:
    with launch_sglang(plugin=True, pool_tokens=POOL_TOKENS, api_key=KEY) as sglang:
        yield Director(sglang)


@pytest.fixture
def town(director: Director) -> Iterator[Director]:
    """Nothing cached and nobody known at the start; sound at the end."""
    director.tell({}, full=True)
    director.audit()  # waits for rest
    director.sglang.flush()
    yield director
    assert director.audit()["ok"]
    assert director.status()["fallbacks"] == {}


def personas(count: int, tokens: int) -> list[list[int]]:
    rng = random.Random(5)
    world = [rng.randrange(256) for _ in range(40)]
    return [world + [rng.randrange(VOCABULARY - 4) for _ in range(tokens)] for _ in range(count)]


def eventually(condition: Callable[[], bool], timeout_s: float = 30.0) -> bool:
    give_up_s = time.monotonic() + timeout_s
    while time.monotonic() < give_up_s:
        if condition():
            return True
        time.sleep(0.05)
    return False


def test_greedy_replies_are_those_of_stock_sglang(town: Director, stock_sglang: Sglang) -> None:
    """Under eviction, parking and prefetch: twelve NPCs, of which the device holds six."""
    people, rng = personas(NPCS, 130), random.Random(3)
    before = town.status()["counters"]
    stock_sglang.flush()
    device = host = 0
    for step in range(5 * NPCS):
        npc = step % NPCS if rng.random() > 0.15 else rng.randrange(NPCS)
        town.tell({(step + ahead) % NPCS: 2.0 * ahead for ahead in range(NPCS)} | {npc: 0.0})
        prompt = people[npc] + [rng.randrange(256) for _ in range(10)]
        ours = town.sglang.generate(prompt, session_id=wire.session_id(npc))
        assert ours.token_ids == stock_sglang.generate(prompt).token_ids, f"step {step}"
        device, host = device + ours.device_tokens, host + ours.host_tokens
    counters = {k: v - before[k] for k, v in town.status()["counters"].items()}
    assert counters["loads"] > 10
    assert counters["demotions"] > 10
    assert counters["evictions"] > 10
    assert device > host


def test_an_npc_is_brought_to_the_device_while_nothing_runs(town: Director) -> None:
    people = personas(NPCS, 130)
    for npc in range(NPCS):
        town.sglang.generate(people[npc], session_id=wire.session_id(npc))
    assert eventually(lambda: Tier.HOST in town.tiers().values())
    parked = next(npc for npc, tier in town.tiers().items() if tier is Tier.HOST)
    version = town.residency().version
    others = {npc: 500.0 for npc in range(NPCS) if npc != parked}
    town.tell({**others, parked: 1.0})
    assert eventually(lambda: town.tiers()[parked] is Tier.DEVICE)
    assert parked in town.residency(since=version).handles.tolist()
    reply = town.sglang.generate([*people[parked], 7], session_id=wire.session_id(parked))
    assert reply.host_tokens == 0
    assert reply.device_tokens >= len(people[parked]) - 1


def test_a_forgotten_npc_goes_first(town: Director) -> None:
    people = personas(4, 130)
    for npc in range(4):
        town.tell({npc: 5.0})
        town.sglang.generate(people[npc], session_id=wire.session_id(npc))
    town.tell({2: float("nan")})
    town.sglang.generate([9] * 700)
    assert eventually(lambda: town.status()["npcs"]["known"] == 3)
    reply = town.sglang.generate([*people[2], 7])
    assert reply.device_tokens <= 40


def test_mixed_requests_with_aborts_and_disconnects_leave_it_sound(town: Director) -> None:
    people, rng = personas(40, 90), random.Random(11)
    jobs = iter(range(REQUESTS))
    failed: list[str] = []

    def work(seed: int) -> None:
        own = random.Random(seed)
        while True:
            with lock:
                job = next(jobs, None)
            if job is None:
                return
            npc = own.randrange(40)
            prompt = people[npc] + [own.randrange(256) for _ in range(own.randrange(1, 30))]
            session = {"session_id": wire.session_id(npc)} if own.random() < 0.85 else {}
            if own.random() < 0.2:
                town.tell({own.randrange(40): own.uniform(0.0, 30.0) for _ in range(20)})
            try:
                if own.random() < 0.2:
                    hang_up(town.sglang, prompt, own.uniform(0.0, 0.1), session)
                elif own.random() < 0.1:
                    abort(town.sglang, prompt, f"mixed-{job}", session)
                else:
                    town.sglang.generate(prompt, own.randrange(1, 5), **session)
            except Exception as error:
                failed.append(f"{type(error).__name__}: {error}")

    lock = threading.Lock()
    threads = [threading.Thread(target=work, args=(rng.random(),)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert town.audit()["ok"]


def test_a_storm_of_updates_does_not_stop_replies(town: Director) -> None:
    people = personas(2, 60)
    before = town.status()["counters"]["updates"]
    distance_s = {npc: float(npc % 97) for npc in range(5_000)}
    for _ in range(100):
        town.tell(distance_s, after_s=0.01)
    reply = town.sglang.generate(people[0], session_id=wire.session_id(0))
    assert len(reply.token_ids) == 8
    assert eventually(lambda: town.status()["counters"]["updates"] == before + 100)


def test_bad_bodies_are_refused_with_a_reason(town: Director) -> None:
    for path, body in ((wire.DISTANCES_PATH, b"CSD2"), (wire.NPCS_PATH, b'{"npcs": 3}')):
        with pytest.raises(urllib.error.HTTPError) as refused:
            town.sglang.call("POST", path, body)
        assert refused.value.code == 400
        assert "the body" in json.loads(refused.value.read())["error"]


def test_the_routes_are_behind_the_api_key(town: Director) -> None:
    for path in (wire.STATUS_PATH, wire.RESIDENCY_PATH):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(town.sglang.url + path, timeout=10)
        refused.value.close()
        assert refused.value.code == 401


def test_status_and_metrics_tell_what_is_where(town: Director) -> None:
    adapters = wire.encode_adapters({0: "smith", 1: None})
    town.sglang.call("POST", wire.NPCS_PATH, adapters)
    town.sglang.generate(personas(1, 60)[0], session_id="npc-0")
    found = town.status()
    assert found["sglang_version"].startswith("0.5.")
    assert found["adapters"] == {"in_slots": []}
    assert found["npcs"]["known"] == 1
    device = found["pools"]["device"]
    assert device["capacity_tokens"] == POOL_TOKENS
    assert 100 <= device["used_tokens"] <= POOL_TOKENS
    assert device["used_bytes"] == device["used_tokens"] * town.residency().bytes_per_token
    assert found["settings"]["prefetch_link_ms"] == 20.0
    text = town.sglang.call("GET", "/metrics").decode()
    assert "callsheet_updates_total" in text


def hang_up(sglang: Sglang, prompt: list[int], after_s: float, fields: dict[str, Any]) -> None:
    """Ask for a stream and close the connection."""
    connection = http.client.HTTPConnection(urlsplit(sglang.url).netloc, timeout=30)
    body = json.dumps(request_body(prompt, 60, stream=True, **fields))
    connection.request("POST", "/generate", body, HEADERS)
    time.sleep(after_s)
    connection.close()


def abort(sglang: Sglang, prompt: list[int], rid: str, fields: dict[str, Any]) -> None:
    """Ask for a long reply and abort it by its id."""

    def ask() -> None:
        with contextlib.suppress(urllib.error.HTTPError):
            body = request_body(prompt, 200, rid=rid, **fields)
            sglang.call("POST", "/generate", body)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.05)
    while asking.is_alive():
        sglang.call("POST", "/abort_request", {"rid": rid})
        asking.join(0.1)


HEADERS = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}


def request_body(prompt: list[int], max_new_tokens: int, **fields: Any) -> dict[str, Any]:
    sampling = {"temperature": 0, "max_new_tokens": max_new_tokens, "ignore_eos": True}
    return {"input_ids": prompt, "sampling_params": sampling, **fields}
