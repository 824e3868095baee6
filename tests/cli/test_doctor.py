from __future__ import annotations

import asyncio
import json
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from callsheet_cli import main
from callsheet_cli.check_engine import check_llamacpp, check_torch
from callsheet_cli.checks import Finding, check_port, check_python
from callsheet_server.app.settings import Settings
from callsheet_server.app.start import running_server
from callsheet_server.engine.scripted import ScriptedEngine
from callsheet_server.transport.settings import ServerSettings


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that is taken by something that hangs up on everyone."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            while True:
                try:
                    listener.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def port_finding(**settings: object) -> Finding:
    (finding,) = check_port(ServerSettings.model_validate(settings))
    return finding


def test_a_free_port_is_free() -> None:
    assert port_finding(port=0).status == "ok"


def test_a_port_taken_by_a_stranger_fails(silent_port: int) -> None:
    finding = port_finding(port=silent_port)
    assert (finding.status, finding.detail) == (
        "fail",
        f"127.0.0.1:{silent_port} is taken by another program",
    )
    assert "--port" in finding.fix


async def test_a_callsheet_server_is_recognised() -> None:
    settings = Settings.model_validate({"server": {"port": 0}})
    async with running_server(settings, ScriptedEngine(settings.scripted)) as server:
        finding = await asyncio.to_thread(port_finding, port=server.port)
    assert finding.status == "warn"
    assert "a Callsheet server is running" in finding.detail


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_of_another_machine_fails(host: str) -> None:
    finding = port_finding(host=host, port=0, game_token="a long and secret one")
    assert finding.status == "fail"
    assert "server.host" in finding.fix


def test_this_python_is_fine() -> None:
    assert [finding.status for finding in check_python()] == ["ok"]


def test_torch_computes_on_something() -> None:
    (finding,) = check_torch()
    assert finding.status in ("ok", "warn")
    assert " on " in finding.detail


def checks(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, str]:
    """Check -> status, of a doctor who is asked for an engine."""
    main(["doctor", "--json", "--port", "0", *arguments])
    findings = json.loads(capsys.readouterr().out)["findings"]
    return {finding["check"]: finding["status"] for finding in findings}


ALWAYS = {"python", "packages", "settings", "engine", "port"}


@pytest.mark.parametrize(
    ("engine", "needs"),
    [
        ("scripted", set()),
        ("llamacpp", {"llamacpp", "model", "disk"}),
        ("embedded", {"torch", "model", "disk"}),
        ("sglang", {"sglang"}),
    ],
)
def test_what_an_engine_needs_is_checked_and_no_more(
    engine: str, needs: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert checks(capsys, "--engine", engine).keys() == ALWAYS | needs


def test_an_engine_without_its_library_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert checks(capsys, "--engine", "embedded")["torch"] == "fail"
    assert checks(capsys, "--engine", "scripted").get("torch") is None


def test_a_running_sglang_is_asked_where_it_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    urls = 'sglang.urls=["http://127.0.0.1:1"]'
    assert checks(capsys, "--engine", "sglang", "--set", urls)["sglang"] == "fail"


def test_a_build_of_llama_server_is_looked_for(tmp_path: Path) -> None:
    (there,) = check_llamacpp(sys.executable)
    (gone,) = check_llamacpp(str(tmp_path / "llama-server"))
    assert (there.status, gone.status) == ("ok", "fail")
    (elsewhere,) = check_llamacpp("http://:secret@gpu:8080")
    assert (elsewhere.status, elsewhere.detail) == ("ok", "attaches to http://gpu:8080")


def test_the_command_fails_if_a_check_does(
    silent_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", "--json", "--port", str(silent_port)]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {finding["check"] for finding in findings} >= {"python", "engine", "settings", "port"}
    assert [f["check"] for f in findings if f["status"] == "fail"] == ["port"]
    assert main(["doctor", "--port", "0"]) == 0
    assert "ok    settings  valid" in capsys.readouterr().out


def test_a_bad_setting_is_a_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--set", "server.port=x"]) == 1
    assert "server.port = 'x' (from flag)" in capsys.readouterr().out
