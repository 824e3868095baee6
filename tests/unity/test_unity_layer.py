"""The Unity and Editor layers against stand-ins of Unity's API, and a stand-in player loop."""

from __future__ import annotations

import pytest
from unity.nunit import run_nunit
from unity.toolchain import HERE, NUNIT, PACKAGE, Toolchain, sources

pytestmark = pytest.mark.mono

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
    files = [*sources(HERE / "runtime"), RIG]
    references = [*(built.built[name] for name in names), NUNIT]
    tests = built.compile("Callsheet.Tests.Runtime.dll", files, references)
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


@pytest.mark.parametrize("sample", ["QuickStart", "ManyNpcs"])
def test_the_samples_compile(sample: str, built: Toolchain) -> None:
    built.compile(
        f"{sample}.dll",
        sources(PACKAGE / "Samples~" / sample),
        [built.built[name] for name in ("Callsheet.Core", "Callsheet", "UnityEngine")],
    )
