"""The code in the documents: programs run, mods are read, command lines are understood."""

from __future__ import annotations

import ast
import asyncio
import re
import shlex
import sys
import textwrap
from pathlib import Path

import pytest

from callsheet.cast import Cast, CastNpc, write_cast
from callsheet.mod.script import load_scripts
from callsheet_cli.main import build_parser
from callsheet_server.app.settings import Settings
from callsheet_server.app.start import running_server
from callsheet_server.engine.scripted import ScriptedEngine, ScriptedSettings
from callsheet_server.storage.settings import StorageSettings
from callsheet_server.transport.settings import ServerSettings

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"^(?:    |\$ )?(?:python3 run\.py|callsheet) (.*)$", re.MULTILINE)
ADDRESS = "ws://127.0.0.1:8765"
_SHOWN_ONLY = re.compile(r"[|<>\[\]]|\.\.\.|[A-Z]{4,}")
"""Command lines with a placeholder, or with more than one command."""


def blocks(language: str) -> list[tuple[str, str]]:
    return [
        (f"{path.relative_to(ROOT)}:{number}", code)
        for path in DOCUMENTS
        for number, (of, code) in enumerate(_FENCED.findall(path.read_text(encoding="utf-8")))
        if of == language
    ]


def is_program(code: str) -> bool:
    return "asyncio.run(" in code or "callsheet.blocking.connect(" in code


def is_mod(code: str) -> bool:
    return "from callsheet.mod import" in code


PYTHON = dict(blocks("python"))
PROGRAMS = {at: code for at, code in PYTHON.items() if is_program(code)}
MODS = {at: code for at, code in PYTHON.items() if is_mod(code)}
FRAGMENTS = {at: code for at, code in PYTHON.items() if at not in PROGRAMS | MODS}
COMMANDS = sorted(
    {
        command.strip()
        for path in DOCUMENTS
        for line in _COMMAND.findall(path.read_text(encoding="utf-8"))
        for command in re.split(r"; callsheet ", line.partition("#")[0])
        if not command.startswith("test")  # run.py's own
    }
)


def test_there_is_code_of_every_kind() -> None:
    assert len(PROGRAMS) >= 4
    assert len(MODS) >= 2
    assert len(COMMANDS) >= 20


@pytest.mark.process
@pytest.mark.parametrize("at", PROGRAMS)
async def test_a_program_runs(at: str, tmp_path: Path) -> None:
    settings = Settings(
        server=ServerSettings(port=0, drain_timeout_s=0.1),
        storage=StorageSettings(directory=str(tmp_path / "worlds")),
        scripted=ScriptedSettings(token_delay_s=0.005, rebuild_s=0.0),
    )
    async with running_server(settings, ScriptedEngine(settings.scripted)) as server:
        path = tmp_path / "program.py"
        code = PROGRAMS[at].replace(ADDRESS, f"ws://127.0.0.1:{server.port}")
        path.write_text(code, encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(path),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await process.communicate()
    assert process.returncode == 0, printed.decode()
    assert printed.strip()


@pytest.mark.parametrize("at", MODS)
def test_a_mod_is_read(at: str, tmp_path: Path) -> None:
    path = tmp_path / "guard.py"
    path.write_text(MODS[at], encoding="utf-8")
    cast = Cast(npcs=(CastNpc("bram", "Bram"),))
    (tmp_path / "town.cast.json").write_bytes(write_cast(cast))
    assert load_scripts(path)


@pytest.mark.parametrize("at", FRAGMENTS)
def test_a_fragment_is_python(at: str) -> None:
    ast.parse(f"async def fragment():\n{textwrap.indent(FRAGMENTS[at], '    ')}")


@pytest.mark.parametrize("command", [c for c in COMMANDS if not _SHOWN_ONLY.search(c)])
def test_a_command_line_is_understood(command: str) -> None:
    build_parser().parse_args(shlex.split(command))
