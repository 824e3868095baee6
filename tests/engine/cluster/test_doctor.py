"""``callsheet doctor`` on a cluster."""

from __future__ import annotations

import asyncio

from engine.cluster.conftest import StartBoxes

from callsheet_cli.check_sglang import check_cluster
from callsheet_cli.checks import Finding


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
