"""The Unity and Editor layers against stand-ins of Unity's API, and a stand-in player loop."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from unity.nunit import run_nunit
from unity.samples import LEGACY, VILLAGE
from unity.toolchain import HERE, NUNIT, PACKAGE, Toolchain, sources

pytestmark = pytest.mark.mono

ACTIONS = "CallsheetActions.g.cs"
RIG = PACKAGE / "Tests" / "Editor" / "Rig.cs"


@pytest.fixture(scope="module")
def built(toolchain: Toolchain) -> Toolchain:
    """Stand-ins, core, Unity layer and Editor layer, each referring to those before it."""
    stubs = HERE / "stubs"
    toolchain.core()
    toolchain.library("UnityEngine", [stubs / "UnityEngine"])
    toolchain.library("UnityEditor", [stubs / "UnityEditor"], ["UnityEngine"])
    toolchain.library(
        "Callsheet", [PACKAGE / "Runtime" / "Unity"], ["Callsheet.Core", "UnityEngine"]
    )
    toolchain.library(
        "Callsheet.Editor",
        [PACKAGE / "Editor"],
        ["Callsheet.Core", "Callsheet", "UnityEngine", "UnityEditor"],
    )
    return toolchain


def test_the_components_in_a_player_loop(built: Toolchain) -> None:
    names = ("Callsheet.Core", "Callsheet", "Callsheet.Editor", "UnityEngine", "UnityEditor")
    files = [*sources(HERE / "runtime"), RIG, *VILLAGE]
    references = [*(built.built[name] for name in names), NUNIT]
    tests = built.compile("Callsheet.Tests.Runtime.dll", files, references, LEGACY)
    result = run_nunit(
        tests,
        {
            "CALLSHEET_ACTION_SOURCE": str(built.folder / ACTIONS),
            "CALLSHEET_VILLAGE": str(VILLAGE[0].parent),
        },
    )
    assert not result.failed, "\n\n".join(f"{k}\n{v}" for k, v in result.failed.items())
    assert len(result.passed) > 20


def test_an_il2cpp_build_calls_actions_without_reflection(built: Toolchain, tmp_path: Path) -> None:
    """The actions' tests again, by the file that the editor generates."""
    test_the_components_in_a_player_loop(built)
    il2cpp = Toolchain(tmp_path)
    names = ("Callsheet.Core", "UnityEngine")
    shared = [Path(shutil.copy(built.built[name], tmp_path)) for name in names]
    layer = il2cpp.compile(
        "Callsheet.dll", sources(PACKAGE / "Runtime" / "Unity"), shared, ["ENABLE_IL2CPP"]
    )
    assert b"MethodInfo" in built.built["Callsheet"].read_bytes()
    assert b"MethodInfo" not in layer.read_bytes()
    parts = (
        *("ActionTests.cs", "ActionTableTests.cs"),
        *("DeclaredActionTests.cs", "JudgeTests.cs", "PlayingFixture.cs"),
    )
    files = [*(HERE / "runtime" / part for part in parts), RIG, built.folder / ACTIONS, *VILLAGE]
    tests = il2cpp.compile(
        "Callsheet.Tests.Runtime.dll",
        files,
        [*shared, layer, NUNIT],
        ["ENABLE_IL2CPP", *LEGACY],
    )
    result = run_nunit(tests, {})
    assert not result.failed, "\n\n".join(f"{k}\n{v}" for k, v in result.failed.items())
    assert len(result.passed) > 20


@pytest.mark.parametrize(
    "defines",
    [("UNITY_WEBGL",), ("UNITY_2023_1_OR_NEWER",), ("UNITY_WEBGL", "UNITY_EDITOR")],
    ids=lambda defines: "+".join(defines),
)
def test_the_unity_layer_compiles_for(defines: tuple[str, ...], built: Toolchain) -> None:
    """With every symbol that the layer asks for."""
    built.compile(
        "Callsheet.Variant.dll",
        sources(PACKAGE / "Runtime" / "Unity"),
        [built.built["Callsheet.Core"], built.built["UnityEngine"]],
        defines,
    )
