"""``callsheet doctor`` on a cluster."""

from __future__ import annotations

import asyncio

import pytest
from engine.cluster.conftest import StartBoxes

from callsheet_cli.check_sglang import check_cluster
from callsheet_cli.checks import Finding
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.on_ray import lookup


async def found(urls: list[str]) -> list[Finding]:
    return await asyncio.to_thread(lambda: list(check_cluster(urls, None)))


async def test_replicas_must_be_alike(start_boxes: StartBoxes) -> None:
    boxes = await start_boxes(2)
    urls = [box.url for box in boxes]
    findings = await found(urls)
    assert {url for url in urls for f in findings if f.detail.startswith(f"{url}: ")} == set(urls)
    cluster = findings[-1]
    assert (cluster.check, cluster.status) == ("cluster", "ok")
    boxes[1].fake.behave(model="another")
    cluster = (await found(urls))[-1]
    assert (cluster.check, cluster.status) == ("cluster", "fail")
    assert f"{urls[1]}: another" in cluster.detail
    await boxes[1].kill()
    cluster = (await found(urls))[-1]
    assert (cluster.status, cluster.detail) == ("warn", "1 of 2 replicas answer, and are alike")
    assert "cluster" not in {finding.check for finding in await found(urls[:1])}


async def test_replicas_that_ray_has_are_asked(
    start_boxes: StartBoxes, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes = await start_boxes(2)
    there: dict[str, str | None] = {f"replica-{n}": box.url for n, box in enumerate(boxes)}
    monkeypatch.setattr(lookup, "replicas", lambda: there)
    findings = await found(["ray"])
    assert (findings[0].check, findings[0].detail) == ("ray", "has 2 replicas")
    assert findings[1:] == await found([box.url for box in boxes])
    there["replica-2"] = None
    ray, *others = await found(["ray"])
    assert (ray.status, ray.detail) == ("warn", "replica-2 of 3 replicas: being started")
    assert others == findings[1:]


async def test_a_ray_that_is_not_there_is_one_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> dict[str, str | None]:
        raise EngineStartError("sglang.urls: no Ray answers at 127.0.0.1:1")

    monkeypatch.setattr(lookup, "replicas", absent)
    (finding,) = await found(["ray"])
    assert (finding.check, finding.status) == ("ray", "fail")
    assert finding.detail == "no Ray answers at 127.0.0.1:1"
