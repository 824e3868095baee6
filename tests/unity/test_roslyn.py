"""The package as Unity compiles it: C# 9 by Roslyn, warnings being errors; its tests from that."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from unity.nunit import run_nunit
from unity.roslyn.compiler import Job, Roslyn, missing_roslyn
from unity.samples import INPUT_ASSEMBLIES, INPUT_SYSTEM, INPUTS, SAMPLES, VILLAGE
from unity.toolchain import HERE, NUNIT, PACKAGE, ROOT, sources

pytestmark = [pytest.mark.mono, pytest.mark.timeout(300)]

STUBS = HERE / "stubs"
UNITY = PACKAGE / "Runtime" / "Unity"
RIG = PACKAGE / "Tests" / "Editor" / "Rig.cs"
LAYERS = ("Callsheet.Core", "UnityEngine", "UnityEditor", "Callsheet", "Callsheet.Editor")
VARIANTS = {
    "Callsheet.WebGL": ("UNITY_WEBGL",),
    "Callsheet.Unity6": ("UNITY_2023_1_OR_NEWER",),
    "Callsheet.WebGLEditor": ("UNITY_WEBGL", "UNITY_EDITOR"),
}


def sample(name: str, inputs: str, variant: str) -> Job:
    """Compile a sample as a project of that variant and those input systems does."""
    installed = INPUT_ASSEMBLIES if inputs != "legacy" else ()
    return Job(
        f"{name}.{inputs}{variant.removeprefix('Callsheet')}",
        sources(PACKAGE / "Samples~" / name),
        (*LAYERS[:2], variant, *installed),
        (*INPUTS[inputs], *VARIANTS.get(variant, ())),
    )


JOBS = [
    Job("Callsheet.Core", sources(PACKAGE / "Runtime" / "Core")),
    Job("UnityEngine", sources(STUBS / "UnityEngine")),
    Job("UnityEditor", sources(STUBS / "UnityEditor"), LAYERS[1:2]),
    Job("Callsheet", sources(UNITY), LAYERS[:2]),
    Job("Callsheet.Editor", sources(PACKAGE / "Editor"), LAYERS[:4]),
    *(Job(name, sources(UNITY), LAYERS[:2], defines) for name, defines in VARIANTS.items()),
    Job("UnityEngine.UI", sources(STUBS / "UnityUI"), LAYERS[1:2]),
    Job("Unity.InputSystem", sources(STUBS / "InputSystem"), (LAYERS[1], "UnityEngine.UI")),
    *(
        sample(name, inputs, variant)
        for name in SAMPLES
        for inputs in INPUTS
        for variant in ("Callsheet", *VARIANTS)
    ),
    Job(
        "Callsheet.Tests",
        sources(PACKAGE / "Tests" / "Editor", HERE / "core"),
        LAYERS[:1],
        is_test=True,
    ),
    Job(
        "Callsheet.Tests.Runtime",
        [*sources(HERE / "runtime"), RIG, *VILLAGE],
        (*LAYERS, *INPUT_ASSEMBLIES),
        INPUT_SYSTEM,
        is_test=True,
    ),
]


@dataclass(frozen=True)
class Built:
    assemblies: dict[str, Path]
    said: str


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    if reason := missing_roslyn():
        pytest.skip(reason)
    return Built(*Roslyn(tmp_path_factory.mktemp("roslyn")).compile(JOBS, NUNIT))


@pytest.mark.parametrize("name", [job.name for job in JOBS])
def test_it_compiles_without_a_warning(name: str, built: Built) -> None:
    assert name in built.assemblies, built.said


@pytest.mark.parametrize("name", ["Callsheet.Tests", "Callsheet.Tests.Runtime"])
def test_every_test_passes(name: str, built: Built) -> None:
    folders = {
        "CALLSHEET_VECTORS": str(ROOT / "tests" / "vectors"),
        "CALLSHEET_VILLAGE": str(VILLAGE[0].parent),
    }
    result = run_nunit(built.assemblies[name], folders)
    assert not result.failed, "\n\n".join(f"{k}\n{v}" for k, v in result.failed.items())
    assert len(result.passed) > 50
