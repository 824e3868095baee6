from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from callsheet._version import __version__
from callsheet_cli import main
from callsheet_cli.main import COMMANDS, extra_providing

ROOT = Path(__file__).parent.parent.parent

LIGHT = """
import importlib.metadata, sys
allowed = {"annotated_types", "numpy", "orjson", "pydantic", "pydantic_core", "typing_extensions",
           "typing_inspection", "websockets", "callsheet", "callsheet_server"}
installed = set(importlib.metadata.packages_distributions())
class Refuse:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in installed - allowed and top not in sys.stdlib_module_names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Refuse())
from callsheet_cli import main
sys.exit(main(sys.argv[1:]))
"""


def light(*argv: str) -> subprocess.CompletedProcess[str]:
    """Run the command as in `pip install callsheet`: nothing of any extra can be imported."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", LIGHT, *argv], capture_output=True, text=True, env=environment
    )


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"callsheet {__version__}\n"


def test_help_lists_every_command_and_examples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert "examples:" in text
    for command in COMMANDS:
        assert command.__name__.rpartition(".")[2] in text


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (["docto"], "did you mean 'doctor'?"),
        (["models", "pul"], "did you mean 'pull'?"),
        (["xyz"], "invalid choice"),
        ([], "required: COMMAND"),
        (["serve", "--prot", "1"], "unrecognized arguments: --prot"),
    ],
)
def test_a_wrong_command_gets_a_hint(
    argv: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2
    assert hint in capsys.readouterr().err


def test_the_light_install_shows_every_help() -> None:
    for argv in ([], ["serve"], ["doctor"], ["models"], ["models", "pull"]):
        result = light(*argv, "--help")
        assert result.returncode == 0, result.stderr
        assert "usage: callsheet" in result.stdout


def test_the_light_install_names_the_extra_that_a_command_needs() -> None:
    pytest.importorskip("callsheet_server.engine.models.cache", exc_type=ModuleNotFoundError)
    result = light("models", "pull")
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert 'pip install "callsheet[server]"' in result.stderr


def test_an_extra_is_found_by_module_name() -> None:
    required = [
        "numpy>=2",
        "huggingface_hub>=1.0; extra == 'llamacpp'",
        "huggingface_hub>=1.0; extra == 'server'",
        'locust; extra == "loadtest"',
    ]
    assert extra_providing("huggingface_hub.errors", required) == "server"
    assert extra_providing("locust", required) == "loadtest"
    assert extra_providing("numpy", required) is None
    assert extra_providing("callsheet_server.nothing", required) is None


def test_a_bad_setting_ends_with_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", "99999"]) == 2
    assert capsys.readouterr().err.startswith("callsheet: server.port = '99999' (from flag)")


def test_flags_of_the_engine_in_use_go_to_its_section(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    argv = [
        "serve",
        "--list-settings",
        "--engine",
        "sglang",
        "--url",
        "http://gpu-1:30000",
        "--url",
        "http://gpu-2:30000",
    ]
    assert main([*argv, "--model", "m", "--device", "cpu"]) == 0
    sglang = capsys.readouterr().out.partition("[sglang]")[2].partition("[openai]")[0]
    for line in (
        'urls = ["http://gpu-1:30000", "http://gpu-2:30000"]',
        'model = "m"',
        'device = "cpu"',
    ):
        assert f"# now from flag\n{line}\n" in sglang
    monkeypatch.setenv("CALLSHEET_ENGINE__NAME", "openai")
    assert main(["serve", "--list-settings", "--model", "qwen"]) == 0
    openai = capsys.readouterr().out.partition("[openai]")[2].partition("[scripted]")[0]
    assert '# now from flag\nmodel = "qwen"\n' in openai
    assert main(["serve", "--engine", "scripted", "--model", "m"]) == 2
    assert "scripted.model" in capsys.readouterr().err


def test_the_flags_of_serve_are_settings(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["serve", "--list-settings", "--port", "1", "--set", "server.port=2"]
    assert main([*argv, "--engine", "scripted", "--set", "server.game_token=hunter2"]) == 0
    out = capsys.readouterr().out
    assert "# now from flag\nport = 2\n" in out
    assert 'name = "scripted"' in out
    assert "hunter2" not in out
