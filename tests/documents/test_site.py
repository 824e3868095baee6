"""The docs site: built without a broken link, it holds what it should; versions stand apart."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType

import pytest
from page.conftest import CHROMIUM, PATIENCE_MS
from playwright.sync_api import expect, sync_playwright

import callsheet

ROOT = Path(__file__).parents[2]
NOW = ".".join(callsheet.__version__.split(".")[:2])


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("callsheet_site", ROOT / ".github" / "site.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with this version, and a page of an older and of a newer one."""
    folder = tmp_path_factory.mktemp("published")
    built = subprocess.run(
        [sys.executable, ROOT / ".github" / "site.py", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    for other in ("0.1", "10.0"):
        page = folder.parent / other
        page.mkdir()
        shutil.copy(folder / NOW / "index.html", page)
        script().publish(page, folder, other)
    return folder


@pytest.fixture
def address(published: Path) -> Iterator[str]:
    handler = partial(_Quiet, directory=str(published))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.process
def test_the_site_is_built_without_a_broken_link(published: Path) -> None:
    site = published / NOW
    reference = (site / "reference/python/index.html").read_text(encoding="utf-8")
    for member in ("callsheet.Client.say", "callsheet.NpcSpec", "callsheet.BatchError"):
        assert f'id="{member}"' in reference
    assert (site / "search.json").is_file()


@pytest.mark.process
def test_versions_stand_side_by_side_and_the_newest_is_first(published: Path) -> None:
    versions = json.loads((published / "versions.json").read_text("utf-8"))
    assert [one["version"] for one in versions] == ["10.0", NOW, "0.1"]
    assert [one["aliases"] for one in versions] == [["latest"], [], []]
    assert 'url=10.0/"' in (published / "index.html").read_text("utf-8")
    script().publish(published / "0.1", published, "0.1b")  # no version's name: not listed
    assert json.loads((published / "versions.json").read_text("utf-8")) == versions


@pytest.mark.browser
@pytest.mark.process
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")
def test_a_page_leads_to_the_other_versions(address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page()
        page.goto(f"{address}{NOW}/")
        selector = page.locator(".md-version")
        current = selector.locator(".md-version__current")
        expect(current).to_have_text(re.compile(re.escape(NOW)), timeout=PATIENCE_MS)
        selector.hover()
        selector.get_by_role("link", name="0.1").click()
        page.wait_for_url(f"{address}0.1/", timeout=PATIENCE_MS)
        browser.close()
